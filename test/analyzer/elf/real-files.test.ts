// Real programs and libraries, compared with what the binutils say of them.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it, type TestContext } from "node:test";
import { crc32 } from "node:zlib";
import { bytesReader } from "../../../src/analyzer/bytes.ts";
import { readElf, type ElfFile, type ElfSymbol } from "../../../src/analyzer/elf/elf-file.ts";
import { lines, openReader, present } from "./host-tools.ts";

const libssl = "/usr/lib/x86_64-linux-gnu/libssl.so.3";

function readWhole(path: string): ElfFile {
  const { elf, notElf } = readElf(bytesReader(readFileSync(path)));
  assert.ok(elf, notElf?.text);
  return elf;
}

/** `[Nr] name type address offset size` of `readelf -SW`: maps an address to a file offset by another way than ours. */
function sectionsOf(path: string): { address: bigint; offset: number; size: number }[] {
  return lines("readelf", "-SW", path).flatMap((line) => {
    const match = /^ *\[ *\d+\] \S+ +PROGBITS +([0-9a-f]+) ([0-9a-f]+) ([0-9a-f]+) /.exec(line);
    const [, address = "0", offset = "", size = ""] = match ?? [];
    const found = { address: BigInt(`0x${address}`), offset: parseInt(offset, 16), size: parseInt(size, 16) };
    return found.address === 0n ? [] : [found];
  });
}

/** Defined functions of one table by `readelf`, in the shape of ours. */
function functionsOf(path: string, table: ElfSymbol["table"]): Omit<ElfSymbol, "table">[] {
  const sections = sectionsOf(path);
  const printed = lines("readelf", "-sW", path);
  const start = printed.findIndex((line) => line.startsWith(`Symbol table '.${table}'`));
  const end = printed.indexOf("", start);
  return printed
    .slice(start, end)
    .flatMap((line) => {
      const match = /^ *\d+: ([0-9a-f]+) +(\d+|0x[0-9a-f]+) FUNC +\w+ +\w+ +\d+ ([^@ ]+)(?:@+(\S+))?$/.exec(
        line,
      );
      const [, hex = "0", size, name = "", version] = match ?? [];
      const address = BigInt(`0x${hex}`);
      const home = sections.find(
        (section) => address >= section.address && address < section.address + BigInt(section.size),
      );
      if (home === undefined) return [];
      const fileOffset = home.offset + Number(address - home.address);
      return [{ name, version: version ?? null, address, fileOffset, size: Number(size) }];
    })
    .sort(byNameAndAddress);
}

const byNameAndAddress = (a: Omit<ElfSymbol, "table">, b: Omit<ElfSymbol, "table">): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : Number(a.address - b.address);

const withoutTable = ({ name, version, address, fileOffset, size }: ElfSymbol) => ({
  name,
  version,
  address,
  fileOffset,
  size,
});

/** Compares all functions of one table, asked for in one question. */
function assertSameFunctions(elf: ElfFile, path: string, table: ElfSymbol["table"]): void {
  const expected = functionsOf(path, table);
  assert.ok(expected.length > 0, `readelf finds functions in .${table} of ${path}`);
  const found = elf.definedSymbols(new Set(expected.map(({ name }) => name)));
  const same = found.filter((symbol) => symbol.table === table).map(withoutTable);
  assert.deepStrictEqual(same.sort(byNameAndAddress), expected);
}

/** What a line of readelf says between the brackets, as in `(NEEDED) Shared library: [libc.so.6]`. */
const bracketed = (path: string, tag: string): string[] =>
  lines("readelf", "-dW", path).flatMap((line) =>
    line.includes(`(${tag})`) ? [/\[(.*)\]/.exec(line)?.[1] ?? ""] : [],
  );

const buildIdOf = (path: string): string | undefined =>
  /Build ID: ([0-9a-f]+)/.exec(lines("readelf", "-nW", path).join())?.[1];

