// A span of time, and whether a row of traffic falls into it.
import type { TrafficRow } from "../../src/protocol/editor.ts";

/** Milliseconds since the epoch, both ends included. */
export interface TimeRange {
  fromMs: number;
  toMs: number;
}

interface Lasting {
  row: TrafficRow;
  startMs: number;
  endMs: number | null;
}

/** True when any part of the exchange or connection lies within the range. */
export function overlaps(lasting: Lasting, range: TimeRange): boolean {
  return lasting.startMs <= range.toMs && endWithin(lasting, range) >= range.fromMs;
}

/** When it ended; what still goes on reaches to the range's end, an exchange whose end was not seen is an instant. */
export function endWithin({ row, startMs, endMs }: Lasting, range: TimeRange): number {
  const goesOn = row.type !== "message" && (row.state === "pending" || row.state === "open");
  return endMs ?? (goesOn ? Math.max(startMs, range.toMs) : startMs);
}
