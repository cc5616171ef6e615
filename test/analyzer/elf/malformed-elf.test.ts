// Files broken on purpose: every question is asked of each, through a reader that fails on a read out of range and
// counts what is read, so that "finishes" is a bound on the work and not on a clock.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readElf, type ElfFile } from "../../../src/analyzer/elf/elf-file.ts";
import { baseAddress, forgeElf, type ForgedElf } from "./forged-elf.ts";
import { watchedReader } from "./watched-reader.ts";

const names = new Set(["SSL_write", "SSL_read", "static_write"]);
const huge = 0x7fff_fff0;
const dt = { hash: 4, strtab: 5, symtab: 6, strsz: 10, soname: 14, gnuHash: 0x6ffffef5, versym: 0x6ffffff0 };
const dtVerdef = 0x6ffffffc;

interface Outcome {
  elf: ElfFile | null;
  /** Codes of all problems, or of the one that says that the file is no ELF. */
  codes: string[];
  symbols: string[];
}

/** Asks everything, and checks that the work is bounded by the size of the file. */
function askEverything(bytes: Uint8Array): Outcome {
  const reader = watchedReader(bytes);
  const { elf, notElf } = readElf(reader);
  const symbols = elf?.definedSymbols(names) ?? [];
  if (elf !== null) {
    for (const { fileOffset } of symbols) assert.ok(fileOffset >= 0 && fileOffset < bytes.length);
    for (const { address } of [...elf.segments, ...elf.sections]) {
      const offset = elf.fileOffsetOf(address);
      assert.ok(offset === null || (offset >= 0 && offset < bytes.length));
    }
    elf.bytesAt(bytes.length - 1, huge);
    elf.bytesAt(Number.NaN, Number.NaN);
    elf.findText("OpenSSL ", /never/);
    elf.containsText("forged", ".gnu_debuglink");
    elf.goBuild();
  }
  assert.ok(reader.reads < 2_000 + bytes.length / 8, `${reader.reads} reads of ${bytes.length} bytes`);
  assert.ok(
    reader.bytesRead < 64 * bytes.length + (64 << 10),
    `${reader.bytesRead} bytes read of ${bytes.length}`,
  );
  const codes = elf !== null ? elf.problems.map(({ code }) => code) : [notElf.code];
  return { elf, codes, symbols: symbols.map(({ name }) => name) };
}

const all = ["SSL_write", "SSL_read", "static_write"];
const exported = ["SSL_write", "SSL_read"];
const dynamicTag = (elf: ForgedElf, tag: number): number => elf.dynamicValue(tag) - (elf.wide ? 8 : 4);

/** [what is broken, how, the problem it is (null: none, it is only absent), the functions still found]. */
type Case = [string, (elf: ForgedElf) => ForgedElf | Uint8Array, string | null, string[]];

const notElf: Case[] = [
  ["an empty file", () => Buffer.alloc(0), "empty-file", []],
  ["one byte", ({ bytes }) => bytes.subarray(0, 1), "not-elf", []],
  ["the magic alone", ({ bytes }) => bytes.subarray(0, 4), "unknown-class", []],
  ["a script", () => Buffer.from("#!/bin/sh\nexec true\n".repeat(9)), "not-elf", []],
  ["a header cut in its identification", ({ bytes }) => bytes.subarray(0, 12), "header-truncated", []],
  ["a header cut before its last field", ({ bytes }) => bytes.subarray(0, 51), "header-truncated", []],
  ["an unknown class", (elf) => patched(elf, 4, 3), "unknown-class", []],
  ["an unknown byte order", (elf) => patched(elf, 5, 0), "unknown-byte-order", []],
  ["zeros", () => Buffer.alloc(4096), "not-elf", []],
];

