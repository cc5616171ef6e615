// The table .gopclntab itself: its header and the two tables of functions in it, as Go 1.16, 1.18 and 1.20 write them.
// Up to Go 1.17 entries are addresses, since then offsets from where the code begins; that place go-module.ts finds.
import { Fields, type FileBytes, type FileRange } from "./file-bytes.ts";
import type { ProblemList } from "./problems.ts";
import type { Tables } from "./tables.ts";

export interface Pclntab {
  fileOffset: number;
  /** Number of functions. */
  functions: number;
  /** Where the header says the code begins; null where it does not say (a PIE, Go 1.26). */
  text: number | null;
  /** The names, each with a NUL. */
  names: FileRange;
  /** The sorted entries of all functions and one more; each function's record is found from here. */
  entries: FileRange;
  /** Numbers of the functions whose name stands at one of these offsets in `names`, in one pass over all records. */
  functionsNamed(offsets: ReadonlyMap<number, unknown>): Generator<{ number: number; nameOffset: number }>;
  /** First address and size of a function, given where the code begins; null when the table says nothing sane. */
  placeOf(number: number, text: number): { address: number; size: number } | null;
}

/** First bytes of the magics; 1.2 to 1.15 have another, and another calling convention. */
const formats: Readonly<Record<number, { pointers: boolean }>> = {
  0xfa: { pointers: true }, // Go 1.16 and 1.17
  0xf0: { pointers: false }, // Go 1.18 and 1.19
  0xf1: { pointers: false }, // since Go 1.20
};
const quanta = { x86_64: 1, aarch64: 4, other: null } as const;

const mostFunctions = 1 << 22;
const windowBytes = 64 << 10;

/** Null when it is no such table, or one that cannot be right; the problem says why. */
export function readPclntab(
  { bytes, machine }: Tables,
  range: FileRange,
  problems: ProblemList,
): Pclntab | null {
  const { fileOffset } = range;
  const { wordSize } = bytes;
  const header = bytes.record(fileOffset, 8 + 8 * wordSize);
  const end = Math.min(bytes.size, fileOffset + range.size);
  if (header === null || fileOffset + 8 + 8 * wordSize > end) {
    problems.add("pclntab-cut", ".gopclntab ends in its header");
    return null;
  }
  const format = formats[header.u8(bytes.layout.littleEndian ? 0 : 3)];
  const isMagic = [0, 1, 2, 3].filter((at) => header.u8(at) === 0xff).length === 3;
  const isOurs = header.u8(6) === quanta[machine] && header.u8(7) === wordSize;
  if (format === undefined || !isMagic || !isOurs || header.u8(4) !== 0 || header.u8(5) !== 0) {
    problems.add("pclntab-format", ".gopclntab is of a format that is not known");
    return null;
  }
  const word = (index: number): number => header.word(8 + index * wordSize);
  const functions = word(0);
  const first = format.pointers ? 2 : 3;
  const [namesAt, namesEnd, entriesAt] = [word(first), word(first + 1), word(first + 4)];
  const fieldSize = format.pointers ? wordSize : 4;
  const entries = { fileOffset: fileOffset + entriesAt, size: (2 * functions + 1) * fieldSize };
  const isSane =
    functions > 0 &&
    functions <= mostFunctions &&
    namesAt >= 8 + (first + 5) * wordSize && // behind the header
    namesAt < namesEnd &&
    namesEnd <= entriesAt &&
    entries.fileOffset + entries.size <= end;
  if (!isSane) {
    problems.add("pclntab-cut", "the tables of .gopclntab are not within it");
    return null;
  }

  return {
    fileOffset,
    functions,
    text: format.pointers ? null : word(2) || null,
    names: { fileOffset: fileOffset + namesAt, size: namesEnd - namesAt },
    entries,

    *functionsNamed(offsets) {
      const [entryWindow, recordWindow] = [new Window(bytes, end), new Window(bytes, end)];
      let last = 0;
      for (let number = 0; number < functions; number++) {
        const at = entries.fileOffset + (2 * number + 1) * fieldSize;
        const record = entryWindow.number(at, fieldSize) ?? 0;
        // The linker writes the records in order: a window that passes over them once reads all of them.
        if (record <= last) {
          problems.add("pclntab-order", "the functions of .gopclntab are not in order");
          return;
        }
        last = record;
        // The name follows the entry, which has the size of the format's fields.
        const nameOffset = recordWindow.number(entries.fileOffset + record + fieldSize, 4);
        if (nameOffset === null) {
          problems.add("pclntab-cut", `.gopclntab ends at function ${number} of ${functions}`);
          return;
        }
        if (offsets.has(nameOffset)) yield { number, nameOffset };
      }
    },

    placeOf(number, text) {
      const fields = bytes.record(entries.fileOffset + 2 * number * fieldSize, 3 * fieldSize);
      if (fields === null) return null;
      const entry = (at: number): number =>
        format.pointers ? fields.word(at * fieldSize) : text + fields.u32(at * fieldSize);
      const address = entry(0);
      const size = entry(2) - address;
      return size > 0 && Number.isSafeInteger(address + size) ? { address, size } : null;
    },
  };
}

/** Numbers whose places rise, read a piece of the file at a time. */
class Window {
  readonly #bytes: FileBytes;
  readonly #end: number;
  readonly #room = new Uint8Array(windowBytes);
  #from = 0;
  #length = 0;
  #fields: Fields | null = null;

  constructor(bytes: FileBytes, end: number) {
    this.#bytes = bytes;
    this.#end = end;
  }

  /** Null past the end. */
  number(fileOffset: number, size: number): number | null {
    if (fileOffset < this.#from || fileOffset + size > this.#from + this.#length) {
      const piece = this.#bytes.read(fileOffset, Math.min(windowBytes, this.#end - fileOffset), this.#room);
      this.#from = fileOffset;
      this.#length = piece.length;
      this.#fields = new Fields(piece, this.#bytes.layout);
    }
    if (this.#fields === null || this.#length < size) return null;
    const at = fileOffset - this.#from;
    return size === 4 ? this.#fields.u32(at) : this.#fields.u64(at);
  }
}
