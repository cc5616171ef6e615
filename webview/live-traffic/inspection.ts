// The row that is selected, and its details, which the extension is asked for. It draws nothing.
import type { DetailsResult, TrafficRow } from "../../src/protocol/editor.ts";
import { isContentOf } from "./connection-facts.ts";
import type { Entry } from "./row-store.ts";
import type { Traffic } from "./traffic.ts";

/** `undefined` while they are on their way, null when the analyzer no longer keeps them. */
export type Details = DetailsResult | undefined;

export interface Inspected {
  entry: Entry;
  details: Details;
  /** Rows of the list in which this connection, of which there is metadata, is seen decrypted. */
  decryptedCount: number;
}

export class Inspection {
  readonly #traffic: Traffic;
  readonly #ask: (id: string) => void;
  #entry: Entry | null = null;
  /** The row whose details were asked for last, and the answer. */
  #asked: TrafficRow | null = null;
  #details: Details;

  constructor(traffic: Traffic, ask: (id: string) => void) {
    this.#traffic = traffic;
    this.#ask = ask;
  }

  get entry(): Entry | null {
    return this.#entry;
  }

  select(entry: Entry): void {
    this.#entry = entry;
  }

  /** Selects the row of this id, if it is there; else none. */
  selectById(id: string | null): void {
    this.#entry = (id === null ? undefined : this.#traffic.byId(id)) ?? null;
  }

  /** Deselects a row that has left the list; true when it had. */
  dropIfGone(): boolean {
    if (this.#entry === null || this.#traffic.byId(this.#entry.row.id) === this.#entry) return false;
    this.#entry = null;
    return true;
  }

  answer(id: string, details: DetailsResult): void {
    if (id === this.#asked?.id) this.#details = details;
  }

  /** What is known of the selected row; asks once for each state of it, and the earlier answer stays while it goes on. */
  inspect(): Inspected | null {
    if (this.#entry === null) return null;
    const { row } = this.#entry;
    this.#askFor(row);
    return { entry: this.#entry, details: this.#details, decryptedCount: this.#decryptedCount(row) };
  }

  #askFor(row: TrafficRow): void {
    if (row === this.#asked) return;
    if (row.id !== this.#asked?.id) this.#details = undefined;
    this.#asked = row;
    // The row of a connection is whole by itself.
    if (row.type !== "connection") this.#ask(row.id);
  }

  #decryptedCount(row: TrafficRow): number {
    if (row.type !== "connection") return 0;
    return this.#traffic.all.filter((entry) => isContentOf(entry.row, row)).length;
  }
}