void describe("elf: libssl.so.3", () => {
  void it("gives every exported function at readelf's address, with its version", (test) => {
    if (!present(test, "readelf", libssl)) return;
    assertSameFunctions(readWhole(libssl), libssl, "dynsym");
  });

  void it("gives name, needed libraries and build id as readelf does", (test) => {
    if (!present(test, "readelf", libssl)) return;
    const { soname, needed, buildId, kind, problems } = readWhole(libssl);
    assert.deepStrictEqual(
      { soname, needed, buildId, kind, problems },
      {
        soname: bracketed(libssl, "SONAME")[0],
        needed: bracketed(libssl, "NEEDED"),
        buildId: buildIdOf(libssl),
        kind: "shared",
        problems: [],
      },
    );
  });

  void it("gives the same functions when its section table is gone, or its hash table too", (test) => {
    if (!present(test, "readelf", libssl)) return;
    const whole = readFileSync(libssl);
    const names = new Set(functionsOf(libssl, "dynsym").map(({ name }) => name));
    const expected = readWhole(libssl).definedSymbols(names).sort(byNameAndAddress);
    const withoutSections = Buffer.from(whole).fill(0, 40, 48).fill(0, 58, 64);
    const withoutHash = Buffer.from(whole);
    const tag = Buffer.from([0xf5, 0xfe, 0xff, 0x6f, 0, 0, 0, 0]);
    withoutHash.writeUInt32LE(0x7000_0000, withoutHash.indexOf(tag));
    for (const bytes of [withoutSections, withoutHash]) {
      const { elf } = readElf(bytesReader(bytes));
      assert.deepStrictEqual(elf?.definedSymbols(names).sort(byNameAndAddress), expected);
    }
  });
});

void describe("elf: a 98 MB program", () => {
  const node = process.execPath;

  void it("gives OpenSSL's functions in node at nm's addresses", (test) => {
    if (!present(test, "nm", "readelf", node)) return;
    const sections = sectionsOf(node);
    const expected = lines("nm", "-D", "--defined-only", node).flatMap((line) => {
      const [, hex = "", name = ""] = /^([0-9a-f]+) T (SSL_\w+)$/.exec(line) ?? [];
      if (name === "") return [];
      const address = BigInt(`0x${hex}`);
      const home = sections.find(
        (section) => address >= section.address && address < section.address + BigInt(section.size),
      );
      assert.ok(home);
      return [{ name, fileOffset: home.offset + Number(address - home.address) }];
    });
    const reader = openReader(node);
    test.after(() => {
      reader.close();
    });
    const { elf } = readElf(reader);
    const found = elf?.definedSymbols(new Set(expected.map(({ name }) => name))) ?? [];
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    assert.deepStrictEqual(
      found.map(({ name, fileOffset }) => ({ name, fileOffset })).sort(byName),
      expected.sort(byName),
    );
  });

  void it("reads a few of its tables, not the file", (test) => {
    const reader = openReader(node);
    test.after(() => {
      reader.close();
    });
    const { elf } = readElf(reader);
    assert.ok(elf);
    assert.ok(reader.bytesRead < 256 << 10, `opening reads ${reader.bytesRead} bytes`);
    elf.definedSymbols(new Set(["SSL_read", "SSL_write"]));
    const tables = elf.sections.filter(({ type, name }) => type === "symtab" || name === ".strtab");
    const size = tables.reduce((sum, table) => sum + table.size, 0);
    assert.ok(
      reader.bytesRead < size * 1.05 + (256 << 10),
      `${reader.bytesRead} bytes for tables of ${size}`,
    );
  });
});

void describe("elf: /bin/true", () => {
  void it("exports no function, and needs what readelf says", (test) => {
    if (!present(test, "readelf", "/bin/true")) return;
    const elf = readWhole("/bin/true");
    assert.deepStrictEqual(elf.definedSymbols(new Set(["main", "malloc", "exit"])), []);
    assert.deepStrictEqual(
      {
        kind: elf.kind,
        needed: elf.needed,
        buildId: elf.buildId,
        hasSymtab: elf.hasSymtab,
        go: elf.goBuild(),
      },
      {
        kind: "executable",
        needed: bracketed("/bin/true", "NEEDED"),
        buildId: buildIdOf("/bin/true"),
        hasSymtab: false,
        go: null,
      },
    );
  });
});

