// What the Go linker leaves in every program, stripped or not: .go.buildinfo (who built it) and .gopclntab (functions).
// Formats follow Go's debug/buildinfo and internal/abi; reading the functions themselves is not done here.
import type { AddressMap } from "./address-map.ts";
import { distinctRanges, type FileRange } from "./file-bytes.ts";
import type { Tables } from "./tables.ts";
import { firstOccurrence, occurrences } from "./text-search.ts";

/** What a Go program says about itself. */
export interface GoBuild {
  /** Such as `go1.24.1`, or null when .go.buildinfo is missing or unreadable. */
  version: string | null;
  /** Where .gopclntab is, or null when it was not found; without a section table `size` goes to its segment's end. */
  pclntab: { fileOffset: number; size: number } | null;
}

const buildInfoMagic = Buffer.from("\xff Go buildinf:", "latin1");
const buildInfoHeader = 32;
const versionIsInline = 2;
const longestVersion = 128;

/** Go 1.20, 1.18, 1.16 and 1.2: the first byte of the table's magic; the rest is ff ff ff, 0, 0. */
const pclntabMagics = [0xf1, 0xf0, 0xfa, 0xfb];
const pclntabNames = [".gopclntab", ".data.rel.ro.gopclntab"];
const instructionBytes = { x86_64: 1, aarch64: 4, other: null } as const;
const mostFunctions = 1 << 24;

export function readGoBuild(tables: Tables, addresses: AddressMap): GoBuild | null {
  const { sections } = tables;
  const named = sections.find(({ name, type }) => pclntabNames.includes(name) && type !== "nobits");
  const info = buildInfoAt(tables);
  if (named === undefined && info === null) return null;
  return {
    version: info === null ? null : readVersion(tables, info, addresses),
    pclntab: named === undefined ? findPclntab(tables) : { fileOffset: named.fileOffset, size: named.size },
  };
}

/** The header is at the start of its section; without a section table it is searched where the linker puts it. */
function buildInfoAt({ bytes, sections, segments }: Tables): number | null {
  const section = sections.find(({ name, type }) => name === ".go.buildinfo" && type !== "nobits");
  if (section !== undefined) {
    const there = bytes.read(section.fileOffset, buildInfoMagic.length);
    return buildInfoMagic.equals(there) ? section.fileOffset : null;
  }
  if (sections.length > 0) return null;
  const writable = segments.filter((segment) => segment.type === "load" && segment.writable);
  return firstOccurrence(bytes, distinctRanges(writable.map(fileRange), bytes.size), buildInfoMagic);
}

const fileRange = ({ fileOffset, fileSize }: { fileOffset: number; fileSize: number }): FileRange => ({
  fileOffset,
  size: fileSize,
});

/** Since Go 1.18 the version follows the header; before, the header points to a Go string. */
function readVersion({ bytes }: Tables, info: number, addresses: AddressMap): string | null {
  const header = bytes.record(info, buildInfoHeader);
  if (header === null) return null;
  if ((header.u8(15) & versionIsInline) !== 0)
    return versionText(bytes.read(info + buildInfoHeader, longestVersion));

  const { wordSize } = bytes;
  const atAddress = (address: number): number =>
    (Number.isSafeInteger(address) ? addresses.fileOffsetOf(BigInt(address)) : null) ?? bytes.size;
  const string = bytes.record(atAddress(header.word(16)), 2 * wordSize);
  if (string === null) return null;
  const length = Math.min(string.word(wordSize), longestVersion);
  return plainVersion(bytes.read(atAddress(string.word(0)), length));
}

/** A length of one byte (versions are short), then the text. */
function versionText(bytes: Uint8Array): string | null {
  const length = bytes[0] ?? 0;
  return length < longestVersion ? plainVersion(bytes.subarray(1, 1 + length)) : null;
}

function plainVersion(bytes: Uint8Array): string | null {
  const text = Buffer.from(bytes).toString("latin1");
  return /^[\x20-\x7e]+$/.test(text) ? text : null;
}

function findPclntab({ bytes, machine, segments }: Tables): FileRange | null {
  const quantum = instructionBytes[machine];
  if (quantum === null) return null;
  const ranges = distinctRanges(segments.filter(({ type }) => type === "load").map(fileRange), bytes.size);
  for (const magic of pclntabMagics) {
    const wanted = Buffer.from([magic, 0xff, 0xff, 0xff, 0, 0, quantum, bytes.wordSize]);
    for (const fileOffset of occurrences(bytes, ranges, wanted)) {
      const functions = bytes.record(fileOffset + 8, bytes.wordSize)?.word(0) ?? 0;
      const range = ranges.find((place) => fileOffset < place.fileOffset + place.size);
      if (range === undefined || functions === 0 || functions > mostFunctions) continue;
      return { fileOffset, size: range.fileOffset + range.size - fileOffset };
    }
  }
  return null;
}
