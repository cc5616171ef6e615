// Where Go's crypto/tls is probed, in real programs of many versions, against Go's and GNU's disassemblers; and that
// nothing is probed where the code is not wholly as expected.
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import fc from "fast-check";
import { readElf } from "../../../src/analyzer/elf/elf-file.ts";
import { analyseElf } from "../../../src/analyzer/stacks/analysis.ts";
import type { StackFinding } from "../../../src/analyzer/stacks/finding.ts";
import { goPoints } from "../../../src/analyzer/stacks/go-points.ts";
import { buildGoProgram, goBuilds } from "../elf/go-programs.ts";
import { lines, openReader, present } from "../elf/host-tools.ts";

function goTls(t: TestContext, path: string): Omit<StackFinding, "file"> {
  const reader = openReader(path);
  t.after(reader.close);
  const stack = analyseElf(readElf(reader), "program").stacks.find((it) => it.stack === "go");
  assert.ok(stack, "it has crypto/tls");
  return stack;
}

/** File offsets of the RET instructions of some functions, as GNU's disassembler sees them. */
function returnsByObjdump(path: string, { functions }: Omit<StackFinding, "file">): number[] {
  const loads = lines("readelf", "-lW", path).flatMap((line) => {
    const match = /^ *LOAD +0x(\w+) +0x(\w+) .* R E /.exec(line);
    return match === null ? [] : [parseInt(match[2] ?? "", 16) - parseInt(match[1] ?? "", 16)];
  });
  const distance = loads[0] ?? 0;
  return functions.flatMap(({ fileOffset, returns = [] }) => {
    if (returns.length === 0) return [];
    const start = fileOffset + distance;
    const text = lines("objdump", "-d", `--start-address=${start}`, `--stop-address=${start + 8192}`, path);
    const found: number[] = [];
    for (const line of text) {
      const [place = "", , instruction = ""] = line.split("\t");
      if (instruction.startsWith("ret")) found.push(parseInt(place, 16) - distance);
      // The growth of the stack ends the function: it jumps back to the check, of at most 18 bytes, before the probe.
      const target = parseInt(/^jmp +(?:0x)?([0-9a-f]+)\b/.exec(instruction)?.[1] ?? "", 16);
      if (target < start && target >= start - 18) return found;
    }
    throw new Error("objdump shows no end of the function");
  });
}

function assertAgreed(path: string, stack: Omit<StackFinding, "file">): void {
  assert.equal(stack.obstacle, undefined);
  const roles = stack.functions.map(({ role }) => role);
  for (const role of ["go-read", "go-write", "go-close", "go-handshake"])
    assert.ok(
      roles.some((it) => it === role),
      role,
    );
  const returns = stack.functions.flatMap((it) => (it.returns ?? []).map(({ fileOffset }) => fileOffset));
  assert.deepStrictEqual(returns, returnsByObjdump(path, stack));
}

for (const [about, build] of goBuilds) {
  test(`stacks: every return of Go's crypto/tls is found: ${about}`, (t) => {
    if (!present(t, "go", "objdump", "readelf", ...(build.withC === true ? ["cc"] : []))) return;
    const path = buildGoProgram(build);
    assertAgreed(path, goTls(t, path));
  });
}

test("stacks: every return of Go's crypto/tls is found where only .gopclntab is kept", (t) => {
  const path = `${process.cwd()}/node_modules/@esbuild/linux-x64/bin/esbuild`;
  if (!present(t, path, "objdump", "readelf")) return;
  assertAgreed(path, goTls(t, path));
});

// PLAINSIGHT_GO_VERSIONS="1.17.13 1.20.14": Go fetches each toolchain, some 100 MB.
for (const version of (process.env.PLAINSIGHT_GO_VERSIONS ?? "").split(" ").filter(Boolean)) {
  for (const [about, build] of goBuilds.slice(1, 3)) {
    test(`stacks: every return of Go's crypto/tls is found: Go ${version}, ${about}`, (t) => {
      if (!present(t, "go", "objdump", "readelf")) return;
      const path = buildGoProgram({ ...build, toolchain: `go${version}` });
      const stack = goTls(t, path);
      assert.equal(stack.version, version);
      assertAgreed(path, stack);
    });
  }
}

