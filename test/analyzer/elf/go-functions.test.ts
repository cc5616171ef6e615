// Go functions in real programs against Go's own tools, and in tables that somebody has damaged.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { bytesReader } from "../../../src/analyzer/bytes.ts";
import { readElf, type ElfFile } from "../../../src/analyzer/elf/elf-file.ts";
import { buildGoProgram, goBuilds } from "./go-programs.ts";
import { lines, openReader, present } from "./host-tools.ts";

const names = [
  "crypto/tls.(*Conn).Write",
  "crypto/tls.(*Conn).Read",
  "crypto/tls.(*Conn).Close",
  "main.main",
  "runtime.morestack_noctxt",
];
const esbuild = "node_modules/@esbuild/linux-x64/bin/esbuild";

function open(t: TestContext, path: string): ElfFile {
  const reader = openReader(path);
  t.after(reader.close);
  return sound(readElf(reader));
}

function sound({ elf, notElf }: ReturnType<typeof readElf>): ElfFile {
  assert.equal(notElf, null);
  assert.ok(elf);
  return elf;
}

const found = (elf: ElfFile) =>
  new Map(elf.goFunctions(new Set(names)).map(({ name, address }) => [name, address]));

for (const [about, build] of goBuilds) {
  test(`elf: finds Go functions where go tool nm has them: ${about}`, (t) => {
    if (!present(t, "go", ...(build.withC === true ? ["cc"] : []))) return;
    const elf = open(t, buildGoProgram(build));
    // Stripping changes no address, so that the same program with its symbols is the judge.
    const withSymbols = build.options.map((option) => option.replace("-s -w", ""));
    const judge = new Map(
      lines("go", "tool", "nm", buildGoProgram({ ...build, options: withSymbols })).flatMap((line) => {
        const [address = "", , ...name] = line.trim().split(/\s+/);
        // The assembler's functions carry the name of their calling convention.
        const plain = name.join(" ").replace(/\.abi0$/, "");
        return names.includes(plain) ? [[plain, BigInt(`0x${address}`)] as const] : [];
      }),
    );
    const distances = names.map((name) => (found(elf).get(name) ?? 0n) - (judge.get(name) ?? -1n));
    // The C linker puts the program elsewhere when there are fewer sections, all of it by one distance.
    assert.deepStrictEqual(new Set(distances).size, 1);
    if (build.withC !== true) assert.equal(distances[0], 0n);
    assert.deepStrictEqual(elf.problems, []);
  });
}

test("elf: finds Go functions in a file that keeps .gopclntab alone, without a start of text", (t) => {
  if (!present(t, `${process.cwd()}/${esbuild}`)) return;
  const elf = open(t, esbuild);
  assert.deepStrictEqual([...found(elf).keys()].sort(), [...names].sort());
  assert.deepStrictEqual(elf.problems, []);
});

test("elf: finds the same Go functions without a section table", (t) => {
  if (!present(t, "go")) return;
  const bytes = readFileSync(buildGoProgram({ options: ["-ldflags", "-s -w"] }));
  const expected = found(sound(readElf(bytesReader(bytes))));
  const headless = Uint8Array.from(bytes);
  headless.fill(0, 40, 48);
  headless.fill(0, 60, 64);
  assert.deepStrictEqual(found(sound(readElf(bytesReader(headless)))), expected);
});

test("elf: a table of Go functions that its section cuts short, at every length, gives the right ones, or a problem", (t) => {
  if (!present(t, "go")) return;
  const bytes = readFileSync(buildGoProgram({ options: ["-ldflags", "-s -w"] }));
  const whole = sound(readElf(bytesReader(bytes)));
  const index = whole.sections.findIndex(({ name }) => name === ".gopclntab");
  const size = whole.sections[index]?.size ?? 0;
  assert.ok(index > 0 && size > 1000);
  const right = found(whole);
  // The section's size, in its entry of the section table (elf(5)).
  const field = Number(bytes.readBigUInt64LE(40)) + index * 64 + 32;
  assert.equal(Number(bytes.readBigUInt64LE(field)), size);
  const every = Array.from({ length: 256 }, (_, length) => length);
  const some = Array.from({ length: 200 }, (_, step) => Math.floor((size * step) / 200) + 1);
  let cut = 0;
  for (const length of [...every, ...some, size - 1]) {
    bytes.writeBigUInt64LE(BigInt(length), field);
    const elf = sound(readElf(bytesReader(bytes)));
    const given = found(elf);
    for (const [name, address] of given) assert.equal(address, right.get(name), `${name} at ${length}`);
    if (given.size === right.size) continue;
    cut++;
    assert.ok(
      elf.problems.length > 0,
      `${given.size} of ${right.size} functions at ${length} without a word`,
    );
  }
  assert.ok(cut > 256);
});

test("elf: a table of Go functions that is damaged or cut gives none or the right ones, and a problem", (t) => {
  if (!present(t, "go")) return;
  const bytes = readFileSync(buildGoProgram({ options: ["-ldflags", "-s -w"] }));
  const whole = sound(readElf(bytesReader(bytes)));
  const table = whole.goBuild()?.pclntab;
  const module = whole.sections.find(({ name }) => name === ".go.module" || name === ".noptrdata");
  assert.ok(table && module);
  const right = found(whole);
  const byte = fc.integer({ min: 0, max: 255 });
  const flip = fc.oneof(
    fc.tuple(
      fc.nat(72).map((at) => table.fileOffset + at),
      byte,
    ),
    fc.tuple(
      fc.nat(600).map((at) => module.fileOffset + at),
      byte,
    ),
    fc.tuple(
      fc.nat(table.size - 1).map((at) => table.fileOffset + at),
      byte,
    ),
  );
  const cut = fc.oneof(fc.constant(bytes.length), fc.nat(bytes.length));
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 8 }), cut, (flips, length) => {
      const kept = flips.map(([at]) => [at, bytes[at] ?? 0] as const);
      for (const [at, value] of flips) bytes[at] = value;
      try {
        const { elf } = readElf(bytesReader(bytes.subarray(0, length)));
        const given = elf === null ? new Map<string, bigint>() : found(elf);
        for (const [name, address] of given) assert.ok(names.includes(name) && address > 0n);
        // Who loses a function is told so, unless its name is gone.
        if (elf !== null && given.size === 0 && length === bytes.length && elf.goBuild()?.pclntab != null) {
          const named = names.some((name) => elf.containsText(`\0${name}\0`, ".gopclntab"));
          assert.ok(!named || elf.problems.length > 0);
        }
      } finally {
        for (const [at, value] of kept.reverse()) bytes[at] = value;
      }
    }),
    // The magic of Go 1.16: what follows is then read as other fields.
    { numRuns: 150, examples: [[[[table.fileOffset, 0xfa]], bytes.length]] },
  );
  assert.deepStrictEqual(found(sound(readElf(bytesReader(bytes)))), right);
});