const header: Case[] = [
  ["the header alone", (elf) => elf.bytes.subarray(0, 64), "section-table-truncated", []],
  ["no tables at all", (elf) => elf.setHeader("phoff", 0).setHeader("shoff", 0), null, []],
  [
    "a section table past the end",
    (elf) => elf.setHeader("shoff", huge),
    "section-table-truncated",
    exported,
  ],
  [
    "a section table that is the header",
    (elf) => elf.setHeader("shoff", 1),
    "section-names-missing",
    exported,
  ],
  ["a section table that is cut", (elf) => elf.bytes.subarray(0, -70), "section-table-truncated", exported],
  ["too many sections", (elf) => elf.setHeader("shnum", 0xfeff), "section-table-truncated", all],
  ["section entries without a size", (elf) => elf.setHeader("shentsize", 0), "section-entry-size", exported],
  ["section entries that are small", (elf) => elf.setHeader("shentsize", 39), "section-entry-size", exported],
  [
    "section entries that are large",
    (elf) => elf.setHeader("shentsize", 0xffff),
    "section-table-truncated",
    exported,
  ],
  ["the names in no section", (elf) => elf.setHeader("shstrndx", 0xfffe), "section-names-missing", all],
  ["the names in section 0", (elf) => elf.setHeader("shstrndx", 0), "section-names-missing", all],
  ["the names in the code", (elf) => elf.setHeader("shstrndx", 10), "section-names-missing", all],
  [
    "an extended section count without end",
    (elf) => elf.setHeader("shnum", 0).setSection("", "size", huge),
    "section-count",
    all,
  ],
  ["an extended section count of 0", (elf) => elf.setHeader("shnum", 0), null, exported],
  [
    "extended names in no section",
    (elf) => elf.setHeader("shstrndx", 0xffff).setSection("", "link", huge),
    "section-names-missing",
    all,
  ],
  [
    "extended program headers without end",
    (elf) => elf.setHeader("phnum", 0xffff).setSection("", "info", huge),
    "program-header-count",
    all,
  ],
  [
    "program headers past the end",
    (elf) => elf.setHeader("phoff", huge),
    "program-header-table-truncated",
    [],
  ],
  ["program headers without a size", (elf) => elf.setHeader("phentsize", 0), "program-header-entry-size", []],
  ["too many program headers", (elf) => elf.setHeader("phnum", 0xfffe), "program-header-count", all],
  ["no program headers", (elf) => elf.setHeader("phnum", 0), "symbol-not-executable", []],
];

const sections: Case[] = [
  ["a section past the end", (elf) => elf.setSection(".rodata", "fileOffset", huge), "section-past-end", all],
  [
    "a section longer than the file",
    (elf) => elf.setSection(".rodata", "size", huge),
    "section-past-end",
    all,
  ],
  ["a section name past the names", (elf) => elf.setSection(".rodata", "name", huge), null, all],
  ["section names of no length", (elf) => elf.setSection(".shstrtab", "size", 0), null, all],
  [
    "section names past the end",
    (elf) => elf.setSection(".shstrtab", "fileOffset", huge),
    "section-past-end",
    all,
  ],
  ["section names without an end", (elf) => filled(elf, ".shstrtab", 0x41), null, all],
  [
    "a symbol table linked to itself",
    (elf) => elf.setSection(".symtab", "link", 15),
    "symbol-strings",
    exported,
  ],
  [
    "a symbol table linked to nothing",
    (elf) => elf.setSection(".symtab", "link", huge),
    "symbol-strings",
    exported,
  ],
  [
    "a symbol table past the end",
    (elf) => elf.setSection(".symtab", "fileOffset", huge),
    "section-past-end",
    exported,
  ],
  ["a symbol table of no size", (elf) => elf.setSection(".symtab", "size", 0), null, exported],
  ["a symbol table of half an entry", (elf) => elf.setSection(".symtab", "size", 12), null, exported],
  ["a symbol table without end", (elf) => elf.setSection(".symtab", "size", huge), "section-past-end", all],
  [
    "symbol names past the end",
    (elf) => elf.setSection(".strtab", "fileOffset", huge),
    "section-past-end",
    exported,
  ],
  ["symbol names of no size", (elf) => elf.setSection(".strtab", "size", 0), null, exported],
  ["symbol names without an end", (elf) => filled(elf, ".strtab", 0x41), null, exported],
  [
    "a symbol name past its names",
    (elf) => elf.set32(elf.part(".symtab").fileOffset + 24, huge),
    null,
    exported,
  ],
  [
    "a symbol at an absurd address",
    (elf) => elf.setWord(elf.part(".symtab").fileOffset + 32, 2 ** 53 - 1),
    "symbol-not-executable",
    exported,
  ],
  [
    "a debug link without an end",
    (elf) => filled(elf, ".gnu_debuglink", 0x41),
    "debug-link-unterminated",
    all,
  ],
  [
    "a debug link of no size",
    (elf) => elf.setSection(".gnu_debuglink", "size", 0),
    "debug-link-unterminated",
    all,
  ],
  [
    "Go build info that is cut",
    (elf) => elf.setSection(".go.buildinfo", "fileOffset", elf.bytes.length - 20),
    "section-past-end",
    all,
  ],
  [
    "Go build info of another kind",
    (elf) => patched(elf, elf.part(".go.buildinfo").fileOffset + 15, 0),
    null,
    all,
  ],
  [
    "a Go version without an end",
    (elf) => patched(elf, elf.part(".go.buildinfo").fileOffset + 32, 0xff),
    null,
    all,
  ],
];