/** As a compiler makes it: check, frame, two returns, growth of the stack, padding. */
const parts = {
  check: "493b6610",
  grown: "7619", // jbe
  body: "554889e54883ec10" + "4885c0" + "7406" + "4883c410" + "5dc3" + "4883c4105dc3",
  keep: "4889442408",
  call: "e8cc0f0000",
  restore: "488b442408",
  again: "ebd0",
  padding: "cccccccc",
};
type Part = keyof typeof parts;
const order: Part[] = ["check", "grown", "body", "keep", "call", "restore", "again", "padding"];
const assemble = (changed: Partial<Record<Part, string>> = {}) =>
  Uint8Array.from(Buffer.from(order.map((part) => changed[part] ?? parts[part]).join(""), "hex"));
const address = 0x401000n;

test("stacks: where a Go function begins and returns, by hand", () => {
  const points = goPoints(assemble(), address, growStackOf(assemble()));
  assert.deepStrictEqual(points, { entry: 6, returns: [24, 30], refused: null });
});

test("stacks: an argument of one byte is kept while the stack grows", () => {
  const code = assemble({
    keep: "4889442408" + "885c2410",
    restore: "488b442408" + "0fb65c2410",
    again: "ebc7",
  });
  assert.deepStrictEqual(goPoints(code, address, growStackOf(code)).refused, null);
});

/** What its only call calls. */
function growStackOf(code: Uint8Array): bigint {
  const at = Buffer.from(code).indexOf(Buffer.from(parts.call, "hex"));
  return address + BigInt(at + 5) + 0xfccn;
}

const refusals: [about: string, changed: Partial<Record<Part, string>>, refused: RegExp][] = [
  ["no check of the stack", { check: "90909090" }, /check of its stack/],
  ["Go 1.16, which keeps the goroutine elsewhere", { check: "483b6110" }, /check of its stack/],
  ["a check of another field", { check: "493b6618" }, /check of its stack/],
  ["another branch after it", { grown: "7419" }, /check of its stack/],
  ["a branch into an instruction", { grown: "761a" }, /growth of its stack/],
  ["a call of something else", { call: "e8cd0f0000" }, /growth of its stack/],
  ["more than arguments kept", { keep: "31c0909090" }, /growth of its stack/],
  ["no jump back", { again: "ebd2" }, /growth of its stack/],
  ["a jump out of the function", { body: parts.body.replace("7406", "747f") }, /left by a jump/],
  ["a jump by a register", { body: parts.body.replace("4885c0", "ffe090") }, /left by a jump/],
  ["a jump into an instruction", { body: parts.body.replace("7406", "7407") }, /left by a jump/],
  ["a jump to behind the check", { body: parts.body.replace("7406", "74f3") }, /start is the target/],
  ["a jump to its start", { body: parts.body.replace("7406", "74ed") }, /start is the target/],
  ["no return", { body: parts.body.replaceAll("c3", "90") }, /no return/],
  [
    "a return that takes arguments along",
    { body: parts.body.replace("4883c4105dc3", "c20800909090") },
    /left by/,
  ],
  ["an instruction that does not exist", { body: parts.body.replace("4885c0", "060690") }, /not known/],
  ["an interruption among the code", { body: parts.body.replace("4885c0", "cc9090") }, /left by a jump/],
];
for (const [about, changed, expected] of refusals) {
  test(`stacks: no probe in a Go function with ${about}`, () => {
    const { returns, refused } = goPoints(assemble(changed), address, growStackOf(assemble()));
    assert.ok(returns === null, "it is refused");
    assert.match(refused, expected);
  });
}

test("stacks: a Go function with random damage is refused, or still has its returns where its bytes say so", () => {
  const sound = assemble();
  const flips = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(flips, fc.nat(sound.length), (changes, length) => {
      const code = Uint8Array.from(sound);
      for (const [at, value] of changes) code[at] = value;
      const { returns } = goPoints(code.subarray(0, length), address, growStackOf(sound));
      for (const at of returns ?? []) assert.equal(code[at], 0xc3);
    }),
    { numRuns: 2000 },
  );
});
