// The privileged process as a stranger meets it: it answers requests of its own protocol, in order, and to everything
// else it ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import { frameHead, jsonFrame } from "../../src/tracer/frames.ts";
import { skipReason } from "../kernel/rig.ts";
import { startTracer } from "../kernel/tracer-process.ts";

const garbage: [name: string, bytes: Buffer, said: RegExp][] = [
  ["bytes that are no frame", Buffer.from("GET / HTTP/1.1\r\n\r\n"), /not the tracer's protocol/],
  ["a frame larger than any", frameHead("json", 2 ** 31), /not the tracer's protocol/],
  ["a frame of no JSON", Buffer.concat([frameHead("json", 3), Buffer.from("{a}")]), /JSON/],
  ["JSON that is no request", jsonFrame({ id: 1, request: { type: "run", command: "sh" } }), /not a request/],
  ["records, which go the other way", Buffer.concat([frameHead("records", 2), Buffer.from("hi")]), /JSON/],
];
for (const [name, bytes, said] of garbage) {
  test(`tracer: ends at ${name}`, { skip: skipReason() }, async (t) => {
    const tracer = startTracer(t);
    tracer.child.stdin.write(bytes);
    const outcome = await tracer.ended;
    assert.equal(outcome.status, 2);
    assert.match(outcome.said, said);
  });
}

test("tracer: ends well when its input closes, also in mid-frame", { skip: skipReason() }, async (t) => {
  for (const bytes of [Buffer.alloc(0), jsonFrame({ id: 1, request: { type: "flush" } }).subarray(0, 9)]) {
    const tracer = startTracer(t);
    tracer.child.stdin.end(bytes);
    assert.deepStrictEqual(await tracer.ended, { status: 0, said: "" });
  }
});

test("tracer: is opened first, and once", { skip: skipReason() }, async (t) => {
  const tracer = startTracer(t);
  const open = { type: "open", ringBytes: 65_536, features: {} } as const;
  const outcomes = [];
  for (const request of [{ type: "flush" }, open, open, { type: "flush" }] as const) {
    const answer = await tracer.call(request);
    outcomes.push(answer.type === "failed" ? answer.reason.code : answer.type);
  }
  assert.deepStrictEqual(outcomes, ["not-open", "opened", "already-open", "done"]);
});

test("tracer: Ctrl-C in the terminal is for the analyzer, not for it", { skip: skipReason() }, async (t) => {
  const tracer = startTracer(t);
  await tracer.call({ type: "open", ringBytes: 65_536, features: {} });
  tracer.child.kill("SIGINT");
  assert.deepStrictEqual(await tracer.call({ type: "flush" }), { type: "done" });
});

for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  test(`tracer: ${signal} ends it, after what its analyzer still asks`, { skip: skipReason() }, async (t) => {
    const tracer = startTracer(t);
    await tracer.call({ type: "open", ringBytes: 65_536, features: {} });
    tracer.child.kill(signal);
    assert.deepStrictEqual(await tracer.call({ type: "flush" }), { type: "done" });
    assert.equal((await tracer.ended).status, 0);
  });
}
