// Bounded reads of a file in its own byte order and word size. Nothing here asks the reader for bytes outside of the
// file, whatever offset a table gives; what the bytes mean is for the other files of the room.
import type { ByteReader } from "../bytes.ts";
import type { ProblemList } from "./problems.ts";

/** A part of the file, in bytes. It may lie past the end: reads then give less. */
export interface FileRange {
  fileOffset: number;
  size: number;
}

export interface Layout {
  /** 64-bit: addresses, offsets and sizes have eight bytes. */
  wide: boolean;
  littleEndian: boolean;
}

/** The fields of one record. The caller keeps `at` inside of the bytes that it asked for. */
export class Fields {
  readonly #view: DataView;
  readonly #layout: Layout;

  constructor(bytes: Uint8Array, layout: Layout) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#layout = layout;
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }
  u16(at: number): number {
    return this.#view.getUint16(at, this.#layout.littleEndian);
  }
  u32(at: number): number {
    return this.#view.getUint32(at, this.#layout.littleEndian);
  }
  /** Eight bytes. Above 2^53 the number is rounded, and still larger than any file. */
  u64(at: number): number {
    const { littleEndian } = this.#layout;
    return this.u32(at + (littleEndian ? 4 : 0)) * 0x1_0000_0000 + this.u32(at + (littleEndian ? 0 : 4));
  }
  /** An address, offset or size of the file's class. */
  word(at: number): number {
    return this.#layout.wide ? this.u64(at) : this.u32(at);
  }
}

export class FileBytes {
  readonly size: number;
  readonly layout: Layout;
  readonly #reader: ByteReader;
  readonly #problems: ProblemList;

  constructor(reader: ByteReader, layout: Layout, problems: ProblemList) {
    this.size = reader.size;
    this.layout = layout;
    this.#reader = reader;
    this.#problems = problems;
  }

  /** Bytes of an address, offset or size. */
  get wordSize(): number {
    return this.layout.wide ? 8 : 4;
  }

  /** Up to `length` bytes that exist. */
  read(offset: number, length: number, room?: Uint8Array): Uint8Array {
    if (!(offset >= 0 && offset < this.size && length > 0)) return new Uint8Array(0);
    return this.#reader.read(offset, Math.min(length, this.size - offset), room);
  }

  /** A record of `length` bytes, or null when the file ends before. */
  record(offset: number, length: number): Fields | null {
    const bytes = this.read(offset, length);
    return bytes.length < length ? null : new Fields(bytes, this.layout);
  }

  /** The text up to the next NUL, or null when there is none within `longest` bytes. */
  text(offset: number, longest: number): string | null {
    return textAt(this.read(offset, longest), 0, longest);
  }

  /**
   * Ranges piece by piece, as far as they exist. Each piece but the first of a range begins with the last `overlap`
   * bytes of the one before it, so that what crosses a border is seen whole; `fileOffset` is where the piece begins. A
   * piece is gone when the next one is asked for.
   */
  *pieces(
    ranges: readonly FileRange[],
    overlap: number,
  ): Generator<{ fileOffset: number; bytes: Uint8Array }> {
    let left = mostScanned;
    const room = spareRooms.pop() ?? new Uint8Array(pieceSize + mostOverlap);
    try {
      for (const range of ranges) {
        const end = Math.min(this.size, range.fileOffset + range.size);
        for (let at = range.fileOffset; at < end; at += pieceSize) {
          if (left <= 0) {
            this.#problems.add("scan-cut", "only the first GiB of a very long part is searched");
            return;
          }
          const fileOffset = Math.max(range.fileOffset, at - overlap);
          const bytes = this.read(fileOffset, Math.min(end, at + pieceSize) - fileOffset, room);
          left -= pieceSize;
          yield { fileOffset, bytes };
        }
      }
    } finally {
      spareRooms.push(room);
    }
  }
}

/** Small enough to leave no mark on the memory, and a multiple of both symbol sizes (16 and 24 bytes). */
const pieceSize = 48 * 8192;
/** What is searched is shorter than this; where it is not, a piece gets memory of its own. */
const mostOverlap = 8192;
/** Rooms of passes that are over: a file is passed over a dozen times, and a scan opens many files. */
const spareRooms: Uint8Array[] = [];
/** No part of a real program is longer; a sparse file costs its maker nothing. */
const mostScanned = 1 << 30;

/** The text from `at` up to the next NUL, or null when there is none within `longest` bytes. */
export function textAt(bytes: Uint8Array, at: number, longest: number): string | null {
  if (at >= bytes.length) return null;
  const window = Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(longest, bytes.length - at));
  const end = window.indexOf(0);
  return end < 0 ? null : window.toString("utf8", 0, end);
}

/** The same bytes once each: ranges cut to the file, sorted, and joined where they overlap. */
export function distinctRanges(ranges: readonly FileRange[], fileSize: number): FileRange[] {
  const sorted = ranges
    .map((range) => ({ start: range.fileOffset, end: Math.min(fileSize, range.fileOffset + range.size) }))
    .filter(({ start, end }) => start < end)
    .sort((a, b) => a.start - b.start);
  const joined: { start: number; end: number }[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && range.start <= last.end) last.end = Math.max(last.end, range.end);
    else joined.push(range);
  }
  return joined.map(({ start, end }) => ({ fileOffset: start, size: end - start }));
}
