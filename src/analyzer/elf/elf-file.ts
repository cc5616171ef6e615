// One ELF file as facts: what it is, what it needs, where its functions are. Which of those functions matter is for
// stacks/ to say. Nothing here throws: a broken structure becomes a problem and the rest is still given.
import type { ByteReader } from "../bytes.ts";
import type { ElfProblem } from "./problems.ts";

export type { ElfProblem } from "./problems.ts";

/** An entry of the section table, as the table states it: its range may lie past the end of the file. */
export interface ElfSection {
  name: string;
  type: SectionType;
  address: bigint;
  fileOffset: number;
  /** Bytes; a `nobits` section has none of them in the file. */
  size: number;
  link: number;
  info: number;
}

export type SectionType =
  | "null"
  | "progbits"
  | "symtab"
  | "strtab"
  | "note"
  | "nobits"
  | "dynamic"
  | "dynsym"
  | "gnu-hash"
  | "gnu-verdef"
  | "gnu-versym"
  | "other";

/** An entry of the program header table. */
export interface ElfSegment {
  type: "load" | "dynamic" | "interp" | "note" | "other";
  address: bigint;
  fileOffset: number;
  /** Bytes in the file; in memory the segment may be larger. */
  fileSize: number;
  executable: boolean;
  writable: boolean;
}

/** A function that the file itself defines, in a segment that is mapped executable. */
export interface ElfSymbol {
  name: string;
  /** Version node such as `OPENSSL_3.0.0`, or null where the symbol has none. */
  version: string | null;
  /** Virtual address, before relocation. */
  address: bigint;
  /** Where a probe goes: the offset in the file, not the virtual address. */
  fileOffset: number;
  /** Bytes, 0 when the table does not say. */
  size: number;
  table: "dynsym" | "symtab";
}

/** What a Go program says about itself. */
export interface GoBuild {
  /** Such as `go1.24.1`, or null when .go.buildinfo is missing or unreadable. */
  version: string | null;
  /** Where .gopclntab is, or null when it was not found. */
  pclntab: { fileOffset: number; size: number } | null;
}

export interface ElfFile {
  readonly class: 32 | 64;
  readonly byteOrder: "little" | "big";
  readonly machine: "x86_64" | "aarch64" | "other";
  /** `executable` also for PIE and static PIE; `shared` also for libraries that can be run, such as libc. */
  readonly kind: "executable" | "shared" | "other";
  readonly sections: readonly ElfSection[];
  readonly segments: readonly ElfSegment[];
  /** The dynamic linker's path. */
  readonly interpreter: string | null;
  readonly soname: string | null;
  /** DT_NEEDED in file order. */
  readonly needed: readonly string[];
  /** GNU build id in lower-case hex. */
  readonly buildId: string | null;
  /** The file name in .gnu_debuglink. */
  readonly debugLink: string | null;
  /** Says only that the table exists: a .symtab may hold none of the names that matter. */
  readonly hasDynsym: boolean;
  readonly hasSymtab: boolean;
  /** Grows when one of the questions below meets a broken structure. */
  readonly problems: readonly ElfProblem[];

  /**
   * Functions (STT_FUNC, any binding) of these names that the file defines, from .dynsym first, then .symtab; a
   * function in both is given once, as `dynsym`. Undefined symbols, data and IFUNC resolvers are left out. Costs one
   * pass over .symtab: ask for all names at once.
   */
  definedSymbols(names: ReadonlySet<string>): ElfSymbol[];
  /** Where the byte at a virtual address is in the file, by the loaded segments; null when it is not in the file. */
  fileOffsetOf(address: bigint): number | null;
  /** Up to `length` bytes (at most 1 MiB) from a file offset; shorter at the end of the file. */
  bytesAt(fileOffset: number, length: number): Uint8Array;
  /** What the Go linker left, stripped or not; null when this is no Go program. */
  goBuild(): GoBuild | null;
  /**
   * The first text (up to 256 printable ASCII characters) that begins with `start` and matches `pattern`, in one
   * section, or without `section` in .rodata (in a file without one: in all that is loaded); null when there is none.
   * `findText("OpenSSL ", /^OpenSSL \d+\.\d+\.\d+/)` gives `OpenSSL 3.0.19 27 Jan 2026`. Reads the section in chunks.
   */
  findText(start: string, pattern?: RegExp, section?: string): string | null;
  /** Whether these bytes occur; where it looks is as for {@link findText}. */
  containsText(text: string, section?: string): boolean;
}

/** Exactly one of the two is there. */
export type ElfReading = { elf: ElfFile; notElf: null } | { elf: null; notElf: ElfProblem };

/** Reads the tables of an ELF file (a few KiB); symbols, text and Go tables are read when asked for. Never throws. */
export function readElf(reader: ByteReader): ElfReading {
  return { elf: null, notElf: { code: "not-elf", text: `none of the ${reader.size} bytes is read yet` } };
}
