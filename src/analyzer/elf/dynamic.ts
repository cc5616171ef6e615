// The dynamic section: what the file needs, what it is called, and where the tables of its dynamic symbols are.
// Tags follow the System V gABI, chapter "Dynamic Linking", and glibc's elf.h for the GNU ones.
import type { AddressMap } from "./address-map.ts";
import { Fields, type FileBytes, type FileRange } from "./file-bytes.ts";
import type { ProblemList } from "./problems.ts";
import type { Tables } from "./tables.ts";

export interface Dynamic {
  needed: string[];
  soname: string | null;
  /** DF_1_PIE: an executable, though its e_type is that of a library. */
  pie: boolean;
  /** File offsets of the tables; null where there is none or its address is not in the file. */
  symbols: number | null;
  strings: FileRange | null;
  gnuHash: number | null;
  sysvHash: number | null;
  versionIndexes: number | null;
  versionDefinitions: number | null;
}

const tag = {
  end: 0,
  needed: 1,
  hash: 4,
  strtab: 5,
  symtab: 6,
  strsz: 10,
  soname: 14,
  gnuHash: 0x6ffffef5,
  versym: 0x6ffffff0,
  flags1: 0x6ffffffb,
  verdef: 0x6ffffffc,
} as const;
const df1Pie = 0x0800_0000;

const mostEntries = 8192;
const mostNeeded = 1024;
const longestName = 4096;

/** The decoded section, or null for a file that is not dynamically linked. */
export function readDynamic(tables: Tables, addresses: AddressMap, problems: ProblemList): Dynamic | null {
  const { bytes } = tables;
  const range = dynamicRange(tables);
  if (range === null) return null;
  const { first, needed } = entriesOf(bytes, range, problems);

  const fileOffset = (wanted: number, name: string): number | null => {
    const address = first.get(wanted);
    if (address === undefined) return null;
    const offset = Number.isSafeInteger(address) ? addresses.fileOffsetOf(BigInt(address)) : null;
    if (offset === null) problems.add("dynamic-address", `${name} of the dynamic section is not in the file`);
    return offset;
  };
  const stringsAt = fileOffset(tag.strtab, "DT_STRTAB");
  const strings = stringsAt === null ? null : { fileOffset: stringsAt, size: first.get(tag.strsz) ?? 0 };
  const name = (at: number): string[] => {
    if (strings === null) return [];
    const text =
      at < strings.size
        ? bytes.text(strings.fileOffset + at, Math.min(longestName, strings.size - at))
        : null;
    if (text === null)
      problems.add("dynamic-string", "a name of the dynamic section is outside of its string table");
    return text === null ? [] : [text];
  };
  const sonameAt = first.get(tag.soname);
  return {
    needed: needed.flatMap(name),
    soname: sonameAt === undefined ? null : (name(sonameAt)[0] ?? null),
    pie: hasFlag(first.get(tag.flags1) ?? 0, df1Pie),
    symbols: fileOffset(tag.symtab, "DT_SYMTAB"),
    strings,
    gnuHash: fileOffset(tag.gnuHash, "DT_GNU_HASH"),
    sysvHash: fileOffset(tag.hash, "DT_HASH"),
    versionIndexes: fileOffset(tag.versym, "DT_VERSYM"),
    versionDefinitions: fileOffset(tag.verdef, "DT_VERDEF"),
  };
}

const hasFlag = (flags: number, flag: number): boolean => Math.floor(flags / flag) % 2 === 1;

function dynamicRange({ segments, sections }: Tables): FileRange | null {
  const segment = segments.find(({ type, fileSize }) => type === "dynamic" && fileSize > 0);
  if (segment !== undefined) return { fileOffset: segment.fileOffset, size: segment.fileSize };
  return sections.find(({ type }) => type === "dynamic") ?? null;
}

/** The first value of each tag, and every DT_NEEDED. */
function entriesOf(
  bytes: FileBytes,
  range: FileRange,
  problems: ProblemList,
): { first: Map<number, number>; needed: number[] } {
  const first = new Map<number, number>();
  const needed: number[] = [];
  const { wordSize } = bytes;
  const data = bytes.read(range.fileOffset, Math.min(range.size, mostEntries * 2 * wordSize));
  const fields = new Fields(data, bytes.layout);
  for (let at = 0; at + 2 * wordSize <= data.length; at += 2 * wordSize) {
    const key = fields.word(at);
    const value = fields.word(at + wordSize);
    if (key === tag.end) return { first, needed };
    if (key === tag.needed) {
      if (needed.length < mostNeeded) needed.push(value);
      else problems.add("needed-count", `only the first ${mostNeeded} needed libraries are read`);
    }
    if (!first.has(key)) first.set(key, value);
  }
  problems.add("dynamic-unterminated", "the dynamic section has no end within its size");
  return { first, needed };
}
