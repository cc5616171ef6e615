// The bounded memory of the view: rows in arrival order, the newest kept, each with what the list and the timeline
// would otherwise compute on every frame.
import type { TrafficRow } from "../../src/protocol/editor.ts";
import { overlaps, type TimeRange } from "./time-range.ts";

export interface Entry {
  row: TrafficRow;
  /** Arrival ordinal since the last clear; never reused. */
  readonly sequence: number;
  /** Milliseconds since the epoch; NaN when the row's instant cannot be read. */
  startMs: number;
  /** Null while the exchange is pending, or when its end was not seen. */
  endMs: number | null;
  /** Passes the filter. */
  matching: boolean;
  /** Passes the filter, and lies in the selected time range. */
  shown: boolean;
}

/** More rows than this are not kept: the oldest leave, and are counted. */
export const rowLimit = 10_000;

export class RowStore {
  readonly #limit: number;
  #entries: Entry[] = [];
  readonly #byId = new Map<string, Entry>();
  #filter: (row: TrafficRow) => boolean = () => true;
  #range: TimeRange | null = null;
  #matching: readonly Entry[] | null = null;
  #shown: readonly Entry[] | null = null;
  #nextSequence = 0;
  #dropped = 0;

  constructor(limit: number = rowLimit) {
    this.#limit = limit;
  }

  /** All kept entries, in arrival order. */
  get all(): readonly Entry[] {
    return this.#entries;
  }

  /** The entries that pass the filter, whenever they were; the same array until something changes. */
  get matching(): readonly Entry[] {
    this.#matching ??= this.#entries.filter((entry) => entry.matching);
    return this.#matching;
  }

  /** The entries that pass the filter and lie in the time range; the same array until something changes. */
  get shown(): readonly Entry[] {
    this.#shown ??= this.#entries.filter((entry) => entry.shown);
    return this.#shown;
  }

  /** Rows that were dropped since the last clear because more came than are kept. */
  get dropped(): number {
    return this.#dropped;
  }

  byId(id: string): Entry | undefined {
    return this.#byId.get(id);
  }

  /** Adds rows; a row with a known id replaces that row and keeps its place. */
  put(rows: readonly TrafficRow[]): void {
    for (const row of rows) {
      const known = this.#byId.get(row.id);
      const entry = known ?? {
        row,
        sequence: this.#nextSequence++,
        startMs: 0,
        endMs: null,
        matching: true,
        shown: true,
      };
      entry.row = row;
      entry.startMs = Date.parse(row.startedAt);
      entry.endMs = endOf(row, entry.startMs);
      entry.matching = this.#filter(row);
      this.#show(entry);
      if (known === undefined) {
        this.#entries.push(entry);
        this.#byId.set(row.id, entry);
      }
    }
    const excess = this.#entries.length - this.#limit;
    if (excess > 0) {
      for (const gone of this.#entries.splice(0, excess)) this.#byId.delete(gone.row.id);
      this.#dropped += excess;
    }
    this.#forgetViews();
  }

  /** Counts rows that were dropped before they came here. */
  countDropped(count: number): void {
    this.#dropped += count;
  }

  setFilter(matches: (row: TrafficRow) => boolean): void {
    this.#filter = matches;
    for (const entry of this.#entries) {
      entry.matching = matches(entry.row);
      this.#show(entry);
    }
    this.#forgetViews();
  }

  /** Shows only what overlaps the range; null shows all. */
  setRange(range: TimeRange | null): void {
    this.#range = range;
    for (const entry of this.#entries) this.#show(entry);
    this.#forgetViews();
  }

  clear(): void {
    this.#entries = [];
    this.#byId.clear();
    this.#dropped = 0;
    this.#forgetViews();
  }

  #show(entry: Entry): void {
    entry.shown = entry.matching && (this.#range === null || overlaps(entry, this.#range));
  }

  #forgetViews(): void {
    this.#matching = null;
    this.#shown = null;
  }
}

/** Index of the entry in a list in arrival order; when it is not there, `-1 - index` of the next later one. */
export function indexOfSequence(entries: readonly Entry[], sequence: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((entries[middle]?.sequence ?? Infinity) < sequence) low = middle + 1;
    else high = middle;
  }
  return entries[low]?.sequence === sequence ? low : -1 - low;
}

function endOf(row: TrafficRow, startMs: number): number | null {
  if (row.type === "message") return startMs;
  return row.durationMs === null ? null : startMs + row.durationMs;
}
