import assert from "node:assert/strict";
import { test } from "node:test";
import { isEveryProcess, selectionOf, selectorOptions } from "../../../src/analyzer/cli/selectors.ts";
import { parseOptions, UsageError } from "../../../src/analyzer/cli/usage.ts";

const select = (...args: string[]): ReturnType<typeof selectionOf> =>
  selectionOf(parseOptions({ args, options: selectorOptions }).values);

test("selectors: none selects every process", () => {
  assert.deepStrictEqual(select(), { pids: [], names: [], services: [], containers: [], ports: [] });
  assert.equal(isEveryProcess(select()), true);
  for (const option of ["--pid=1", "--name=x", "--service=x", "--container=x", "--port=443"]) {
    assert.equal(isEveryProcess(select(option)), false, option);
  }
});

test("selectors: options are repeated, and numbers may be listed", () => {
  assert.deepStrictEqual(
    select(
      "--pid",
      "1,2",
      "--pid=3",
      "--name",
      "node*",
      "--name",
      "a,b",
      "--service",
      "x",
      "--container",
      "4bd8",
      "--port",
      "443",
    ),
    {
      pids: [1, 2, 3],
      names: ["node*", "a,b"],
      services: ["x"],
      containers: ["4bd8"],
      ports: [443],
    },
  );
});

const wrong: [args: string[], message: RegExp][] = [
  [["--pid", "x"], /--pid "x" is not a process id/],
  [["--pid", ""], /--pid "" is not a process id/],
  [["--pid", "0"], /is not a process id/],
  [["--pid", "1e3"], /is not a process id/],
  [["--pid", "4194305"], /is not a process id/],
  [["--pid", "1,,2"], /--pid "" is not a process id/],
  [["--pid"], /--pid/],
  [["--port", "65536"], /is not a port/],
  [["--name", ""], /--name needs a value/],
  [["--service", ""], /--service needs a value/],
  [["--container", ""], /--container needs a value/],
  [["--unknown"], /Unknown option '--unknown'/],
  [["stray"], /Unexpected argument 'stray'/],
];
for (const [args, message] of wrong) {
  test(`selectors: refuses ${JSON.stringify(args)}`, () => {
    assert.throws(
      () => select(...args),
      (error) => error instanceof UsageError && message.test(error.message) && !error.message.includes("\n"),
    );
  });
}
