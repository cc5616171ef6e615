// Segments and sections as the rest of the room sees them, made from elfy's entries. Where the entries come from, and
// that elfy never sees more than their table, is for tables.ts.
import type { ElfyProgram, ElfySection } from "elfy";
import { textAt, type FileBytes } from "./file-bytes.ts";
import type { ProblemList } from "./problems.ts";

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

/** elfy's names; it gives the GNU types those that Solaris has for the same numbers. */
const sectionTypes: Record<string, SectionType> = {
  null: "null",
  progbits: "progbits",
  symtab: "symtab",
  strtab: "strtab",
  note: "note",
  nobits: "nobits",
  dynamic: "dynamic",
  dynsym: "dynsym",
  gnu_hash: "gnu-hash",
  sunw_verdef: "gnu-verdef",
  hios: "gnu-versym",
};

const segmentTypes: Record<string, ElfSegment["type"]> = {
  load: "load",
  dynamic: "dynamic",
  interp: "interp",
  note: "note",
};

const longestSectionName = 256;
const mostNameBytes = 4 << 20;

/** elfy rounds 64-bit values to doubles. No user-space address is that large: such a segment is broken. */
export function segmentOf(entry: ElfyProgram, problems: ProblemList): ElfSegment[] {
  if (
    !Number.isSafeInteger(entry.vaddr + entry.filesz) ||
    !Number.isSafeInteger(entry.offset + entry.filesz)
  ) {
    problems.add("segment-out-of-range", "a segment has an address or offset above 2^53");
    return [];
  }
  return [
    {
      type: segmentTypes[entry.type ?? ""] ?? "other",
      address: BigInt(entry.vaddr),
      fileOffset: entry.offset,
      fileSize: entry.filesz,
      executable: entry.flags.x === true,
      writable: entry.flags.w === true,
    },
  ];
}

export function sectionsOf(entries: ElfySection[], names: Uint8Array): ElfSection[] {
  return entries.map((entry) => ({
    name: textAt(names, entry.name, longestSectionName) ?? "",
    type: sectionTypes[entry.type] ?? "other",
    address: BigInt(entry.addr),
    fileOffset: entry.off,
    size: entry.size,
    link: entry.link,
    info: entry.info,
  }));
}

/** The bytes of the table that holds the names of the sections. */
export function sectionNames(
  bytes: FileBytes,
  entry: ElfySection | undefined,
  problems: ProblemList,
): Uint8Array {
  if (entry?.type === "strtab") return bytes.read(entry.off, Math.min(entry.size, mostNameBytes));
  problems.add("section-names-missing", "the section names are not in a string table");
  return new Uint8Array(0);
}
