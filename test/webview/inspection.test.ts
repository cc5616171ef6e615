import assert from "node:assert/strict";
import { test } from "node:test";
import { Inspection } from "../../webview/live-traffic/inspection.ts";
import { Traffic } from "../../webview/live-traffic/traffic.ts";
import { connectionRow, exchangeRow, messageRow } from "./sample-rows.ts";

function open() {
  const traffic = new Traffic(false);
  const asked: string[] = [];
  return { traffic, asked, inspection: new Inspection(traffic, (id) => asked.push(id)) };
}

test("inspection: a row's details are asked for once for each state of it", () => {
  const { traffic, asked, inspection } = open();
  traffic.add([exchangeRow({ id: "a", state: "pending" })], 0);
  inspection.selectById("a");
  inspection.inspect();
  inspection.inspect();
  assert.deepStrictEqual(asked, ["a"]);
  traffic.add([exchangeRow({ id: "a", state: "complete" })], 0);
  inspection.inspect();
  assert.deepStrictEqual(asked, ["a", "a"]);
});

test("inspection: an answer stays while its row goes on, and is not another row's", () => {
  const { traffic, inspection } = open();
  traffic.add([exchangeRow({ id: "a", state: "pending" }), exchangeRow({ id: "b" })], 0);
  inspection.selectById("a");
  assert.equal(inspection.inspect()?.details, undefined);
  inspection.answer("b", null);
  assert.equal(inspection.inspect()?.details, undefined);
  inspection.answer("a", null);
  traffic.add([exchangeRow({ id: "a", state: "complete" })], 0);
  assert.equal(inspection.inspect()?.details, null);
  inspection.selectById("b");
  assert.equal(inspection.inspect()?.details, undefined);
});

test("inspection: a connection is whole by itself, and counts the rows that are its content", () => {
  const { traffic, asked, inspection } = open();
  const row = connectionRow({ id: "n" });
  const content = exchangeRow({ id: "a", connection: { ...row.connection, id: "c", hello: "n" } });
  traffic.add([row, content, messageRow({ id: "m" })], 0);
  inspection.selectById("n");
  assert.deepStrictEqual([inspection.inspect()?.decryptedCount, asked], [1, []]);
});

test("inspection: a row that has left the list is deselected once", () => {
  const { traffic, inspection } = open();
  traffic.add([exchangeRow({ id: "a" })], 0);
  inspection.selectById("a");
  assert.equal(inspection.dropIfGone(), false);
  traffic.clear();
  assert.equal(inspection.dropIfGone(), true);
  assert.deepStrictEqual(
    [inspection.dropIfGone(), inspection.entry, inspection.inspect()],
    [false, null, null],
  );
});

test("inspection: an id that is not in the list selects nothing", () => {
  const { traffic, inspection } = open();
  traffic.add([exchangeRow({ id: "a" })], 0);
  for (const id of ["b", null]) {
    inspection.selectById("a");
    inspection.selectById(id);
    assert.equal(inspection.entry, null);
  }
});
