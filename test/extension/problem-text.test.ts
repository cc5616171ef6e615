import assert from "node:assert/strict";
import { test } from "node:test";
import { hostProblem, problemSentences, unavailableProblem } from "../../src/extension/problem-text.ts";
import { coverageReport } from "./process-fixture.ts";

const { host } = coverageReport([]);

test("problem text: a host that offers probes has no problem, another says why", () => {
  const uprobe = { available: false, reason: "not permitted" } as const;
  assert.deepStrictEqual(
    [hostProblem(host), hostProblem({ ...host, paths: { ...host.paths, uprobe } })?.text],
    [undefined, "not permitted"],
  );
});

test("problem text: what is wrong and what helps are sentences of their own", () => {
  const remedy = "start tracing again; the traced programs were not touched";
  assert.deepStrictEqual(
    [problemSentences({ text: "the tracer ended", remedy }), problemSentences(unavailableProblem("no node"))],
    [
      "the tracer ended. Start tracing again; the traced programs were not touched",
      "the analyzer does not run: no node. See Plainsight's output",
    ],
  );
});
