import assert from "node:assert/strict";
import { test } from "node:test";
import { Traffic } from "../../webview/live-traffic/traffic.ts";
import { exchangeRow } from "./sample-rows.ts";

const rows = (...ids: string[]) => ids.map((id) => exchangeRow({ id }));
const shown = (traffic: Traffic) => traffic.shown.map((entry) => entry.row.id);

test("traffic: pausing holds back new rows and changes to old ones, resuming shows both", () => {
  const traffic = new Traffic(false);
  traffic.add(rows("a", "b"), 0);
  traffic.setPaused(true);
  traffic.add([exchangeRow({ id: "a", status: 500 }), ...rows("c")], 0);
  assert.deepStrictEqual([shown(traffic), traffic.heldCount], [["a", "b"], 2]);
  traffic.setPaused(false);
  const first = traffic.shown[0]?.row;
  assert.deepStrictEqual([shown(traffic), traffic.heldCount], [["a", "b", "c"], 0]);
  assert.equal(first?.type === "exchange" && first.status, 500);
});

test("traffic: what is held is bounded too, and every dropped row is counted once", () => {
  const traffic = new Traffic(true, 2);
  traffic.add(rows("a", "b", "c", "d"), 5);
  assert.deepStrictEqual([traffic.heldCount, traffic.droppedCount], [2, 7]);
  traffic.setPaused(false);
  assert.deepStrictEqual([shown(traffic), traffic.droppedCount], [["c", "d"], 7]);
});

test("traffic: a restore shows its rows even when paused", () => {
  const traffic = new Traffic(true);
  traffic.restore(rows("a"), 3);
  assert.deepStrictEqual([shown(traffic), traffic.droppedCount], [["a"], 3]);
});

test("traffic: a filter that cannot be understood leaves the one before it", () => {
  const traffic = new Traffic(false);
  traffic.add([exchangeRow({ id: "a", status: 404 }), ...rows("b")], 0);
  traffic.setFilter("status:404");
  traffic.setFilter("status:40");
  assert.deepStrictEqual([shown(traffic), traffic.filterError !== null], [["a"], true]);
  traffic.setFilter("");
  assert.deepStrictEqual([shown(traffic), traffic.filterError], [["a", "b"], null]);
});

test("traffic: a clear forgets rows, held rows, counts and the time range", () => {
  const traffic = new Traffic(true);
  traffic.restore(rows("a"), 3);
  traffic.add(rows("b"), 0);
  traffic.setRange({ fromMs: 0, toMs: 1 });
  traffic.clear();
  assert.deepStrictEqual(
    [traffic.all.length, traffic.heldCount, traffic.droppedCount, traffic.range],
    [0, 0, 0, null],
  );
});
