// Asks every question of a file that may be broken, through a reader that fails on a read out of range and counts what
// is read, so that "finishes" is a bound on the work and not on a clock.
import assert from "node:assert/strict";
import { readElf, type ElfFile } from "../../../src/analyzer/elf/elf-file.ts";
import { watchedReader } from "./watched-reader.ts";

const names = new Set(["SSL_write", "SSL_read", "static_write"]);
export interface Outcome {
  elf: ElfFile | null;
  /** Codes of all problems, or of the one that says that the file is no ELF. */
  codes: string[];
  symbols: string[];
}

/** Asks everything, and checks that the work is bounded by the size of the file. */
export function askEverything(bytes: Uint8Array): Outcome {
  const reader = watchedReader(bytes);
  const { elf, notElf } = readElf(reader);
  const symbols = elf?.definedSymbols(names) ?? [];
  if (elf !== null) {
    for (const { fileOffset } of symbols) assert.ok(fileOffset >= 0 && fileOffset < bytes.length);
    for (const { address } of [...elf.segments, ...elf.sections]) {
      const offset = elf.fileOffsetOf(address);
      assert.ok(offset === null || (offset >= 0 && offset < bytes.length));
    }
    elf.bytesAt(bytes.length - 1, 2 ** 40);
    elf.bytesAt(Number.NaN, Number.NaN);
    elf.findText("OpenSSL ", /never/);
    elf.containsText("forged", ".gnu_debuglink");
    elf.goBuild();
    const separate = elf.debugSymbols(watchedReader(bytes), names);
    for (const { fileOffset } of separate.symbols ?? [])
      assert.ok(fileOffset >= 0 && fileOffset < bytes.length);
  }
  assert.ok(reader.reads < 2_000 + bytes.length / 8, `${reader.reads} reads of ${bytes.length} bytes`);
  assert.ok(
    reader.bytesRead < 64 * bytes.length + (64 << 10),
    `${reader.bytesRead} bytes read of ${bytes.length}`,
  );
  const codes = elf !== null ? elf.problems.map(({ code }) => code) : [notElf.code];
  return { elf, codes, symbols: symbols.map(({ name }) => name) };
}
