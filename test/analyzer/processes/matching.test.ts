// What is known of a process by its command alone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isCalled } from "../../../src/analyzer/processes/matching.ts";
import { everyProcess, type Selection } from "../../../src/analyzer/selection.ts";

const rows: { title: string; selection: Partial<Selection>; isAsked: boolean }[] = [
  { title: "one of the names", selection: { names: ["wget", "cu*"] }, isAsked: true },
  { title: "no name of those", selection: { names: ["wget"] }, isAsked: false },
  { title: "every process", selection: {}, isAsked: false },
  { title: "a name in a service", selection: { names: ["curl"], services: ["cron"] }, isAsked: false },
  { title: "a name in a container", selection: { names: ["curl"], containers: ["web"] }, isAsked: false },
  { title: "a name with an id", selection: { names: ["curl"], pids: [7] }, isAsked: false },
];
for (const { title, selection, isAsked } of rows) {
  test(`matching: a process that was curl is ${isAsked ? "" : "not "}asked for by ${title}`, () => {
    assert.equal(isCalled("curl", { ...everyProcess, ...selection }), isAsked);
  });
}
