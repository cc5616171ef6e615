// Gathers rows and hands them on in batches, so that a burst never floods the editor: a steady beat, a cap for each
// batch, one row per id, and a count of what was left out.
import type { TrafficParams, TrafficRow } from "../../protocol/editor.ts";

export interface BatchLimits {
  intervalMs: number;
  /** Rows in one batch. */
  rows: number;
}

export class TrafficBatches {
  readonly #send: (params: TrafficParams) => Promise<void>;
  readonly #limits: BatchLimits;
  readonly #waiting = new Map<string, TrafficRow>();
  /** Pending rows that the editor already shows: their outcome must reach it, whatever the burst. */
  readonly #shownPending = new Set<string>();
  #dropped = 0;
  #timer: NodeJS.Timeout | null = null;
  #isSending = false;

  /** No batch is sent before the last one was taken: an editor that is slow to read never makes a queue. */
  constructor(limits: BatchLimits, send: (params: TrafficParams) => Promise<void>) {
    this.#limits = limits;
    this.#send = send;
  }

  add(row: TrafficRow): void {
    const hasPlace =
      this.#waiting.has(row.id) || this.#shownPending.has(row.id) || this.#waiting.size < this.#limits.rows;
    if (hasPlace) this.#waiting.set(row.id, row);
    // A pending row that finds no place is not yet lost: its outcome comes and is counted, or finds one.
    else if (!isPending(row)) this.#dropped += 1;
    this.#schedule();
  }

  /** Sends what waits, now; or at the next beat while the last batch is not yet taken. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#waiting.size === 0 && this.#dropped === 0) return;
    if (this.#isSending) {
      this.#schedule();
      return;
    }
    const rows = [...this.#waiting.values()];
    const dropped = this.#dropped;
    this.#waiting.clear();
    this.#dropped = 0;
    for (const row of rows) {
      if (isPending(row)) this.#shownPending.add(row.id);
      else this.#shownPending.delete(row.id);
    }
    this.#isSending = true;
    void this.#send({ rows, dropped }).finally(() => {
      this.#isSending = false;
    });
  }

  /** Forgets what waits, without sending it. */
  clear(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting.clear();
    this.#shownPending.clear();
    this.#dropped = 0;
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => {
      this.flush();
    }, this.#limits.intervalMs);
  }
}

/** Another row with its id will follow. */
function isPending(row: TrafficRow): boolean {
  switch (row.type) {
    case "exchange":
      return row.state === "pending";
    case "message":
      return false;
    case "connection":
      return row.state === "open" && row.durationMs === null;
  }
}