const dynamic: Case[] = [
  [
    "a dynamic section past the end",
    (elf) => elf.setSegment("dynamic", "fileOffset", huge),
    "dynamic-unterminated",
    all,
  ],
  ["a dynamic section longer than the file", (elf) => elf.setSegment("dynamic", "fileSize", huge), null, all],
  ["a dynamic section of no size", (elf) => elf.setSegment("dynamic", "fileSize", 0), null, all],
  [
    "a dynamic section without an end",
    (elf) => elf.setSegment("dynamic", "fileSize", 48),
    "dynamic-unterminated",
    all,
  ],
  [
    "dynamic strings at no address",
    (elf) => elf.setWord(elf.dynamicValue(dt.strtab), huge),
    "dynamic-address",
    all,
  ],
  [
    "dynamic strings at an address of 2^53",
    (elf) => elf.setWord(elf.dynamicValue(dt.strtab), 2 ** 53 - 1),
    "dynamic-address",
    all,
  ],
  ["dynamic strings of no size", (elf) => elf.setWord(elf.dynamicValue(dt.strsz), 0), "dynamic-string", all],
  [
    "a library name past its strings",
    (elf) => elf.setWord(elf.dynamicValue(dt.soname), huge),
    "dynamic-string",
    all,
  ],
  [
    "dynamic symbols at no address",
    (elf) => elf.setWord(elf.dynamicValue(dt.symtab), huge),
    "dynamic-address",
    all,
  ],
  [
    "a hash table at no address",
    (elf) => elf.setWord(elf.dynamicValue(dt.gnuHash), huge),
    "dynamic-address",
    all,
  ],
  [
    "a hash table without buckets",
    (elf) => elf.set32(elf.part(".gnu.hash").fileOffset, 0),
    "gnu-hash-broken",
    all,
  ],
  [
    "a hash table with too many buckets",
    (elf) => elf.set32(elf.part(".gnu.hash").fileOffset, huge),
    "gnu-hash-broken",
    all,
  ],
  [
    "a hash table with too large a filter",
    (elf) => elf.set32(elf.part(".gnu.hash").fileOffset + 8, 0xffff_ffff),
    "gnu-hash-broken",
    all,
  ],
  [
    "a bucket past the end",
    (elf) => elf.set32(elf.part(".gnu.hash").fileOffset + 24, 0xffff_fffe),
    "gnu-hash-chain",
    ["static_write"],
  ],
  [
    "a bucket before the first symbol",
    (elf) => elf.set32(elf.part(".gnu.hash").fileOffset + 24, 1),
    null,
    ["static_write"],
  ],
  ["a hash chain without an end", endlessChain, "gnu-hash-chain", ["static_write"]],
  [
    "a symbol count without end",
    (elf) =>
      elf
        .setHeader("shoff", 0)
        .setWord(dynamicTag(elf, dt.gnuHash), 0x7000_0000)
        .set32(elf.part(".hash").fileOffset + 4, 0xffff_ffff),
    null,
    exported,
  ],
  [
    "version numbers past the end",
    (elf) => elf.setWord(elf.dynamicValue(dt.versym), huge),
    "dynamic-address",
    all,
  ],
  [
    "a version that nobody defines",
    (elf) => elf.set16(elf.part(".gnu.version").fileOffset + 4, 0x7fff),
    null,
    all,
  ],
  [
    "versions whose next is far away",
    (elf) => elf.set32(elf.part(".gnu.version_d").fileOffset + 16, huge),
    "version-definitions",
    all,
  ],
  [
    "versions whose names are far away",
    (elf) => elf.set32(elf.part(".gnu.version_d").fileOffset + 12, huge),
    "version-definitions",
    all,
  ],
  [
    "versions that are everywhere the same",
    (elf) => elf.setWord(elf.dynamicValue(dtVerdef), baseAddress).set32(16, 1),
    "version-definitions",
    all,
  ],
];

