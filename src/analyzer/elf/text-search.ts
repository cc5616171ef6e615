// Text in the bytes of a file: the version strings and source-file names that compilers leave. A match says that the
// text is there, no more: whether it proves anything is for stacks/ to judge.
import { distinctRanges, type FileBytes, type FileRange } from "./file-bytes.ts";
import type { ProblemList } from "./problems.ts";
import type { Tables } from "./tables.ts";

const longestText = 256;
const mostHits = 20_000;

/** Where text is searched: one section by name, or the read-only data, or all that is loaded. */
export function textRanges({ bytes, sections, segments }: Tables, section: string | undefined): FileRange[] {
  const named = (name: string): FileRange[] =>
    sections.filter((candidate) => candidate.name === name && candidate.type !== "nobits");
  if (section !== undefined) return distinctRanges(named(section), bytes.size);
  const readOnlyData = distinctRanges(named(".rodata"), bytes.size);
  if (readOnlyData.length > 0) return readOnlyData;
  const loaded = segments.filter(({ type }) => type === "load");
  return distinctRanges(
    loaded.map(({ fileOffset, fileSize }) => ({ fileOffset, size: fileSize })),
    bytes.size,
  );
}

/** The first printable text that begins with `start` and matches `pattern`. */
export function findText(
  bytes: FileBytes,
  ranges: readonly FileRange[],
  start: string,
  pattern: RegExp,
  problems: ProblemList,
): string | null {
  let hits = 0;
  for (const fileOffset of occurrences(bytes, ranges, Buffer.from(start))) {
    const text = printable(bytes.read(fileOffset, longestText));
    if (text.search(pattern) >= 0) return text;
    if (++hits === mostHits) {
      problems.add("text-matches", `only the first ${mostHits} places of "${start}" are looked at`);
      return null;
    }
  }
  return null;
}

export function firstOccurrence(
  bytes: FileBytes,
  ranges: readonly FileRange[],
  wanted: Uint8Array,
): number | null {
  for (const fileOffset of occurrences(bytes, ranges, wanted)) return fileOffset;
  return null;
}

/** File offsets at which the bytes stand in these distinct ranges, in order; none overlaps the one before. */
export function* occurrences(
  bytes: FileBytes,
  ranges: readonly FileRange[],
  wanted: Uint8Array,
): Generator<number, undefined> {
  if (wanted.length === 0) return;
  let from = 0;
  for (const piece of bytes.pieces(ranges, wanted.length - 1)) {
    const buffer = Buffer.from(piece.bytes.buffer, piece.bytes.byteOffset, piece.bytes.length);
    let at = buffer.indexOf(wanted, Math.max(0, from - piece.fileOffset));
    while (at >= 0) {
      yield piece.fileOffset + at;
      from = piece.fileOffset + at + wanted.length;
      at = buffer.indexOf(wanted, at + wanted.length);
    }
  }
}

function printable(bytes: Uint8Array): string {
  let end = 0;
  for (const byte of bytes) {
    if (byte < 0x20 || byte > 0x7e) break;
    end++;
  }
  return Buffer.from(bytes.subarray(0, end)).toString("latin1");
}
