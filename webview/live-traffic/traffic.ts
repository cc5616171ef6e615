// The rows the view holds: those on screen, those held back while paused, and which of them filter and time range
// let through. It draws nothing.
import type { TrafficRow } from "../../src/protocol/editor.ts";
import { parseFilter } from "./filter.ts";
import { RowStore, type Entry } from "./row-store.ts";
import type { TimeRange } from "./time-range.ts";

export class Traffic {
  readonly #store: RowStore;
  /** What arrives while paused; bounded like the store. */
  readonly #held: RowStore;
  #paused: boolean;
  #range: TimeRange | null = null;
  #filterError: string | null = null;

  /** `limit`: rows kept on screen, and as many held back. */
  constructor(paused: boolean, limit?: number) {
    this.#paused = paused;
    this.#store = new RowStore(limit);
    this.#held = new RowStore(limit);
  }

  get all(): readonly Entry[] {
    return this.#store.all;
  }

  /** Entries that pass the filter, whenever they were. */
  get matching(): readonly Entry[] {
    return this.#store.matching;
  }

  /** Entries that pass the filter and lie in the time range. */
  get shown(): readonly Entry[] {
    return this.#store.shown;
  }

  get heldCount(): number {
    return this.#held.all.length;
  }

  /** Rows that came, or were left out on their way, and are not kept. */
  get droppedCount(): number {
    return this.#store.dropped + this.#held.dropped;
  }

  get range(): TimeRange | null {
    return this.#range;
  }

  /** What is wrong with the filter's text, as a sentence. */
  get filterError(): string | null {
    return this.#filterError;
  }

  byId(id: string): Entry | undefined {
    return this.#store.byId(id);
  }

  /** Begins anew with these rows, paused or not: they are what the view showed before a reload. */
  restore(rows: readonly TrafficRow[], dropped: number): void {
    this.clear();
    this.#store.countDropped(dropped);
    this.#store.put(rows);
  }

  /** Takes a batch of rows; `dropped` of them were left out before they came here. */
  add(rows: readonly TrafficRow[], dropped: number): void {
    const store = this.#paused ? this.#held : this.#store;
    store.countDropped(dropped);
    store.put(rows);
  }

  /** Pausing holds back what comes from now on; resuming shows it. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
    if (paused) return;
    this.#store.countDropped(this.#held.dropped);
    this.#store.put(this.#held.all.map((entry) => entry.row));
    this.#held.clear();
  }

  /** While the text cannot be understood, the filter before it stays. */
  setFilter(text: string): void {
    const filter = parseFilter(text);
    this.#filterError = filter.ok ? null : filter.message;
    if (filter.ok) this.#store.setFilter(filter.matches);
  }

  setRange(range: TimeRange | null): void {
    this.#range = range;
    this.#store.setRange(range);
  }

  clear(): void {
    this.#store.clear();
    this.#held.clear();
    this.setRange(null);
  }
}
