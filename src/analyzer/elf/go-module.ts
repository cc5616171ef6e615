// Where a Go program's code begins, from runtime.firstmoduledata: the record by which the runtime itself finds its
// tables. It has no name in a stripped file, and is told by what it points to (runtime/symtab.go, type moduledata).
import type { AddressMap } from "./address-map.ts";
import { distinctRanges } from "./file-bytes.ts";
import type { Pclntab } from "./go-pclntab.ts";
import type { ProblemList } from "./problems.ts";
import type { Tables } from "./tables.ts";
import { occurrences } from "./text-search.ts";

export interface GoModule {
  /** Address from which functions count, `runtime.text`. */
  text: number;
  /** Address after the last function, `runtime.etext`. */
  end: number;
}

/** Words of moduledata, the same from Go 1.16 to 1.26. */
const word = { header: 0, names: 1, entries: 16, entryCount: 17, text: 22, end: 23 } as const;
const moduleWords = 24;

/**
 * Null, with a problem, unless exactly one record points to all parts of this table. Linkers of position-independent
 * programs write the addresses in place, too, beside the relocations; where one does not, nothing is found.
 */
export function readGoModule(
  { bytes, segments }: Tables,
  addresses: AddressMap,
  table: Pclntab,
  problems: ProblemList,
): GoModule | null {
  const { wordSize } = bytes;
  const addressOf = (fileOffset: number): number => {
    const segment = segments.find(
      ({ type, fileOffset: start, fileSize }) =>
        type === "load" && fileOffset >= start && fileOffset < start + fileSize,
    );
    return segment === undefined ? -1 : Number(segment.address) + fileOffset - segment.fileOffset;
  };
  const header = addressOf(table.fileOffset);
  const wanted = new Map<number, number>([
    [word.header, header],
    [word.names, addressOf(table.names.fileOffset)],
    [word.entries, addressOf(table.entries.fileOffset)],
    [word.entryCount, table.functions + 1],
  ]);
  const writable = segments
    .filter((segment) => segment.type === "load" && segment.writable)
    .map(({ fileOffset, fileSize }) => ({ fileOffset, size: fileSize }));
  const found = new Map<string, GoModule>();
  if (header > 0) {
    for (const at of occurrences(bytes, distinctRanges(writable, bytes.size), wordBytes(header, bytes))) {
      const fields = bytes.record(at, moduleWords * wordSize);
      const is = (index: number): number => fields?.word(index * wordSize) ?? -1;
      if (![...wanted].every(([index, value]) => is(index) === value)) continue;
      const module = { text: is(word.text), end: is(word.end) };
      found.set(`${module.text} ${module.end}`, module);
    }
  }
  const [module] = found.values();
  if (module === undefined || found.size > 1) {
    problems.add("go-module", "the record that says where the Go code begins was not found");
    return null;
  }
  const isCode = addresses.segmentOf(BigInt(module.text))?.executable === true;
  if (!isCode || module.end <= module.text || (table.text !== null && table.text !== module.text)) {
    problems.add("go-text", "it is not certain where the Go code begins");
    return null;
  }
  return module;
}

function wordBytes(value: number, { wordSize, layout }: Tables["bytes"]): Buffer {
  const buffer = Buffer.alloc(wordSize);
  if (wordSize === 4) {
    if (layout.littleEndian) buffer.writeUInt32LE(value);
    else buffer.writeUInt32BE(value);
  } else if (layout.littleEndian) buffer.writeBigUInt64LE(BigInt(value));
  else buffer.writeBigUInt64BE(BigInt(value));
  return buffer;
}
