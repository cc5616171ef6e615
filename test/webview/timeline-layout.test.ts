import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExchangeRow } from "../../src/protocol/editor.ts";
import { RowStore, type Entry } from "../../webview/live-traffic/row-store.ts";
import { stackCounts } from "../../webview/live-traffic/timeline-counts.ts";
import { barAt, layOutBars, shownRange } from "../../webview/live-traffic/timeline-layout.ts";
import { connectionRow, exchangeRow } from "./sample-rows.ts";

const startMs = Date.parse("2026-01-31T12:00:00.000Z");

function entries(
  ...spans: [start: number, duration: number | null, change?: Partial<ExchangeRow>][]
): readonly Entry[] {
  const store = new RowStore();
  store.put(
    spans.map(([start, durationMs, change], index) =>
      exchangeRow({
        id: `x${index}`,
        startedAt: new Date(startMs + start).toISOString(),
        durationMs,
        ...change,
      }),
    ),
  );
  return store.all;
}

const round = (value: number) => Math.round(value - startMs);

test("timeline: shows everything up to the newest end, whatever the wall clock says", () => {
  const range = shownRange(entries([0, 100], [4000, 1000], [4500, 10]), "1m");
  assert.deepStrictEqual([round(range?.fromMs ?? 0), round(range?.toMs ?? 0)], [0, 5050]);
});

test("timeline: shows no more than the span, and at least a second", () => {
  assert.equal(round(shownRange(entries([0, 100], [60_000, 0]), "10s")?.fromMs ?? 0), 50_000);
  assert.equal(round(shownRange(entries([0, 100], [60_000, 0]), "all")?.fromMs ?? 0), 0);
  assert.equal(round(shownRange(entries([500, 0]), "1m")?.fromMs ?? 0), -500);
  assert.equal(shownRange([], "1m"), null);
});

test("timeline: bars that overlap in time lie in different lanes", () => {
  const range = { fromMs: startMs, toMs: startMs + 1000 };
  const { bars } = layOutBars(entries([0, 500], [100, 100], [300, 100], [600, 100]), range, 1000, 3);
  assert.deepStrictEqual(
    bars.map(({ left, width, lane }) => [left, width, lane]),
    [
      [0, 500, 0],
      [100, 100, 1],
      [300, 100, 1],
      [600, 100, 0],
    ],
  );
});

test("timeline: short exchanges can be seen, pending ones reach to the end, others are left out", () => {
  const range = { fromMs: startMs, toMs: startMs + 1000 };
  const { bars } = layOutBars(
    entries(
      [10, 0.1],
      [400, null, { state: "pending" }],
      [500, null, { state: "incomplete" }],
      [2000, 5],
      [-500, 100],
    ),
    range,
    1000,
    4,
  );
  assert.deepStrictEqual(
    bars.map(({ left, width, outcome }) => [left, width, outcome]),
    [
      [10, 3, "success"],
      [400, 600, "pending"],
      [500, 3, "incomplete"],
    ],
  );
});

test("timeline: when all lanes are taken, the one that is free first is used", () => {
  const range = { fromMs: startMs, toMs: startMs + 1000 };
  const { bars } = layOutBars(entries([0, 900], [0, 300], [10, 50]), range, 1000, 2);
  assert.equal(bars[2]?.lane, 1);
});

test("timeline: many bars that cover one another are a crowd", () => {
  const range = { fromMs: startMs, toMs: startMs + 1000 };
  const many = entries(...Array.from({ length: 100 }, (_, index): [number, number] => [index, 500]));
  assert.equal(layOutBars(many, range, 1000, 6).crowded, true);
  assert.equal(layOutBars(many, range, 1000, 100).crowded, false);
});

test("timeline: a crowd is counted in slices, errors at the bottom", () => {
  const range = { fromMs: startMs, toMs: startMs + 1000 };
  const crowd = entries(
    [0, 5],
    [1, 5],
    [2, 5, { status: 500 }],
    [3, 5],
    [500, 5, { status: 404 }],
    [5000, 5],
  );
  assert.deepStrictEqual(stackCounts(crowd, range, { width: 1000, height: 40 }), [
    { outcome: "server-error", left: 0, top: 30, width: 3, height: 10 },
    { outcome: "success", left: 0, top: 0, width: 3, height: 30 },
    { outcome: "client-error", left: 500, top: 30, width: 3, height: 10 },
  ]);
});

test("timeline: a click means the nearest bar within reach", () => {
  const range = { fromMs: startMs, toMs: startMs + 1000 };
  const { bars } = layOutBars(entries([0, 100], [50, 100]), range, 1000, 3);
  assert.equal(barAt(bars, 60, 0, 8)?.entry.row.id, "x0");
  assert.equal(barAt(bars, 60, 1, 8)?.entry.row.id, "x1");
  assert.equal(barAt(bars, 155, 1, 8)?.entry.row.id, "x1");
  assert.equal(barAt(bars, 400, 0, 8), null);
});

test("timeline: a connection that is still open reaches to the range's end", () => {
  const store = new RowStore();
  const startedAt = new Date(startMs).toISOString();
  store.put([
    connectionRow({ id: "open", startedAt, state: "open", durationMs: null }),
    connectionRow({ id: "watched", startedAt, state: "open", durationMs: 500 }),
    connectionRow({ id: "blocked", startedAt, state: "blocked", durationMs: null }),
  ]);
  const { bars } = layOutBars(store.all, { fromMs: startMs, toMs: startMs + 1000 }, 100, 6);
  assert.deepStrictEqual(
    bars.map(({ entry, outcome, width }) => [entry.row.id, outcome, width]),
    [
      ["open", "metadata", 100],
      ["watched", "metadata", 50],
      ["blocked", "blocked", 3],
    ],
  );
});
