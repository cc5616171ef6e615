import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBootTime, parseStat, parseStatus, startedAt } from "../../../src/analyzer/processes/stat.ts";

const after = "1 4242 4242 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 11 0 123456 1000 200 18446744073709551615";

const lines: [about: string, text: string, command: string][] = [
  ["an ordinary process", `4242 (node) S ${after}`, "node"],
  ["a name with spaces", `4242 (Web Content) S ${after}`, "Web Content"],
  ["a name that looks like the end of itself", `4242 (a) R 1 (b) S ${after}`, "a) R 1 (b"],
  ["a name with a newline", `4242 (a\nb) S ${after}\n`, "a\nb"],
  ["an empty name", `4242 () S ${after}`, ""],
];
for (const [about, text, command] of lines) {
  test(`stat: reads ${about}`, () => {
    assert.deepStrictEqual(parseStat(text), {
      command,
      state: "S",
      parentPid: 1,
      kernelThread: false,
      startTicks: 123456,
      memoryBytes: 1000,
    });
  });
}

test("stat: knows a kernel thread by its flag, whatever its name", () => {
  const text = `2 (node) S 0 0 0 0 -1 2129984 0 0 0 0 0 0 0 0 20 0 1 0 7 0 0`;
  assert.equal(parseStat(text)?.kernelThread, true);
});

for (const text of [
  "",
  "4242",
  "4242 (node",
  "4242 node) S 1",
  ")(",
  "4242 (node) S 1 2",
  `1 (x) S a b c d e f ${after}`,
]) {
  test(`stat: gives null for ${JSON.stringify(text)}`, () => {
    assert.equal(parseStat(text), null);
  });
}

test("stat: reads the process of a thread and the effective user from status", () => {
  const text = "Name:\tnode\nTgid:\t4242\nPid:\t4243\nUid:\t1000\t33\t1000\t1000\n";
  assert.deepStrictEqual(parseStatus(text), { processId: 4242, userId: 33 });
  assert.deepStrictEqual(parseStatus("Name:\tnode\n"), { processId: null, userId: null });
});

test("stat: adds the start ticks to the boot time", () => {
  assert.equal(
    startedAt(parseBootTime("cpu 1 2\nbtime 1700000000\nprocesses 5\n"), 250),
    "2023-11-14T22:13:22.500Z",
  );
});

test("stat: has no start time without a boot time, nor for one that is no time", () => {
  assert.equal(parseBootTime("cpu 1 2\n"), null);
  assert.equal(startedAt(null, 250), null);
  assert.equal(startedAt(1e300, 250), null);
});
