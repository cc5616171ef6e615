// Places exchanges on the timeline: the span of time that is shown, and a lane for each bar so that those that
// overlap in time lie above one another. Pure; timeline.ts draws.
import { outcomeOf, type Outcome } from "./row-facts.ts";
import type { Entry } from "./row-store.ts";
import type { TimelineSpan } from "./saved-state.ts";
import { endWithin, overlaps, type TimeRange } from "./time-range.ts";

export interface Bar {
  entry: Entry;
  outcome: Outcome;
  /** CSS pixels from the timeline's left edge. */
  left: number;
  width: number;
  lane: number;
}

const spanMs: Record<TimelineSpan, number> = { "10s": 10_000, "1m": 60_000, "10m": 600_000, all: Infinity };
/** So that a first lone exchange is not stretched over the whole width. */
const leastSpanMs = 1000;
/** A bar is at least this wide, or short exchanges could not be seen. */
const leastBarWidth = 3;
/** The share of bars that may cover others before counts tell more than bars. */
const mostCovering = 0.1;

/**
 * The range that the timeline shows: up to the newest instant known. Wall clock time plays no part, for the traffic
 * may come from a machine whose clock differs from that of the screen.
 */
export function shownRange(entries: readonly Entry[], span: TimelineSpan): TimeRange | null {
  let first = Infinity;
  let last = -Infinity;
  for (const { startMs, endMs } of entries) {
    if (startMs < first) first = startMs;
    if ((endMs ?? startMs) > last) last = endMs ?? startMs;
  }
  if (!Number.isFinite(first) || !Number.isFinite(last)) return null;
  const fromMs = Math.max(Math.min(first, last - leastSpanMs), last - spanMs[span]);
  // A little room on the right keeps the newest bar off the edge.
  return { fromMs, toMs: last + (last - fromMs) * 0.01 };
}

export interface Layout {
  bars: Bar[];
  /** More bars cover one another than one could tell apart. */
  crowded: boolean;
}

/** Bars of the entries within the range. A pending exchange reaches to the range's end. */
export function layOutBars(
  entries: readonly Entry[],
  range: TimeRange,
  width: number,
  laneCount: number,
): Layout {
  const perMs = width / (range.toMs - range.fromMs);
  const laneEnds = new Array<number>(laneCount).fill(-Infinity);
  const bars: Bar[] = [];
  let covering = 0;
  for (const entry of entries) {
    if (!overlaps(entry, range)) continue;
    const left = (entry.startMs - range.fromMs) * perMs;
    const barWidth = Math.max(leastBarWidth, (endWithin(entry, range) - entry.startMs) * perMs);
    let lane = laneEnds.findIndex((end) => end <= left);
    // All lanes taken: the one that ends first is the least covered.
    if (lane < 0) {
      lane = laneEnds.indexOf(Math.min(...laneEnds));
      covering += 1;
    }
    laneEnds[lane] = left + barWidth + 1;
    bars.push({ entry, outcome: outcomeOf(entry.row), left, width: barWidth, lane });
  }
  return { bars, crowded: covering > bars.length * mostCovering };
}

/** The bar at a point, or the nearest one in its lane's reach; null when none is within `reach` pixels. */
export function barAt(bars: readonly Bar[], x: number, lane: number, reach: number): Bar | null {
  let best: Bar | null = null;
  let bestDistance = reach;
  for (const bar of bars) {
    const aside = Math.max(bar.left - x, x - bar.left - bar.width, 0);
    const distance = aside + Math.abs(bar.lane - lane) * 2;
    if (distance <= bestDistance) {
      best = bar;
      bestDistance = distance;
    }
  }
  return best;
}
