// The header, the program headers and the section table, decoded by elfy: the only file that runs it. elfy wants
// whole files and trusts them, so it is handed the header and one checked table at a time (ELF-64 Object File Format).
import elfy, { type ElfyHeader, type ElfyProgram, type ElfySection } from "elfy";
import type { ByteReader } from "../bytes.ts";
import { FileBytes } from "./file-bytes.ts";
import type { ElfProblem, ProblemList } from "./problems.ts";
import { sectionNames, sectionsOf, segmentOf, type ElfSection, type ElfSegment } from "./table-entries.ts";

export interface Tables {
  bytes: FileBytes;
  machine: "x86_64" | "aarch64" | "other";
  /** e_type; a PIE is `dyn`, as a library is. */
  type: "exec" | "dyn" | "other";
  segments: ElfSegment[];
  sections: ElfSection[];
}

const machines: Record<string, Tables["machine"]> = { amd64: "x86_64", AArch64: "aarch64" };

/** The kernel runs no file with more than 64 KiB of program headers, which is fewer than these. */
const mostSegments = 4096;
const mostSections = 100_000;
/** Entries may grow in a later format, though none ever did. */
const largestEntry = 256;
/** Values of e_phnum and e_shstrndx that say: the number did not fit, it is in section 0. */
const phnumInSection0 = 0xffff;
const shstrndxInSection0 = 0xffff;

/** Reads the three tables, or says why the file is not ELF. What is broken further in goes to `problems`. */
export function readTables(
  reader: ByteReader,
  problems: ProblemList,
): { tables: Tables; notElf: null } | { tables: null; notElf: ElfProblem } {
  const ident = new FileBytes(reader, { wide: false, littleEndian: true }, problems).read(0, 64);
  const notElf = whyNotElf(ident);
  if (notElf !== null) return { tables: null, notElf };

  const parser = new elfy.Parser();
  const headerBytes = Buffer.from(ident);
  const header = parser.parseHeader(headerBytes);
  const wide = header.class === "64";
  const bytes = new FileBytes(reader, { wide, littleEndian: header.endian === "lsb" }, problems);

  /** elfy takes offset 0 for "no table", so each table is put behind the header. */
  const sectionsFrom = (table: Uint8Array, count: number): ElfySection[] =>
    parser.parseSections(Buffer.concat([headerBytes, table]), {
      ...header,
      shoff: headerBytes.length,
      shnum: count,
    });
  const programsFrom = (table: Uint8Array, count: number): ElfyProgram[] =>
    parser.parsePrograms(Buffer.concat([headerBytes, table]), {
      ...header,
      phoff: headerBytes.length,
      phnum: count,
    });

  const section0 = tableBytes(bytes, "section", sectionTable(header, 1), problems);
  const first = section0.count === 1 ? sectionsFrom(section0.table, 1)[0] : undefined;
  const sectionCount = header.shnum === 0 ? (first?.size ?? 0) : header.shnum;
  const segmentCount = header.phnum === phnumInSection0 ? (first?.info ?? 0) : header.phnum;
  const namesIndex = header.shstrndx === shstrndxInSection0 ? (first?.link ?? 0) : header.shstrndx;

  const sectionPart = tableBytes(bytes, "section", sectionTable(header, sectionCount), problems);
  const segmentPart = tableBytes(bytes, "program header", programTable(header, segmentCount), problems);
  const sections = sectionsFrom(sectionPart.table, sectionPart.count);
  const names =
    sections.length === 0 ? new Uint8Array(0) : sectionNames(bytes, sections[namesIndex], problems);
  const tables: Tables = {
    bytes,
    machine: machines[header.machine ?? ""] ?? "other",
    type: header.type === "exec" || header.type === "dyn" ? header.type : "other",
    segments: programsFrom(segmentPart.table, segmentPart.count).flatMap((entry) =>
      segmentOf(entry, problems),
    ),
    sections: sectionsOf(sections, names),
  };
  for (const { name, type, fileOffset, size } of tables.sections) {
    if (type !== "nobits" && type !== "null" && fileOffset + size > bytes.size) {
      problems.add("section-past-end", `section ${name || "without a name"} lies past the end of the file`);
    }
  }
  return { tables, notElf: null };
}

function whyNotElf(ident: Uint8Array): ElfProblem | null {
  if (ident.length === 0) return { code: "empty-file", text: "the file is empty" };
  if (!(ident[0] === 0x7f && ident[1] === 0x45 && ident[2] === 0x4c && ident[3] === 0x46)) {
    return { code: "not-elf", text: "the file does not begin with the ELF magic" };
  }
  const wide = ident[4] === 2;
  if (!wide && ident[4] !== 1)
    return { code: "unknown-class", text: "the file is neither 32-bit nor 64-bit ELF" };
  if (ident[5] !== 1 && ident[5] !== 2)
    return { code: "unknown-byte-order", text: "the byte order is not known" };
  if (ident.length < (wide ? 64 : 52))
    return { code: "header-truncated", text: "the file ends in the ELF header" };
  return null;
}

/** What the header says of one table. */
interface TablePlace {
  fileOffset: number;
  entrySize: number;
  count: number;
  /** The fields that are decoded; the entries may be larger. */
  least: number;
  most: number;
}

const sectionTable = (header: ElfyHeader, count: number): TablePlace => ({
  fileOffset: header.shoff,
  entrySize: header.shentsize,
  count,
  least: header.class === "64" ? 64 : 40,
  most: mostSections,
});

const programTable = (header: ElfyHeader, count: number): TablePlace => ({
  fileOffset: header.phoff,
  entrySize: header.phentsize,
  count,
  least: header.class === "64" ? 56 : 32,
  most: mostSegments,
});

/** The whole entries of a table that are in the file. */
function tableBytes(
  bytes: FileBytes,
  what: "section" | "program header",
  { fileOffset, entrySize, count, least, most }: TablePlace,
  problems: ProblemList,
): { table: Uint8Array; count: number } {
  const code = what.replace(" ", "-");
  const nothing = { table: new Uint8Array(0), count: 0 };
  if (fileOffset === 0 || count === 0) return nothing;
  if (entrySize < least || entrySize > largestEntry) {
    problems.add(`${code}-entry-size`, `${what} entries of ${entrySize} bytes are no such entries`);
    return nothing;
  }
  if (count > most)
    problems.add(`${code}-count`, `only the first ${most} of ${count} ${what} entries are read`);
  const wanted = Math.min(count, most);
  const table = bytes.read(fileOffset, wanted * entrySize);
  const whole = Math.min(wanted, Math.floor(table.length / entrySize));
  if (whole < wanted)
    problems.add(`${code}-table-truncated`, `the ${what} table has ${whole} of ${wanted} entries`);
  return { table: table.subarray(0, whole * entrySize), count: whole };
}
