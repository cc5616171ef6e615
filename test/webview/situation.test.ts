import assert from "node:assert/strict";
import { test } from "node:test";
import type { StateParams } from "../../src/protocol/editor.ts";
import { situationOf, type Facts } from "../../webview/live-traffic/situation.ts";

const state: StateParams = { tracing: [], exchanges: 0, messages: 0, lost: { records: 0, bytes: 0 } };
const tracing = { ...state, tracing: [{ pid: 7, command: "node" }] };
const network = { interfaces: ["lo"], connections: 0, missing: [] };
const problem = { ...state, problem: { code: "missing-rights", text: "no rights", remedy: "try sudo" } };

const cases: [name: string, facts: Partial<Facts>, kind: string][] = [
  ["before the extension answers", { state: null }, "loading"],
  ["nothing is traced", { state }, "idle"],
  ["nothing is traced, and there were rows", { state, hadRows: true }, "gone"],
  ["something is traced, and there were rows", { state: tracing, hadRows: true }, "waiting"],
  ["something is traced that is silent", { state: tracing }, "waiting"],
  ["the network is watched, and nothing is traced", { state: { ...state, network } }, "waiting"],
  ["tracing cannot start", { state: problem }, "problem"],
  ["the network cannot be watched", { state: { ...state, networkProblem: problem.problem } }, "problem"],
  ["tracing cannot start, but the network is watched", { state: { ...problem, network } }, "waiting"],
  ["rows are there", { state: tracing, rowCount: 3, shownCount: 2 }, "rows"],
  ["rows are there in spite of a problem", { state: problem, rowCount: 3, shownCount: 3 }, "rows"],
  ["the filter hides all", { state: tracing, rowCount: 3 }, "filtered"],
  ["paused before the first row", { state: tracing, heldCount: 2 }, "held"],
];

for (const [name, facts, kind] of cases) {
  test(`situation: ${name}: ${kind}`, () => {
    const none = { rowCount: 0, shownCount: 0, heldCount: 0, hadRows: false };
    assert.equal(situationOf({ state, ...none, ...facts }).kind, kind);
  });
}
