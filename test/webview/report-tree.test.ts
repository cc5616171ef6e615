import assert from "node:assert/strict";
import { test } from "node:test";
import { compareBy, passes } from "../../webview/report/row-facts.ts";
import {
  branches,
  leafKey,
  place,
  rowHeight,
  shorten,
  type PicturedProcess,
} from "../../webview/report/tree.ts";

const process = (title: string, group: string, verdict = "traceable") => ({
  title,
  group,
  verdict,
  basis: "predicted",
});

test("tree: alike processes of a service are one leaf, the largest service comes first", () => {
  const tree = branches([
    process("a", "z.service"),
    process("nginx", "web.service"),
    process("nginx", "web.service"),
    process("nginx", "web.service", "dark"),
    process("b", "a.service"),
  ]);
  assert.deepStrictEqual(
    tree.map(({ name, leaves }) => [
      name,
      ...leaves.map(({ title, verdict, count }) => [title, verdict, count]),
    ]),
    [
      ["web.service", ["nginx", "traceable", 2], ["nginx", "dark", 1]],
      ["a.service", ["b", "traceable", 1]],
      ["z.service", ["a", "traceable", 1]],
    ],
  );
});

test("tree: every leaf has a row of its own, and its service stands amid its leaves", () => {
  const { leaves, groups, host, height } = place(
    branches([process("a", "x"), process("b", "x"), process("c", "y")]),
    [10, 100, 200],
  );
  assert.deepStrictEqual(
    leaves.map(({ x, y }) => [x, y]),
    [
      [200, rowHeight],
      [200, 2 * rowHeight],
      [200, 3.5 * rowHeight],
    ],
  );
  assert.deepStrictEqual(
    groups.map(({ x, y }) => [x, y]),
    [
      [100, 1.5 * rowHeight],
      [100, 3.5 * rowHeight],
    ],
  );
  assert.deepStrictEqual([host, height], [{ x: 10, y: 2.5 * rowHeight }, 4.5 * rowHeight]);
});

test("tree: nothing to draw is no failure", () => {
  assert.deepStrictEqual(place([], [0, 0, 0]).leaves, []);
});

const cuts: [text: string, letters: number, cut: string][] = [
  ["api.service", 11, "api.service"],
  ["api.service", 5, "api.…"],
  ["👩‍👩‍👧‍👧👩‍👩‍👧‍👧👩‍👩‍👧‍👧", 2, "👩‍👩‍👧‍👧…"],
  ["api", 0, "…"],
];
for (const [text, letters, cut] of cuts) {
  test(`tree: ${text} in ${letters} letters is ${cut}`, () => {
    assert.equal(shorten(text, letters), cut);
  });
}

const filters: [words: string, hidden: string[], shown: boolean][] = [
  ["two network", [], true],
  ["", [], true],
  ["  Node  API ", [], true],
  ["node python", [], false],
  ["node", ["dark"], true],
  ["node", ["traceable"], false],
];
for (const [words, hidden, shown] of filters) {
  test(`report: ${JSON.stringify(words)} without ${hidden.join() || "nothing"} ${shown ? "shows" : "hides"} a row`, () => {
    const row = { ...process("node api.js", "x"), text: "traceable node api.js openssl two network" };
    assert.equal(passes(row, { words, hidden: new Set(hidden), part: null }), shown);
  });
}

const two = { title: "two", verdict: "traceable", basis: "predicted" };
const belonging: [about: string, row: PicturedProcess, ofLeaf: boolean, ofGroup: boolean][] = [
  ["one of the leaf", process("two", "api.service"), true, true],
  ["one whose text has its name", process("network", "api.service"), false, true],
  ["one of another verdict", process("two", "api.service", "dark"), false, true],
  ["one of another basis", { ...process("two", "api.service"), basis: "measured: silent" }, false, true],
  ["one of another service", process("two", "web.service"), false, false],
];
for (const [about, row, ofLeaf, ofGroup] of belonging) {
  test(`report: a leaf shows its own processes alone, a service all of its: ${about}`, () => {
    const shown = (leaf: string | null) =>
      passes(
        { ...row, text: "two network" },
        { words: "", hidden: new Set(), part: { label: "", group: "api.service", leaf } },
      );
    assert.deepStrictEqual([shown(leafKey(two)), shown(null)], [ofLeaf, ofGroup]);
  });
}

test("report: sorts numbers as numbers, verdicts in the order of the report, and ties as they were", () => {
  const row = (rank: number, pid: string) => ({ rank, verdict: "dark", text: "", cells: ["x", "same", pid] });
  const rows = [row(2, "9"), row(0, "10"), row(1, "100")];
  const ranks = (column: number) => [...rows].sort(compareBy(column)).map(({ rank }) => rank);
  assert.deepStrictEqual(
    [ranks(0), ranks(1), ranks(2)],
    [
      [0, 1, 2],
      [0, 1, 2],
      [2, 0, 1],
    ],
  );
});
