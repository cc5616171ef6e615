// Files broken on purpose in one place each: the problem is named, and the rest of the file is still given.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { askEverything } from "./ask-everything.ts";
import { baseAddress, extended, forgeElf, type ForgedElf } from "./forged-elf.ts";

const huge = 0x7fff_fff0;
const dt = { hash: 4, strtab: 5, symtab: 6, strsz: 10, soname: 14, gnuHash: 0x6ffffef5, versym: 0x6ffffff0 };
const dtVerdef = 0x6ffffffc;

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
    "section-entry-size",
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
