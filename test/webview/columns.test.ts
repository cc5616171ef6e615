import assert from "node:assert/strict";
import { test } from "node:test";
import { fitColumns, type ColumnId } from "../../webview/live-traffic/columns.ts";

const fitted = (width: number, hidden: ColumnId[] = [], widths = {}) =>
  fitColumns(width, { hidden: new Set(hidden), widths }).columns.map((column) => column.id);

test("columns: all fit into a wide list", () => {
  assert.deepStrictEqual(fitted(1200), [
    "status",
    "method",
    "host",
    "path",
    "process",
    "type",
    "size",
    "duration",
    "time",
  ]);
});

test("columns: the least telling give way first, status, method and path never", () => {
  assert.deepStrictEqual(fitted(800), ["status", "method", "host", "path", "process", "size", "duration"]);
  assert.deepStrictEqual(fitted(360), ["status", "method", "path", "duration"]);
  assert.deepStrictEqual(fitted(100), ["status", "method", "path"]);
});

test("columns: those the user hides leave room for others", () => {
  assert.deepStrictEqual(fitted(360, ["duration", "path"]), ["status", "method", "path", "size"]);
});

test("columns: the path takes what the widths leave", () => {
  const { template } = fitColumns(420, { hidden: new Set(), widths: { method: 90 } });
  assert.equal(template, "74px 90px minmax(0, 1fr) 76px");
});