const segments: Case[] = [
  [
    "a note longer than its place",
    (elf) => elf.set32(elf.part(".note.gnu.build-id").fileOffset + 4, huge),
    "note-past-end",
    all,
  ],
  [
    "a note name longer than its place",
    (elf) => elf.set32(elf.part(".note.gnu.build-id").fileOffset, 0xffff_ffff),
    "note-past-end",
    all,
  ],
  [
    "a build id of no size",
    (elf) => elf.set32(elf.part(".note.gnu.build-id").fileOffset + 24, 0),
    "build-id-size",
    all,
  ],
  ["notes past the end", (elf) => elf.setSegment("note", "fileOffset", huge), null, all],
  [
    "notes of the whole file",
    (elf) => elf.setSegment("note", "fileOffset", 0).setSegment("note", "fileSize", huge),
    "note-past-end",
    all,
  ],
  [
    "an interpreter without an end",
    (elf) => elf.setSegment("interp", "fileSize", 5),
    "interpreter-unterminated",
    all,
  ],
  [
    "an interpreter past the end",
    (elf) => elf.setSegment("interp", "fileOffset", huge),
    "interpreter-unterminated",
    all,
  ],
  ["a segment at 2^53", (elf) => elf.setSegment("load", "address", 2 ** 53 - 1), "segment-out-of-range", []],
  ["a segment of no size", (elf) => elf.setSegment("load", "fileSize", 0), "dynamic-address", []],
  ["a segment past the end", (elf) => elf.setSegment("load", "fileOffset", huge), "dynamic-address", []],
];

function patched({ bytes }: ForgedElf, at: number, value: number): Uint8Array {
  bytes[at] = value;
  return bytes;
}

function filled(
  { bytes, part }: ForgedElf,
  name: Parameters<ForgedElf["part"]>[0],
  value: number,
): Uint8Array {
  const { fileOffset, size } = part(name);
  return bytes.fill(value, fileOffset, fileOffset + size);
}

/** The file with something behind it that is loaded too; `connect` is given its file offset. */
function extended(elf: ForgedElf, more: Uint8Array, connect: (fileOffset: number) => ForgedElf): Uint8Array {
  const fileOffset = elf.bytes.length;
  elf.setSegment("load", "fileSize", fileOffset + more.length);
  return Buffer.concat([connect(fileOffset).bytes, more]);
}

const littleEndian32 = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);

function endlessChain(elf: ForgedElf): Uint8Array {
  const table = Buffer.concat([littleEndian32(1, 2, 0, 6, 2), Buffer.alloc(8192)]);
  return extended(elf, table, (at) => elf.setWord(elf.dynamicValue(dt.gnuHash), baseAddress + at));
}

for (const [title, cases] of Object.entries({ notElf, header, sections, dynamic, segments })) {
  void describe(`elf: broken ${title}`, () => {
    for (const [what, breakIt, code, found] of cases) {
      void it(`${what}: ${code ?? "no problem"}, and the rest is given`, () => {
        const broken = breakIt(forgeElf());
        const { codes, symbols } = askEverything("bytes" in broken ? broken.bytes : broken);
        assert.deepStrictEqual(
          { code: codes.find((known) => known === code) ?? codes[0] ?? null, symbols },
          { code, symbols: found },
        );
      });
    }
  });
}

