import assert from "node:assert/strict";
import { test } from "node:test";
import { indexOfSequence, RowStore } from "../../webview/live-traffic/row-store.ts";
import { exchangeRow } from "./sample-rows.ts";

const numbered = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => exchangeRow({ id: `x${from + index}`, status: 200 + index }));
const ids = (entries: readonly { row: { id: string } }[]) => entries.map((entry) => entry.row.id);

test("row store: a row with a known id replaces that row and keeps its place", () => {
  const store = new RowStore();
  store.put(numbered(3));
  store.put([exchangeRow({ id: "x1", status: 500, durationMs: 7 })]);
  assert.deepStrictEqual(ids(store.all), ["x0", "x1", "x2"]);
  const entry = store.byId("x1");
  assert.equal(entry?.row.type === "exchange" && entry.row.status, 500);
  assert.equal((entry?.endMs ?? 0) - (entry?.startMs ?? 0), 7);
});

test("row store: keeps the newest rows and counts those it drops", () => {
  const store = new RowStore(5);
  store.put(numbered(3));
  store.put(numbered(6, 3));
  store.countDropped(10);
  assert.deepStrictEqual(ids(store.all), ["x4", "x5", "x6", "x7", "x8"]);
  assert.equal(store.dropped, 14);
  assert.equal(store.byId("x3"), undefined);
});

test("row store: a single batch above the limit is bounded too", () => {
  const store = new RowStore(5);
  store.put(numbered(12));
  assert.deepStrictEqual([store.all.length, store.dropped, store.all[0]?.row.id], [5, 7, "x7"]);
});

test("row store: the filter holds for rows that come later and rows that change", () => {
  const store = new RowStore();
  store.put(numbered(2));
  store.setFilter((row) => row.type === "exchange" && row.status === 404);
  assert.deepStrictEqual(ids(store.shown), []);
  store.put([exchangeRow({ id: "x1", status: 404 }), exchangeRow({ id: "x9", status: 404 })]);
  assert.deepStrictEqual(ids(store.shown), ["x1", "x9"]);
});

test("row store: the time range narrows what is shown, not what matches", () => {
  const store = new RowStore();
  store.put([
    exchangeRow({ id: "early", startedAt: "2026-01-31T12:00:00.000Z", durationMs: 100 }),
    exchangeRow({ id: "late", startedAt: "2026-01-31T12:00:05.000Z", durationMs: 100 }),
    exchangeRow({ id: "open", startedAt: "2026-01-31T12:00:01.000Z", state: "pending", durationMs: null }),
  ]);
  const fromMs = Date.parse("2026-01-31T12:00:04.000Z");
  store.setRange({ fromMs, toMs: fromMs + 2000 });
  assert.deepStrictEqual([ids(store.shown), store.matching.length], [["late", "open"], 3]);
  store.setRange(null);
  assert.equal(store.shown.length, 3);
});

test("row store: gives the same array until something changes", () => {
  const store = new RowStore();
  store.put(numbered(2));
  const { shown } = store;
  assert.equal(store.shown, shown);
  store.put(numbered(1, 2));
  assert.notEqual(store.shown, shown);
});

test("row store: after a clear nothing is left, and sequences go on", () => {
  const store = new RowStore(2);
  store.put(numbered(3));
  store.clear();
  assert.deepStrictEqual([store.all.length, store.shown.length, store.dropped], [0, 0, 0]);
  store.put(numbered(1));
  assert.equal(store.all[0]?.sequence, 3);
});

test("row store: finds a sequence, or where it would be", () => {
  const store = new RowStore();
  store.put(numbered(6));
  const even = store.all.filter((entry) => entry.sequence % 2 === 0);
  assert.deepStrictEqual(
    [0, 1, 2, 4, 5, 9].map((sequence) => indexOfSequence(even, sequence)),
    [0, -2, 1, 2, -4, -4],
  );
});
