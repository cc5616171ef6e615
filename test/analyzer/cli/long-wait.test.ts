import assert from "node:assert/strict";
import { test } from "node:test";
import { tellLongWait } from "../../../src/analyzer/cli/long-wait.ts";

test("long wait: says what takes over a second, once, and nothing of what does not", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const said: unknown[] = [];
  t.mock.method(process.stderr, "write", (text: unknown) => said.push(text));
  const work = new Promise<string>((resolve) => setTimeout(resolve, 5999, "attached"));
  const long = tellLongWait("attaching…", work);
  assert.equal(await tellLongWait("looking…", Promise.resolve("seen")), "seen");
  t.mock.timers.tick(999);
  assert.deepStrictEqual(said, []);
  t.mock.timers.tick(5000);
  assert.equal(await long, "attached");
  await assert.rejects(tellLongWait("failing…", Promise.reject(new Error("failed"))), /failed/);
  t.mock.timers.tick(5000);
  assert.deepStrictEqual(said, ["attaching…\n"]);
});