void describe("elf: more than a sound file has", () => {
  /** A symbol or name that occurs far too often, in a file that is otherwise sound. */
  const repeated = (count: number, of: Uint8Array): Buffer =>
    Buffer.concat(Array.from({ length: count }, () => of));
  const dynamicEntry = (tag: number, value: number): Buffer => littleEndian32(tag, 0, value, 0);
  const excesses: [string, (elf: ForgedElf) => Uint8Array, string][] = [
    [
      "needed libraries",
      (elf) =>
        extended(elf, Buffer.concat([repeated(1500, dynamicEntry(1, 1)), dynamicEntry(0, 0)]), (at) =>
          elf.setSegment("dynamic", "fileOffset", at).setSegment("dynamic", "fileSize", huge),
        ),
      "needed-count",
    ],
    [
      "dynamic entries",
      (elf) =>
        extended(elf, repeated(9000, dynamicEntry(0x7000_0000, 1)), (at) =>
          elf.setSegment("dynamic", "fileOffset", at).setSegment("dynamic", "fileSize", huge),
        ),
      "dynamic-unterminated",
    ],
    [
      "places of a wanted name",
      (elf) => {
        const names = repeated(5000, Buffer.from("static_write\0"));
        return extended(elf, names, (at) =>
          elf.setSection(".strtab", "fileOffset", at).setSection(".strtab", "size", names.length),
        );
      },
      "symbol-names",
    ],
    [
      "symbols of a wanted name",
      (elf) => {
        const { fileOffset } = elf.part(".symtab");
        const symbols = repeated(5000, Uint8Array.from(elf.bytes.subarray(fileOffset + 24, fileOffset + 48)));
        return extended(elf, symbols, (at) =>
          elf.setSection(".symtab", "fileOffset", at).setSection(".symtab", "size", symbols.length),
        );
      },
      "symbol-matches",
    ],
    [
      "places of a text",
      (elf) => {
        const text = repeated(30_000, Buffer.from("OpenSSL \0"));
        return extended(elf, text, (at) =>
          elf.setSection(".rodata", "fileOffset", at).setSection(".rodata", "size", text.length),
        );
      },
      "text-matches",
    ],
    [
      "notes in as many segments as there may be, each the rest of the file",
      (elf) => {
        const { fileOffset, entrySize } = elf.programTable;
        const note = elf
          .setSegment("note", "fileSize", huge)
          .bytes.subarray(fileOffset + 2 * entrySize, fileOffset + 3 * entrySize);
        elf.set32(elf.part(".note.gnu.build-id").fileOffset + 28, 4);
        return extended(elf, repeated(4096, Uint8Array.from(note)), (at) =>
          elf.setHeader("phoff", at).setHeader("phnum", 4096),
        );
      },
      "note-past-end",
    ],
    [
      "sections, all past the end",
      (elf) => {
        const entries = Array.from({ length: 70_000 }, (_, i) => {
          const { fileOffset } = elf.sectionTable;
          const entry = Buffer.from(elf.bytes.subarray(fileOffset + 64, fileOffset + 128));
          entry.writeUInt32LE(i % 20, 0);
          entry.writeUInt32LE(huge, 24);
          return entry;
        });
        elf.bytes.copy(entries[17] ?? Buffer.alloc(0), 0, elf.sectionTable.fileOffset + 17 * 64);
        elf.bytes.copy(entries[0] ?? Buffer.alloc(0), 0, elf.sectionTable.fileOffset);
        entries[0]?.writeUInt32LE(70_000, 32);
        return extended(elf, Buffer.concat(entries), (at) =>
          elf.setHeader("shoff", at).setHeader("shnum", 0),
        );
      },
      "section-past-end",
    ],
  ];
  for (const [what, exceed, code] of excesses) {
    void it(`${what}: ${code}, and the work is bounded`, () => {
      const { codes } = askEverything(exceed(forgeElf()));
      assert.ok(codes.includes(code), `problems: ${codes.join(", ")}`);
    });
  }

  void it("lists only the first problems, and says that there are more", () => {
    const elf = forgeElf();
    const names = Array.from({ length: 200 }, (_, i) => Buffer.from(`.part${i}\0`));
    const starts = names.map((_, i) => names.slice(0, i).reduce((sum, { length }) => sum + length, 0));
    const nameBytes = Buffer.concat(names);
    const entry = (name: number, type: number, fileOffset: number, size: number): Buffer =>
      littleEndian32(name, type, 0, 0, 0, 0, fileOffset, 0, size, 0, 0, 0, 0, 0, 0, 0);
    const table = Buffer.concat([
      entry(0, 3, elf.bytes.length, nameBytes.length),
      ...starts.map((at) => entry(at, 1, huge, 1)),
    ]);
    const bytes = extended(elf, Buffer.concat([nameBytes, table]), (at) =>
      elf
        .setHeader("shoff", at + nameBytes.length)
        .setHeader("shnum", 201)
        .setHeader("shstrndx", 0),
    );
    const { codes } = askEverything(bytes);
    assert.equal(codes.length, 65);
    assert.equal(codes.at(-1), "more-problems");
  });
});

void describe("elf: random damage", () => {
  /** Bytes at random places of the header and the tables, which steer all the rest. */
  const damage = (length: number) =>
    fc.array(fc.tuple(fc.nat(length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 12 });
  const damaged = (
    sound: Uint8Array,
    flips: [number, number][],
    place: (at: number) => number,
  ): Uint8Array => {
    const bytes = Uint8Array.from(sound);
    for (const [at, value] of flips) bytes[place(at)] = value;
    return bytes;
  };

  for (const wide of [true, false]) {
    for (const littleEndian of [true, false]) {
      void it(`in any place of a ${wide ? 64 : 32}-bit ${littleEndian ? "little" : "big"}-endian file`, () => {
        const { bytes } = forgeElf({ wide, littleEndian });
        fc.assert(
          fc.property(damage(bytes.length), (flips) => void askEverything(damaged(bytes, flips, (at) => at))),
          { numRuns: 300 },
        );
      });
    }
  }

  void it("in the header and the tables of a real program, cut anywhere", () => {
    const real = readFileSync("/bin/true");
    const sectionTable = Number(real.readBigUInt64LE(40));
    const headers = 64 + 13 * 56;
    const place = (at: number): number => (at < headers ? at : sectionTable + at - headers);
    const cut = fc.oneof(fc.constant(real.length), fc.nat(real.length));
    fc.assert(
      fc.property(damage(headers + real.length - sectionTable), cut, (flips, length) => {
        askEverything(damaged(real, flips, place).subarray(0, length));
      }),
      { numRuns: 300 },
    );
  });
});
