// Files with more of something than a sound file has: what is beyond a limit is left out, and a problem says so.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readElf } from "../../../src/analyzer/elf/elf-file.ts";
import { askEverything } from "./ask-everything.ts";
import { extended, forgeElf, type ForgedElf } from "./forged-elf.ts";

const huge = 0x7fff_fff0;
const littleEndian32 = (...values: number[]): Buffer => Buffer.from(Uint32Array.from(values).buffer);

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

  void it("strings and text in a sparse file of 64 GiB: the search ends early, and says so", () => {
    const elf = forgeElf();
    const size = 64 * 2 ** 30;
    for (const name of [".strtab", ".rodata"] as const) {
      elf.setSection(name, "fileOffset", elf.bytes.length).setSection(name, "size", size);
    }
    const zeros = new Uint8Array(1 << 20);
    let bytesRead = 0;
    const sparse = readElf({
      size,
      read: (offset, length) => {
        bytesRead += length;
        assert.ok(length <= zeros.length);
        if (offset >= elf.bytes.length) return zeros.subarray(0, length);
        return Buffer.concat([elf.bytes.subarray(offset), zeros]).subarray(0, length);
      },
    });
    assert.deepStrictEqual(sparse.elf?.definedSymbols(new Set(["static_write"])), []);
    assert.equal(sparse.elf.containsText("OpenSSL"), false);
    assert.ok(bytesRead < 1.1 * 2 ** 30, `${bytesRead} bytes read`);
    const codes = sparse.elf.problems.map(({ code }) => code);
    assert.ok(codes.includes("symbol-strings-count") && codes.includes("scan-cut"), codes.join(", "));
  });
});
