// Finds symbols by name in a table without an index, in one pass over its strings and one over its entries. No string
// is made for a symbol that was not asked for: the names are searched as bytes, then entries are compared by number.
import { Fields, type FileBytes, type FileRange } from "./file-bytes.ts";
import type { ProblemList } from "./problems.ts";
import { entrySize, type SymbolTable } from "./symbol-tables.ts";

/** A name is in a string table once, or a few times as the end of longer names. */
const mostPlaces = 4096;
const mostFound = 4096;
/** Several times what the largest browsers have. */
const mostStrings = 8 << 20;

/** Indexes of the entries with one of these names, with the name. Whether they are functions is for the caller. */
export function scanSymbols(
  bytes: FileBytes,
  table: SymbolTable,
  names: ReadonlyMap<string, Uint8Array>,
  problems: ProblemList,
): { index: number; name: string }[] {
  const places = placesOf(bytes, table.strings, names, problems);
  if (places.size === 0) return [];

  const found: { index: number; name: string }[] = [];
  const size = entrySize(bytes);
  for (const piece of bytes.pieces([table.entries], 0)) {
    const fields = new Fields(piece.bytes, bytes.layout);
    for (let at = 0; at + size <= piece.bytes.length; at += size) {
      const name = places.get(fields.u32(at));
      if (name === undefined) continue;
      if (found.length === mostFound) {
        problems.add("symbol-matches", `only the first ${mostFound} symbols of the wanted names are read`);
        return found;
      }
      found.push({ index: (piece.fileOffset - table.entries.fileOffset + at) / size, name });
    }
  }
  return found;
}

/**
 * Offsets in a string table at which one of the names stands. Linkers share tails (`SSL_write` may point into
 * `BIO_SSL_write`), so every string is compared by its end.
 */
function placesOf(
  bytes: FileBytes,
  strings: FileRange,
  names: ReadonlyMap<string, Uint8Array>,
  problems: ProblemList,
): Map<number, string> {
  const byLastByte = new Map<number, [string, Uint8Array][]>();
  let longest = 0;
  for (const [name, text] of names) {
    const last = text.at(-1);
    if (last === undefined) continue;
    longest = Math.max(longest, text.length);
    byLastByte.set(last, [...(byLastByte.get(last) ?? []), [name, text]]);
  }

  const places = new Map<number, string>();
  let count = 0;
  for (const piece of bytes.pieces([strings], longest)) {
    const from = piece.fileOffset - strings.fileOffset;
    for (let end = piece.bytes.indexOf(0, 1); end > 0; end = piece.bytes.indexOf(0, end + 1)) {
      if (++count > mostStrings) {
        problems.add(
          "symbol-strings-count",
          `only the first ${mostStrings} strings of a symbol table are read`,
        );
        return places;
      }
      for (const [name, text] of byLastByte.get(piece.bytes[end - 1] ?? 0) ?? []) {
        if (!endsWith(piece.bytes, end, text)) continue;
        if (places.size === mostPlaces) {
          problems.add("symbol-names", `only the first ${mostPlaces} places of the wanted names are used`);
          return places;
        }
        places.set(from + end - text.length, name);
      }
    }
  }
  return places;
}

function endsWith(bytes: Uint8Array, end: number, text: Uint8Array): boolean {
  if (text.length > end) return false;
  for (let i = 1; i <= text.length; i++) if (bytes[end - i] !== text[text.length - i]) return false;
  return true;
}
