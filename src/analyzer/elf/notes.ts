// The small things beside the tables that identify a file: build id, debug link, dynamic linker.
import { Fields, textAt, type FileBytes, type FileRange } from "./file-bytes.ts";
import type { DebugLink } from "./debug-file.ts";
import type { ProblemList } from "./problems.ts";
import type { Tables } from "./tables.ts";

const noteBuildId = 3;
const longestBuildId = 64;
const mostNotePlaces = 32;
const mostNoteBytes = 64 << 10;
const longestPath = 4096;

/** The GNU build id in lower-case hex, from the program headers, or from the sections where those have no notes. */
export function readBuildId({ bytes, segments, sections }: Tables, problems: ProblemList): string | null {
  const fromSegments = segments
    .filter(({ type, fileSize }) => type === "note" && fileSize > 0)
    .map(({ fileOffset, fileSize }) => ({ fileOffset, size: fileSize }));
  const places = [...fromSegments, ...sections.filter(({ type }) => type === "note")];
  for (const place of places.slice(0, mostNotePlaces)) {
    const id = buildIdIn(bytes, place, problems);
    if (id !== null) return id;
  }
  return null;
}

/**
 * Walks the notes of one place: name size, description size and type, then both, each padded to four bytes. (Notes of
 * eight-byte alignment, used for properties, have sizes for which this comes to the same.)
 */
function buildIdIn(bytes: FileBytes, place: FileRange, problems: ProblemList): string | null {
  const data = bytes.read(place.fileOffset, Math.min(place.size, mostNoteBytes));
  const fields = new Fields(data, bytes.layout);
  let at = 0;
  while (at + 12 <= data.length) {
    const nameSize = fields.u32(at);
    const size = fields.u32(at + 4);
    const start = at + 12 + padded(nameSize);
    const end = start + size;
    if (end > data.length) {
      problems.add("note-past-end", "a note is longer than the place it is in");
      return null;
    }
    if (fields.u32(at + 8) === noteBuildId && nameSize === 4 && textAt(data, at + 12, 4) === "GNU") {
      if (size > 0 && size <= longestBuildId) return Buffer.from(data.subarray(start, end)).toString("hex");
      problems.add("build-id-size", `a build id of ${size} bytes is not used`);
    }
    at = start + padded(size);
  }
  return null;
}

const padded = (size: number): number => Math.ceil(size / 4) * 4;

/** The separate debug file (.gnu_debuglink): its name, padded to four bytes, then its checksum. */
export function readDebugLink({ bytes, sections }: Tables, problems: ProblemList): DebugLink | null {
  const section = sections.find(({ name, type }) => name === ".gnu_debuglink" && type === "progbits");
  if (section === undefined) return null;
  const name = textIn(bytes, section, "debug-link", problems);
  if (name === null) return null;
  const at = padded(Buffer.byteLength(name) + 1);
  const sum = at + 4 <= section.size ? bytes.record(section.fileOffset + at, 4)?.u32(0) : undefined;
  if (sum === undefined) {
    problems.add("debug-link-truncated", "the debug link ends before its checksum");
    return null;
  }
  return { name, crc32: sum };
}

/** The dynamic linker's path (PT_INTERP). */
export function readInterpreter({ bytes, segments }: Tables, problems: ProblemList): string | null {
  const segment = segments.find(({ type, fileSize }) => type === "interp" && fileSize > 0);
  if (segment === undefined) return null;
  return textIn(bytes, { fileOffset: segment.fileOffset, size: segment.fileSize }, "interpreter", problems);
}

function textIn(bytes: FileBytes, place: FileRange, what: string, problems: ProblemList): string | null {
  const text = bytes.text(place.fileOffset, Math.min(place.size, longestPath));
  if (text === null) problems.add(`${what}-unterminated`, `the ${what} has no end within its size`);
  return text;
}
