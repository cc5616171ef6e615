import assert from "node:assert/strict";
import { test } from "node:test";
import { TrafficStore } from "../../../src/analyzer/server/traffic-store.ts";
import { exchange, message } from "./traffic-fixtures.ts";

const held = (store: TrafficStore, ids: string[]) => ids.filter((id) => store.get(id) !== null);

test("store: the oldest leave when there are too many", () => {
  const store = new TrafficStore({ items: 2, bytes: Infinity });
  for (const id of ["a", "b", "c"]) store.put(message(id));
  assert.deepStrictEqual(held(store, ["a", "b", "c"]), ["b", "c"]);
});

test("store: the oldest leave when their text is too much", () => {
  const store = new TrafficStore({ items: 100, bytes: 10_000 });
  for (const id of ["a", "b", "c"]) store.put(message(id, { preview: { hex: "00".repeat(1000) } }));
  assert.deepStrictEqual(held(store, ["a", "b", "c"]), ["c"]);
});

test("store: an exchange larger than the whole store is not held", () => {
  const store = new TrafficStore({ items: 100, bytes: 10_000 });
  store.put(exchange("a", { response: { ...response, body: { text: "x".repeat(20_000) } } }));
  assert.equal(store.get("a"), null);
});

test("store: an exchange replaces its pending self, and its bytes count once", () => {
  const store = new TrafficStore({ items: 100, bytes: 10_000 });
  const large = { ...response, body: { text: "x".repeat(3000) } };
  for (let round = 0; round < 5; round++) store.put(exchange("a", { response: large, durationMs: round }));
  const { durationMs } = store.get("a") as { durationMs: number };
  assert.equal(durationMs, 4);
});

test("store: clearing frees its room", () => {
  const store = new TrafficStore({ items: 100, bytes: 3000 });
  for (const id of ["a", "b"]) store.put(message(id));
  store.clear();
  for (const id of ["c", "d"]) store.put(message(id));
  assert.deepStrictEqual(held(store, ["a", "b", "c", "d"]), ["c", "d"]);
});

const response = { status: 200, reason: "OK", headers: [], bodySize: 20_000 };
