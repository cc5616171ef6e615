import assert from "node:assert/strict";
import { test } from "node:test";
import {
  displayWidth,
  fit,
  painter,
  printable,
  terminalOf,
  truncate,
  wrap,
} from "../../../src/analyzer/cli/terminal.ts";

const streams: [
  about: string,
  stream: { isTTY?: boolean; columns?: number },
  env: Record<string, string>,
  expected: [number, boolean],
][] = [
  ["a terminal", { isTTY: true, columns: 97 }, {}, [97, true]],
  ["a pipe", {}, {}, [120, false]],
  ["a terminal with NO_COLOR", { isTTY: true, columns: 97 }, { NO_COLOR: "1" }, [97, false]],
  ["a terminal with an empty NO_COLOR", { isTTY: true, columns: 97 }, { NO_COLOR: "" }, [97, true]],
  ["a dumb terminal", { isTTY: true, columns: 97 }, { TERM: "dumb" }, [97, false]],
  ["a pipe with COLUMNS", {}, { COLUMNS: "80" }, [80, false]],
  ["a pipe with COLUMNS that are none", {}, { COLUMNS: "wide" }, [120, false]],
];
for (const [about, stream, env, [width, colour]] of streams) {
  test(`terminal: knows width and colour of ${about}`, () => {
    assert.deepStrictEqual(terminalOf(stream, env), { width, colour });
  });
}

const widths: [text: string, width: number][] = [
  ["", 0],
  ["node", 4],
  ["測試", 4],
  ["ｆｕ", 4],
  ["e\u0301", 1],
  ["👩‍👩‍👧", 2],
  ["🇪🇺", 2],
  ["한", 2],
  ["№1", 2],
];
for (const [text, width] of widths) {
  test(`terminal: ${JSON.stringify(text)} takes ${width} columns`, () => {
    assert.equal(displayWidth(text), width);
  });
}

const cuts: [text: string, width: number, cut: string][] = [
  ["node", 4, "node"],
  ["nodes", 4, "nod…"],
  ["測試機", 5, "測試…"],
  ["測試機", 4, "測…"],
  ["nodes", 1, "…"],
  ["nodes", 0, ""],
];
for (const [text, width, cut] of cuts) {
  test(`terminal: cuts ${text} to ${width} columns as ${cut}`, () => {
    assert.equal(truncate(text, width), cut);
  });
}

test("terminal: fills columns left and right, wide characters too", () => {
  assert.deepStrictEqual([fit("測", 4), fit("42", 4, "right"), fit("nodes", 4)], ["測  ", "  42", "nod…"]);
});

test("terminal: wraps at spaces and cuts a word that is too long", () => {
  assert.deepStrictEqual(wrap("a bb ccc dddddddd e", 6), ["a bb", "ccc", "ddddd…", "e"]);
  assert.deepStrictEqual(wrap("", 6), [""]);
});

test("terminal: shows control characters and what turns the direction of text", () => {
  assert.equal(printable("a\u001b[2J\n\u202eb\u009b"), "a\\x1b[2J\\x0a\\u202eb\\x9b");
});

test("terminal: paints only where there are colours, and never nothing", () => {
  assert.equal(painter({ width: 80, colour: true })("green", "x"), "\u001b[32mx\u001b[39m");
  assert.equal(painter({ width: 80, colour: true })("green", ""), "");
  assert.equal(painter({ width: 80, colour: false })("green", "x"), "x");
});
