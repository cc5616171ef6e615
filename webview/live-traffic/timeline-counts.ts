// What the timeline shows when exchanges are too many to tell apart: how many began in each slice of time, stacked by
// outcome. Pure; timeline.ts draws.
import { outcomeOf, type Outcome } from "./row-facts.ts";
import type { Entry } from "./row-store.ts";
import type { TimeRange } from "./time-range.ts";

export interface Rectangle {
  outcome: Outcome;
  /** CSS pixels. */
  left: number;
  top: number;
  width: number;
  height: number;
}

const sliceWidth = 4;
const gap = 1;

/** From the bottom up: errors stand on the base line, where their heights compare best. */
export const stackOrder: readonly Outcome[] = [
  "server-error",
  "blocked",
  "client-error",
  "incomplete",
  "redirect",
  "informational",
  "message",
  "success",
  "pending",
  // Connections last longest: drawn first, they cover nothing.
  "metadata",
];

/** Stacked columns; the fullest slice has the whole height. */
export function stackCounts(
  entries: readonly Entry[],
  range: TimeRange,
  size: { width: number; height: number },
): Rectangle[] {
  const perMs = size.width / (range.toMs - range.fromMs);
  const slices = new Map<number, Map<Outcome, number>>();
  let fullest = 0;
  const totals = new Map<number, number>();
  for (const { row, startMs } of entries) {
    if (startMs < range.fromMs || startMs > range.toMs) continue;
    const slice = Math.floor(((startMs - range.fromMs) * perMs) / sliceWidth);
    const counts = slices.get(slice) ?? new Map<Outcome, number>();
    slices.set(slice, counts);
    const outcome = outcomeOf(row);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    const total = (totals.get(slice) ?? 0) + 1;
    totals.set(slice, total);
    fullest = Math.max(fullest, total);
  }
  const rectangles: Rectangle[] = [];
  for (const [slice, counts] of slices) {
    let top = size.height;
    for (const outcome of stackOrder) {
      const height = ((counts.get(outcome) ?? 0) / fullest) * size.height;
      if (height === 0) continue;
      top -= height;
      rectangles.push({ outcome, left: slice * sliceWidth, top, width: sliceWidth - gap, height });
    }
  }
  return rectangles;
}
