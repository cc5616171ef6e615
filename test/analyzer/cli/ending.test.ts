import assert from "node:assert/strict";
import { test } from "node:test";
import { Ending } from "../../../src/analyzer/cli/ending.ts";

const problem = { code: "tracer-ended", text: "the tracer exited with SIGINT", remedy: "start again" };

test("ending: a tracer that ends by itself is a problem", async () => {
  const ending = new Ending();
  ending.tracerEnded(problem);
  assert.equal(await ending.reached, null);
  assert.deepStrictEqual([ending.isAsked, ending.problem], [false, problem]);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  test(`ending: a tracer that ends after ${signal}, which its whole group may have had, is none`, async () => {
    const ending = new Ending();
    process.emit(signal);
    assert.equal(await ending.reached, null);
    ending.tracerEnded(problem);
    assert.deepStrictEqual([ending.isAsked, ending.problem], [true, null]);
  });
}
