// What readElf says of a sound file, in each class and byte order, with and without a section table.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesReader } from "../../../src/analyzer/bytes.ts";
import { readElf, type ElfFile } from "../../../src/analyzer/elf/elf-file.ts";
import { baseAddress, forgeElf, functionSize, type ForgedElf } from "./forged-elf.ts";

function sound(bytes: Uint8Array): ElfFile {
  const { elf, notElf } = readElf(bytesReader(bytes));
  assert.ok(elf, notElf?.text);
  return elf;
}

const names = new Set([
  "SSL_write",
  "SSL_read",
  "SSL_imported",
  "SSL_table",
  "SSL_resolver",
  "static_write",
  "main",
]);

/** What definedSymbols gives for a function at this place of .text. */
function symbolAt(
  forged: ForgedElf,
  name: string,
  index: number,
  table: "dynsym" | "symtab",
  version: string | null,
) {
  const fileOffset = forged.part(".text").fileOffset + index * functionSize;
  return { name, version, address: BigInt(baseAddress + fileOffset), fileOffset, size: functionSize, table };
}

const exported = (forged: ForgedElf) => [
  symbolAt(forged, "SSL_write", 1, "dynsym", "FORGED_1.0"),
  symbolAt(forged, "SSL_read", 4, "dynsym", "FORGED_1.0"),
];
const hidden = (forged: ForgedElf) => [
  symbolAt(forged, "static_write", 6, "symtab", null),
  symbolAt(forged, "main", 7, "symtab", null),
];

const layouts = [
  { wide: true, littleEndian: true },
  { wide: true, littleEndian: false },
  { wide: false, littleEndian: true },
  { wide: false, littleEndian: false },
];

for (const layout of layouts) {
  const title = `${layout.wide ? 64 : 32}-bit, ${layout.littleEndian ? "little" : "big"}-endian`;
  void describe(`elf: ${title}`, () => {
    const forged = forgeElf(layout);
    const elf = sound(forged.bytes);

    void it("gives the facts of the header, the dynamic section and the notes", () => {
      const { class: bits, byteOrder, machine, kind, interpreter, soname, needed, buildId, debugLink } = elf;
      assert.deepStrictEqual(
        {
          bits,
          byteOrder,
          machine,
          kind,
          interpreter,
          soname,
          needed,
          buildId,
          debugLink,
          problems: elf.problems,
        },
        {
          bits: layout.wide ? 64 : 32,
          byteOrder: layout.littleEndian ? "little" : "big",
          machine: "x86_64",
          kind: "shared",
          interpreter: "/lib/ld-forged.so.1",
          soname: "libforged.so.2",
          needed: ["libneeded.so.1"],
          buildId: "0123456789",
          debugLink: { name: "forged.debug", crc32: 0 },
          problems: [],
        },
      );
    });

    void it("finds defined functions only, with version and file offset", () => {
      assert.deepStrictEqual(elf.definedSymbols(names), [...exported(forged), ...hidden(forged)]);
    });

    void it("finds the same functions without a GNU hash table, by a scan", () => {
      const bytes = forgeElf(layout).setWord(
        forged.dynamicValue(0x6ffffef5) - (layout.wide ? 8 : 4),
        0x7000_0000,
      ).bytes;
      assert.deepStrictEqual(sound(bytes).definedSymbols(names), [...exported(forged), ...hidden(forged)]);
    });

    void it("finds the exported functions without a section table, by the program headers", () => {
      const stripped = sound(forgeElf(layout).setHeader("shoff", 0).setHeader("shnum", 0).bytes);
      assert.deepStrictEqual(stripped.definedSymbols(names), exported(forged));
      assert.deepStrictEqual(
        {
          buildId: stripped.buildId,
          needed: stripped.needed,
          hasDynsym: stripped.hasDynsym,
          hasSymtab: stripped.hasSymtab,
        },
        { buildId: "0123456789", needed: ["libneeded.so.1"], hasDynsym: true, hasSymtab: false },
      );
    });

    void it("finds them without section table and GNU hash table, by the count in DT_HASH", () => {
      const bytes = forgeElf(layout)
        .setHeader("shoff", 0)
        .setWord(forged.dynamicValue(0x6ffffef5) - (layout.wide ? 8 : 4), 0x7000_0000).bytes;
      assert.deepStrictEqual(sound(bytes).definedSymbols(names), exported(forged));
    });

    void it("reads what Go leaves, by section name and by magic", () => {
      const pclntab = forged.part(".gopclntab");
      assert.deepStrictEqual(elf.goBuild(), { version: "go1.99.1", pclntab });
      const found = sound(forgeElf(layout).setHeader("shoff", 0).bytes).goBuild();
      assert.equal(found?.version, "go1.99.1");
      assert.equal(found.pclntab?.fileOffset, pclntab.fileOffset);
    });

    void it("follows extended numbering: counts and the names' index in section 0", () => {
      const names = Object.keys(elf.sections);
      const extended = forgeElf(layout)
        .setHeader("shnum", 0)
        .setHeader("shstrndx", 0xffff)
        .setHeader("phnum", 0xffff);
      extended
        .setSection("", "size", names.length)
        .setSection("", "link", names.length - 1)
        .setSection("", "info", 4);
      const read = sound(extended.bytes);
      assert.deepStrictEqual(read.problems, []);
      assert.deepStrictEqual(
        read.sections.slice(1).map(({ name }) => name),
        elf.sections.slice(1).map(({ name }) => name),
      );
      assert.deepStrictEqual(read.segments, elf.segments);
    });
  });
}

