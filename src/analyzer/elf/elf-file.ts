// One ELF file as facts: what it is, what it needs, where its functions are. Which of those functions matter is for
// stacks/ to say. Nothing here throws: a broken structure becomes a problem and the rest is still given.
import type { ByteReader } from "../bytes.ts";
import { AddressMap } from "./address-map.ts";
import { readDebugSymbols, type DebugLink, type DebugSymbols } from "./debug-file.ts";
import { readDynamic, type Dynamic } from "./dynamic.ts";
import { readGoBuild, type GoBuild } from "./go-build.ts";
import { readGoFunctions, type GoFunction } from "./go-functions.ts";
import { readBuildId, readDebugLink, readInterpreter } from "./notes.ts";
import { ProblemList, type ElfProblem } from "./problems.ts";
import { Symbols, type ElfSymbol } from "./symbols.ts";
import type { ElfSection, ElfSegment } from "./table-entries.ts";
import { readTables, type Tables } from "./tables.ts";
import { findText, firstOccurrence, textRanges } from "./text-search.ts";

export type { DebugLink } from "./debug-file.ts";
export type { GoBuild } from "./go-build.ts";
export type { GoFunction } from "./go-functions.ts";
export type { ElfProblem } from "./problems.ts";
export type { ElfSymbol } from "./symbols.ts";
export type { ElfSection, ElfSegment, SectionType } from "./table-entries.ts";

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
  /** What .gnu_debuglink says of the separate debug file. */
  readonly debugLink: DebugLink | null;
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
  /** The same by the .symtab of a separate debug file, which is refused unless it is this file's. */
  debugSymbols(debug: ByteReader, names: ReadonlySet<string>): DebugSymbols;
  /** Where the byte at a virtual address is in the file, by the loaded segments; null when it is not in the file. */
  fileOffsetOf(address: bigint): number | null;
  /** A copy of up to `length` bytes (at most 1 MiB) from a file offset; shorter at the end of the file. */
  bytesAt(fileOffset: number, length: number): Uint8Array;
  /** What the Go linker left, stripped or not; null when this is no Go program. */
  goBuild(): GoBuild | null;
  /**
   * Go functions of these names, such as `crypto/tls.(*Conn).Read`, from .gopclntab (since Go 1.16). What is not
   * certain is left out, and `problems` say why. Costs one pass over the table: ask for all names at once.
   */
  goFunctions(names: ReadonlySet<string>): GoFunction[];
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

const mostBytes = 1 << 20;

/** Reads the tables of an ELF file (a few KiB); symbols, text and Go tables are read when asked for. Never throws. */
export function readElf(reader: ByteReader): ElfReading {
  const problems = new ProblemList();
  const { tables, notElf } = readTables(reader, problems);
  if (tables === null) return { elf: null, notElf };

  const { bytes, segments, sections } = tables;
  const addresses = new AddressMap(segments, bytes.size);
  const dynamic = readDynamic(tables, addresses, problems);
  const symbols = new Symbols(tables, dynamic, addresses, problems);
  const interpreter = readInterpreter(tables, problems);
  const buildId = readBuildId(tables, problems);
  const debugLink = readDebugLink(tables, problems);
  let goBuild: GoBuild | null | undefined;
  const readBuild = () => (goBuild === undefined ? (goBuild = readGoBuild(tables, addresses)) : goBuild);
  const elf: ElfFile = {
    class: bytes.layout.wide ? 64 : 32,
    byteOrder: bytes.layout.littleEndian ? "little" : "big",
    machine: tables.machine,
    kind: kindOf(tables, dynamic, interpreter),
    sections,
    segments,
    interpreter,
    soname: dynamic?.soname ?? null,
    needed: dynamic?.needed ?? [],
    buildId,
    debugLink,
    hasDynsym: symbols.dynsym !== null,
    hasSymtab: symbols.symtab !== null,
    problems: problems.list,
    definedSymbols: (names) => symbols.defined(names),
    debugSymbols: (debug, names) => readDebugSymbols({ tables, addresses, buildId, debugLink }, debug, names),
    fileOffsetOf: (address) => addresses.fileOffsetOf(address),
    bytesAt: (fileOffset, length) => new Uint8Array(bytes.read(fileOffset, Math.min(length, mostBytes))),
    goBuild: readBuild,
    goFunctions: (names) => {
      const pclntab = readBuild()?.pclntab ?? null;
      return pclntab === null ? [] : readGoFunctions(tables, addresses, pclntab, names, problems);
    },
    findText: (start, pattern = /^/, section?: string) =>
      findText(bytes, textRanges(tables, section), start, pattern, problems),
    containsText: (text, section) =>
      firstOccurrence(bytes, textRanges(tables, section), Buffer.from(text)) !== null,
  };
  return { elf, notElf: null };
}

/** A PIE has the type of a library: it is told by its flag, or (older linkers) by asking for a linker without a name. */
function kindOf({ type }: Tables, dynamic: Dynamic | null, interpreter: string | null): ElfFile["kind"] {
  if (type === "exec") return "executable";
  if (type === "other") return "other";
  const namedLibrary = (dynamic?.soname ?? null) !== null;
  return dynamic?.pie === true || (interpreter !== null && !namedLibrary) ? "executable" : "shared";
}
