import assert from "node:assert/strict";
import { test } from "node:test";
import { atEnd, moveBy, scrollToReveal, visibleRows } from "../../webview/live-traffic/viewport.ts";

const viewport = (scrollTop: number, rowCount = 1000) => ({
  scrollTop,
  height: 220,
  rowHeight: 22,
  rowCount,
});

test("viewport: draws the rows in sight and the overscan, never beyond the ends", () => {
  assert.deepStrictEqual(visibleRows(viewport(0), 4), { first: 0, end: 14 });
  assert.deepStrictEqual(visibleRows(viewport(2205), 4), { first: 96, end: 115 });
  assert.deepStrictEqual(visibleRows(viewport(21_780), 4), { first: 986, end: 1000 });
  assert.deepStrictEqual(visibleRows(viewport(0, 0), 4), { first: 0, end: 0 });
  assert.deepStrictEqual(visibleRows(viewport(9999, 3), 4), { first: 3, end: 3 });
});

test("viewport: scrolls no further than it must to reveal a row", () => {
  assert.deepStrictEqual(
    [0, 10, 15, 20, 25].map((index) => scrollToReveal(viewport(220), index)),
    [0, 220, 220, 242, 352],
  );
});

test("viewport: knows when the newest row is in sight", () => {
  assert.deepStrictEqual(
    [21_780, 21_760, 21_000].map((scrollTop) => atEnd(viewport(scrollTop))),
    [true, true, false],
  );
});

test("viewport: keys move within the rows", () => {
  const moves: [string, number, number | null][] = [
    ["ArrowDown", 0, 1],
    ["ArrowUp", 0, 0],
    ["ArrowDown", 999, 999],
    ["PageDown", 5, 14],
    ["PageUp", 5, 0],
    ["Home", 500, 0],
    ["End", 5, 999],
    ["a", 5, null],
    ["toString", 5, null],
  ];
  assert.deepStrictEqual(
    moves.map(([key, from]) => [key, from, moveBy(key, from, viewport(0))]),
    moves,
  );
  assert.equal(moveBy("End", 0, viewport(0, 0)), null);
});
