// Connections that wait for their program to be judged.
import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldConnections } from "../../../src/analyzer/network/held-connections.ts";
import type { TracerRequest } from "../../../src/tracer/messages.ts";

const server = { address: "2001:db8::1", port: 443 };

function held(isOpened: (pid: number) => Promise<boolean>, mostHeldMs = 100) {
  const asked: string[] = [];
  const call = (request: TracerRequest) => {
    asked.push(request.type);
    return Promise.resolve({ type: "done" as const });
  };
  const judged = (pid: number) => {
    asked.push(`judged ${pid}`);
    return isOpened(pid);
  };
  const connections = new HeldConnections({ call }, judged, mostHeldMs);
  return { connections, asked };
}

test("held connections: it is asked once what the kernel has told is here", async () => {
  const { connections, asked } = held(() => Promise.resolve(true));
  assert.equal(await connections.decide(7, "127.0.0.1:4000", server), true);
  assert.deepStrictEqual(asked, ["flush", "judged 7"]);
});

test("held connections: where one that was passed on was going is remembered, and of no other", async () => {
  const { connections } = held((pid) => Promise.resolve(pid === 1));
  assert.equal(await connections.decide(1, "127.0.0.1:4001", server), true);
  assert.equal(await connections.decide(2, "127.0.0.1:4002", server), false);
  assert.deepStrictEqual(
    ["127.0.0.1:4001", "127.0.0.1:4002", "127.0.0.1:4003"].map((end) => connections.destinationOf(end)),
    [null, "[2001:db8::1]:443", null],
  );
});

test("held connections: one whose program nobody judges goes on after a while", async () => {
  const { connections } = held(() => new Promise(() => undefined), 1);
  assert.equal(await connections.decide(1, "127.0.0.1:4001", server), false);
  assert.equal(connections.destinationOf("127.0.0.1:4001"), "[2001:db8::1]:443");
});

test("held connections: of those that were passed on the oldest are forgotten", async () => {
  const { connections } = held(() => Promise.resolve(false));
  for (let port = 1; port <= 4097; port++) await connections.decide(1, `127.0.0.1:${port}`, server);
  assert.deepStrictEqual(
    [1, 2, 4097].map((port) => connections.destinationOf(`127.0.0.1:${port}`) !== null),
    [false, true, true],
  );
});