void describe("elf: one file", () => {
  void it("gives the file offset of an address, and null outside of the file", () => {
    const elf = sound(forgeElf().bytes);
    const size = forgeElf().bytes.length;
    assert.deepStrictEqual(
      [0, 7, size - 1, size, -1].map((at) => elf.fileOffsetOf(BigInt(baseAddress + at))),
      [0, 7, size - 1, null, null],
    );
    assert.equal(elf.fileOffsetOf(2n ** 64n - 1n), null);
  });

  void it("gives bytes, fewer at the end", () => {
    const { bytes } = forgeElf();
    const elf = sound(bytes);
    assert.deepStrictEqual(Buffer.from(elf.bytesAt(0, 4)).toString("latin1"), "\x7fELF");
    assert.equal(elf.bytesAt(bytes.length - 3, 16).length, 3);
    assert.equal(elf.bytesAt(bytes.length, 16).length, 0);
    assert.equal(elf.bytesAt(-1, 16).length, 0);
  });

  void it("finds the first text that matches, in .rodata unless a section is named", () => {
    const elf = sound(forgeElf().bytes);
    assert.equal(elf.findText("OpenSSL "), "OpenSSL engine");
    assert.equal(elf.findText("OpenSSL ", /^OpenSSL \d+\.\d+/), "OpenSSL 3.1.4 forged");
    assert.equal(elf.findText("OpenSSL ", /^OpenSSL 1\./), null);
    assert.equal(elf.findText("forged.debug"), null);
    assert.equal(elf.findText("forged.debug", undefined, ".gnu_debuglink"), "forged.debug");
    assert.equal(elf.containsText("OpenSSL engine\0OpenSSL 3"), true);
    assert.equal(elf.containsText("OpenSSL 4"), false);
    assert.equal(elf.containsText(""), false);
    assert.equal(elf.containsText("OpenSSL", ".none"), false);
  });

  void it("searches all that is loaded when there is no .rodata", () => {
    const elf = sound(forgeElf().setHeader("shoff", 0).bytes);
    assert.equal(elf.findText("OpenSSL ", /\d/), "OpenSSL 3.1.4 forged");
  });

  void it("finds text across the border of two pieces", () => {
    const { bytes, part, setSection } = forgeElf();
    setSection(".rodata", "size", 4 << 20);
    for (const border of [384 << 10, 768 << 10, 1 << 20]) {
      for (let shift = 0; shift <= 20; shift++) {
        const long = Buffer.concat([bytes, Buffer.alloc(2 << 20)]);
        long.write("needle in the hay", part(".rodata").fileOffset + border - shift);
        const elf = sound(long);
        assert.equal(elf.findText("needle"), "needle in the hay", `shift ${shift}`);
      }
    }
  });

  void it("asks once for each name, however odd the names are", () => {
    const elf = sound(forgeElf().bytes);
    assert.deepStrictEqual(elf.definedSymbols(new Set()), []);
    assert.deepStrictEqual(elf.definedSymbols(new Set(["", "a\0b", "é", "SSL_writ", "SL_write"])), []);
  });

  void it("tells a PIE by its flag, a library by its name", () => {
    const soname = 14;
    const word = 8;
    const flags1 = 0x6ffffffb;
    const pie = forgeElf();
    const at = pie.dynamicValue(soname);
    assert.equal(sound(pie.setWord(at - word, flags1).setWord(at, 0x0800_0001).bytes).kind, "executable");
    const unnamed = forgeElf();
    assert.equal(sound(unnamed.setWord(at - word, 0x7000_0000).bytes).kind, "executable");
    assert.equal(sound(unnamed.setSegment("interp", "type", 0).bytes).kind, "shared");
    assert.equal(sound(forgeElf().setHeader("type", 2).bytes).kind, "executable");
    assert.equal(sound(forgeElf().setHeader("type", 4).bytes).kind, "other");
  });

  void it("does not give a function whose address is in no executable segment", () => {
    const elf = sound(forgeElf().setSegment("load", "flags", 6).bytes);
    assert.deepStrictEqual(elf.definedSymbols(new Set(["SSL_write"])), []);
    assert.deepStrictEqual(elf.problems, [
      { code: "symbol-not-executable", text: "SSL_write in .dynsym is in no executable part of the file" },
    ]);
  });
});
