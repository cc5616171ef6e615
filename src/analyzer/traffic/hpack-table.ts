// HPACK's dynamic table (RFC 7541, section 2.3.2 and 4) as an observer knows it, who may have come late or lost bytes:
// the newest entries are known, what lies below them may not be.
import type { Header } from "../../protocol/traffic.ts";

/*
 * Why a field read from here is never a wrong one.
 *
 * Let S be all literals "with incremental indexing" that the encoder ever sent, newest first. The encoder's table is
 * always a prefix of S, whatever its maximum size is and however often that changes:
 *   - an insertion puts the same entry in front of both;
 *   - an eviction takes entries off the table's old end, and a prefix cut short is a prefix;
 *   - an entry larger than the whole table empties it (section 4.4), and nothing is a prefix of everything.
 * An observer who decoded every block since some moment holds a prefix K of S (losing a block means starting K anew, from
 * nothing). A conforming encoder refers to index i only when its table has an i-th entry, which is then the i-th of S; so
 * for i <= |K| it is the i-th of K, and for i > |K| it was inserted before that moment and is unknown. Neither the
 * maximum size, nor the sizes of the unknown entries, nor what was evicted when, enters into this. Dropping entries from
 * K's old end (for memory, or because they are certainly evicted) turns an answer into "unknown" or "no such entry",
 * never into another entry.
 *
 * Sizes serve two lesser ends: to bound memory, and to tell a reference to an unknown entry from a reference to nothing.
 * An entry whose name is unknown counts as if that name were empty: sums are lower bounds, so that an entry
 * is called evicted only when it is, however long the names are.
 */

interface Entry {
  field: Header;
  /** Bytes it takes of the table, or a lower bound of that. */
  size: number;
}

/** What a table holds at an index: a field, an entry that is not known, or no entry at all. */
export type TableLookup = Header | "unknown" | "none";

const entryOverhead = 32;
const memoryLimit = 256 * 1024;

export class HpackTable {
  /** Oldest first. */
  #entries: Entry[] = [];
  #size = 0;
  /** True when the encoder's table holds nothing below `#entries`. */
  #isWhole: boolean;
  /** Null where no size update was seen and the connection's start neither. */
  #maxSize: number | null;

  /** A connection starts with an empty table of 4096 bytes; `isStart` false gives a table of which nothing is known. */
  constructor(isStart: boolean) {
    this.#isWhole = isStart;
    this.#maxSize = isStart ? 4096 : null;
  }

  /** The entry at an index counted from 1, the newest. */
  lookup(index: number): TableLookup {
    const entry = this.#entries[this.#entries.length - index];
    return entry?.field ?? (this.#isWhole ? "none" : "unknown");
  }

  insert(field: Header): void {
    const size = entryOverhead + (field[0]?.length ?? 0) + (field[1]?.length ?? 0);
    this.#entries.push({ field, size });
    this.#size += size;
    this.#evict();
  }

  /** Follows a size update of the encoder, after which the maximum is known, whatever it was. */
  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    if (maxSize < entryOverhead) this.#isWhole = true;
    this.#evict();
  }

  #evict(): void {
    const maxSize = this.#maxSize ?? Infinity;
    while (this.#size > Math.min(maxSize, memoryLimit)) {
      // What the encoder evicts, it evicts after all that was older; what goes for our memory alone, it may still have.
      this.#isWhole = this.#size > maxSize;
      this.#size -= this.#entries.shift()?.size ?? 0;
    }
  }
}
