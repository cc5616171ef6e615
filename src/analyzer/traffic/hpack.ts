// HPACK (RFC 7541): header blocks of one direction of one connection back into fields. It follows what the encoder says
// and tells unknown from wrong; what fields mean in HTTP is http2-head.ts's.
import type { Header } from "../../protocol/traffic.ts";
import { HpackReader } from "./hpack-reader.ts";
import { staticTable } from "./hpack-static.ts";
import { HpackTable } from "./hpack-table.ts";

export interface DecodedBlock {
  /** One for each field line, in order; those before the fault where there is a problem. */
  fields: Header[];
  /** Why the block could not be decoded to its end, or was not kept whole; null when all is well. */
  problem: string | null;
}

/** Bytes of names and values (and 32 for each field) kept of one block. */
const headerListLimit = 1024 * 1024;

export class HpackDecoder {
  #table: HpackTable;
  /** The largest table that the receiver ever allowed; null where its SETTINGS may have been missed. */
  #tableSizeLimit: number | null;

  /** `isStart`: the first block handed in will be the connection's first. */
  constructor(isStart: boolean) {
    this.#table = new HpackTable(isStart);
    this.#tableSizeLimit = isStart ? 4096 : null;
  }

  /** The receiver's SETTINGS_HEADER_TABLE_SIZE. When it is acknowledged is not followed: the largest ever seen counts. */
  allowTableSize(size: number): void {
    if (this.#tableSizeLimit !== null) this.#tableSizeLimit = Math.max(this.#tableSizeLimit, size);
  }

  /** SETTINGS of the receiver may have been lost. */
  forgetTableSizeLimit(): void {
    this.#tableSizeLimit = null;
  }

  /** A block was lost: nothing is known of the dynamic table any more. */
  forget(): void {
    this.#table = new HpackTable(false);
  }

  /** Decodes one whole block. After a fault the table is forgotten, for what followed in the block is not known. */
  decode(block: Uint8Array): DecodedBlock {
    const reader = new HpackReader(block);
    const fields: Header[] = [];
    let listSize = 0;
    for (let first = reader.peek(); first !== undefined; first = reader.peek()) {
      const step =
        (first & 0xe0) === 0x20 ? this.#sizeUpdate(reader, listSize > 0) : this.#field(reader, first);
      if (typeof step === "string") {
        this.forget();
        return { fields, problem: step };
      }
      if (step === null) continue;
      listSize += 32 + (step[0]?.length ?? 0) + (step[1]?.length ?? 0);
      if (listSize <= headerListLimit) fields.push([...step]);
    }
    return { fields, problem: listSize > headerListLimit ? "the header list is larger than 1 MiB" : null };
  }

  /** Null when done, or the fault. */
  #sizeUpdate(reader: HpackReader, isAfterField: boolean): null | string {
    const size = reader.integer(5);
    if (size === null) return "a table size update is cut short or too large";
    if (isAfterField) return "a table size update follows a field";
    if (this.#tableSizeLimit !== null && size > this.#tableSizeLimit) {
      return "a table size update exceeds what the receiver allowed";
    }
    this.#table.resize(size);
    return null;
  }

  #field(reader: HpackReader, first: number): Header | string {
    const isIndexed = (first & 0x80) !== 0;
    const isInserted = (first & 0xc0) === 0x40;
    const index = reader.integer(isIndexed ? 7 : isInserted ? 6 : 4);
    if (index === null) return "an index is cut short or too large";

    if (isIndexed) return this.#lookup(index) ?? "an index refers to no entry";
    const name = index === 0 ? reader.string() : this.#lookup(index)?.[0];
    if (name === undefined) return "a name is not readable";
    const value = reader.string();
    if (value === undefined) return "a value is not readable";
    const field: Header = [name, value];
    if (isInserted) this.#table.insert(field);
    return field;
  }

  /** Null where no entry is, or can be, at that index. */
  #lookup(index: number): Header | null {
    const fixed = staticTable[index - 1];
    if (fixed !== undefined) return fixed;
    const entry = index === 0 ? "none" : this.#table.lookup(index - staticTable.length);
    if (entry === "none") return null;
    return entry === "unknown" ? [null, null] : entry;
  }
}
