import assert from "node:assert/strict";
import { test } from "node:test";
import { initialState, readSavedState } from "../../webview/live-traffic/saved-state.ts";

for (const stored of [undefined, null, 7, "x", [], {}]) {
  test(`saved state: ${JSON.stringify(stored)} gives the initial state`, () => {
    assert.deepStrictEqual(readSavedState(stored), initialState);
  });
}

test("saved state: what was saved comes back", () => {
  const saved = {
    ...initialState,
    filter: "status:5xx",
    paused: true,
    following: false,
    selectedId: "x7",
    detailOpen: true,
    tab: "timing" as const,
    span: "all" as const,
    detailShare: { right: 0.3, below: 0.7 },
    hiddenColumns: ["type" as const],
    columnWidths: { host: 220 },
    hadRows: true,
  };
  assert.deepStrictEqual(readSavedState(JSON.parse(JSON.stringify(saved))), saved);
});

test("saved state: what cannot be understood falls back, field by field", () => {
  const stored = {
    filter: 7,
    tab: "cookies",
    span: "2h",
    detailShare: { right: 4, below: 0.5 },
    hiddenColumns: ["type", "colour"],
    columnWidths: { host: -3, size: 90, colour: 50 },
    selectedId: "x1",
  };
  assert.deepStrictEqual(readSavedState(stored), {
    ...initialState,
    selectedId: "x1",
    detailShare: { right: initialState.detailShare.right, below: 0.5 },
    hiddenColumns: ["type"],
    columnWidths: { size: 90 },
  });
});
