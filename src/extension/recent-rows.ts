// The newest rows of traffic, kept in the extension so that a webview that comes back shows what it showed before.
import type { TrafficParams, TrafficRow } from "../protocol/editor.ts";

export class RecentRows {
  readonly #limit: number;
  readonly #rows = new Map<string, TrafficRow>();
  #dropped = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** In the order in which they first came. */
  get rows(): TrafficRow[] {
    return [...this.#rows.values()];
  }

  /** Rows that the analyzer left out of its batches since the last clear. */
  get dropped(): number {
    return this.#dropped;
  }

  add({ rows, dropped }: TrafficParams): void {
    this.#dropped += dropped;
    for (const row of rows) this.#rows.set(row.id, row);
    for (const id of this.#rows.keys()) {
      if (this.#rows.size <= this.#limit) break;
      this.#rows.delete(id);
    }
  }

  clear(): void {
    this.#rows.clear();
    this.#dropped = 0;
  }
}