void describe("elf: programs from a C compiler", () => {
  const directory = mkdtempSync(join(tmpdir(), "plainsight-elf-"));
  after(() => {
    rmSync(directory, { recursive: true });
  });
  const source = join(directory, "program.c");
  writeFileSync(
    source,
    `#include <stdio.h>
    __attribute__((noinline)) int SSL_write(const char *text) { return puts(text); }
    static __attribute__((noinline)) int hidden_write(const char *text) { return puts(text) + 1; }
    int SSL_table[4] = { 1 };
    int main(int count, char **arguments) { return SSL_write(arguments[0]) + hidden_write(arguments[count - 1]); }\n`,
  );
  const compile = (name: string, ...flags: string[]): string => {
    const program = join(directory, name);
    execFileSync("gcc", ["-O1", ...flags, "-o", program, source]);
    return program;
  };
  /** The bytes of a function by its name, which must be the same before and after stripping. */
  const code = (elf: ElfFile, name: string): string[] =>
    elf
      .definedSymbols(new Set([name]))
      .map(({ fileOffset, size }) => Buffer.from(elf.bytesAt(fileOffset, size)).toString("hex"));

  const builds: [string, string[], string][] = [
    ["a PIE", ["-pie", "-fPIE"], "executable"],
    ["no PIE", ["-no-pie"], "executable"],
    ["a static program", ["-static"], "executable"],
    ["a static PIE", ["-static-pie", "-fPIE"], "executable"],
    ["a shared library", ["-shared", "-fPIC", "-Wl,-soname,libprogram.so.1"], "shared"],
    ["a program with a DT_HASH table only", ["-rdynamic", "-Wl,--hash-style=sysv"], "executable"],
    ["a program at a distant address", ["-no-pie", "-Wl,-Ttext-segment=0x12340000"], "executable"],
  ];
  for (const [what, flags, kind] of builds) {
    void it(`${what}: every function of .symtab at readelf's place`, (test) => {
      if (!present(test, "gcc", "readelf")) return;
      const program = compile(what.replaceAll(" ", "-"), ...flags);
      const elf = readWhole(program);
      assert.equal(elf.kind, kind);
      assert.deepStrictEqual(elf.problems, []);
      const wanted = new Set(["SSL_write", "hidden_write", "main", "SSL_table"]);
      const found = elf.definedSymbols(wanted).map(withoutTable).sort(byNameAndAddress);
      assert.deepStrictEqual(
        found,
        functionsOf(program, "symtab").filter(({ name }) => wanted.has(name)),
      );
      assert.equal(found.length, 3);
    });
  }

  void it("stripped: exported functions remain at the same place, hidden ones are gone", (test: TestContext) => {
    if (!present(test, "gcc", "strip")) return;
    const program = compile("exporting", "-rdynamic");
    const stripped = join(directory, "stripped");
    execFileSync("strip", ["-o", stripped, program]);
    const [before, later] = [readWhole(program), readWhole(stripped)];
    assert.deepStrictEqual([before.hasSymtab, later.hasSymtab], [true, false]);
    assert.deepStrictEqual(code(later, "SSL_write"), code(before, "SSL_write"));
    assert.equal(code(before, "SSL_write").length, 1);
    assert.equal(code(before, "hidden_write").length, 1);
    assert.deepStrictEqual(code(later, "hidden_write"), []);
  });

  void it("with its debug symbols elsewhere: gives the name of that file", (test) => {
    if (!present(test, "gcc", "objcopy")) return;
    const program = compile("linked");
    const debug = join(directory, "linked.debug");
    execFileSync("objcopy", ["--only-keep-debug", program, debug]);
    execFileSync("objcopy", ["--strip-all", `--add-gnu-debuglink=${debug}`, program]);
    assert.deepStrictEqual(readWhole(program).debugLink, {
      name: "linked.debug",
      crc32: crc32(readFileSync(debug)),
    });
    assert.deepStrictEqual(readWhole(debug).problems, []);
    assert.equal(readWhole(debug).buildId, readWhole(program).buildId);
  });
});
