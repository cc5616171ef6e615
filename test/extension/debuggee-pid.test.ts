import assert from "node:assert/strict";
import { test } from "node:test";
import {
  mustAskForPid,
  pidOfAdapterMessage,
  pidOfEvaluation,
  pidOfName,
} from "../../src/extension/debuggee-pid.ts";

const processEvent = (body: unknown) => ({ type: "event", event: "process", body });

test("debuggee: the process event names a local process", () => {
  const cases: [unknown, number | null][] = [
    [processEvent({ name: "api", systemProcessId: 4242, isLocalProcess: true }), 4242],
    [processEvent({ name: "api", systemProcessId: 4242 }), 4242],
    [processEvent({ name: "api", systemProcessId: 4242, isLocalProcess: false }), null],
    [processEvent({ name: "api" }), null],
    [processEvent({ systemProcessId: "4242" }), null],
    [processEvent({ systemProcessId: -1 }), null],
    [processEvent(undefined), null],
    [{ type: "event", event: "output", body: { systemProcessId: 4242 } }, null],
    [{ type: "response", command: "process", body: { systemProcessId: 4242 } }, null],
    [null, null],
    ["process", null],
  ];
  assert.deepStrictEqual(
    cases.map(([message]) => pidOfAdapterMessage(message)),
    cases.map(([, pid]) => pid),
  );
});

test("debuggee: only a child session of Node is asked", () => {
  const cases: [type: string, isChild: boolean, expected: boolean][] = [
    ["pwa-node", true, true],
    ["node-terminal", true, true],
    ["pwa-extensionHost", true, true],
    ["pwa-node", false, false],
    ["pwa-chrome", true, false],
    ["debugpy", true, false],
  ];
  assert.deepStrictEqual(
    cases.map(([type, isChild]) => mustAskForPid({ type, isChild })),
    cases.map(([, , expected]) => expected),
  );
});

test("debuggee: the answer of an evaluation is a pid only when it is a number", () => {
  const answers = [
    { result: "8508", variablesReference: 0 },
    { result: "undefined" },
    { result: "'8508'" },
    { result: "0" },
    { result: 8508 },
    null,
  ];
  assert.deepStrictEqual(answers.map(pidOfEvaluation), [8508, null, null, null, null, null]);
});

test("debuggee: a session's name may carry the pid in brackets", () => {
  const names = ["api.js [8508] « launch", "Launch [dev] (4)", "api.js", "[0]"];
  assert.deepStrictEqual(names.map(pidOfName), [8508, null, null, null]);
});
