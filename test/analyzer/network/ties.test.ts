import assert from "node:assert/strict";
import { test } from "node:test";
import { Ties } from "../../../src/analyzer/network/ties.ts";
import type { Connection, TraceEvent } from "../../../src/protocol/traffic.ts";
import { connectionEnd, hello } from "../cli/hello-fixtures.ts";
import { exchange, message } from "../server/traffic-fixtures.ts";

const begunAt = "2026-01-31T12:00:00.250Z";
const meanwhile = "2026-01-31T12:00:01.000Z";
const [local, remote] = ["127.0.0.1:40312", "127.0.0.1:8443"];

const connection = (id: string, changes: Partial<Connection> = {}): Connection => ({
  id,
  role: "client",
  local,
  remote,
  serverName: null,
  ...changes,
});
const server = { role: "server", local: remote, remote: local } as const;
const helloOf = (id: string, changes: Parameters<typeof hello>[0] = {}) =>
  hello({ id, at: begunAt, connection: connection(id), serverName: "api.example.com", ...changes });
const endOf = (id: string, changes: Parameters<typeof connectionEnd>[0] = {}) =>
  connectionEnd({ id, startedAt: begunAt, connection: connection(id), ...changes });
const exchangeOn = (id: string, changes: Parameters<typeof exchange>[1] = {}) =>
  exchange(`x-${id}`, { startedAt: meanwhile, connection: connection(id), ...changes });

/** What is told of these events, in whatever order they come, each by what ties it. */
function tied(given: TraceEvent[], isWatching = true): unknown[] {
  const told: unknown[] = [];
  const ties = new Ties({
    isWatching: () => isWatching,
    onEvent: (event) => {
      if (event.type === "hello") told.push(event.id);
      else if (event.type === "connection") told.push([event.id, event.decrypted]);
      else if (event.type === "exchange" || event.type === "message")
        told.push([event.id, event.connection.hello, event.connection.serverName]);
      else told.push(event.type);
    },
  });
  for (const event of given) ties.receive(event);
  ties.flush();
  return told;
}

const own = [exchangeOn("c1"), helloOf("n1"), endOf("n1")] as const;
const tiedOwn = ["n1", ["x-c1", "n1", "api.example.com"], ["n1", "c1"]];

test("ties: an exchange has its hello's id and name, and the connection's end names it, whichever came first", () => {
  const [content, greeting, end] = own;
  assert.deepStrictEqual(tied([greeting, content, end]), tiedOwn);
  assert.deepStrictEqual(tied([content, greeting, end]), tiedOwn);
  assert.deepStrictEqual(tied([greeting, end, content]), [tiedOwn[0], tiedOwn[2], tiedOwn[1]]);
});

test("ties: a message as well; a name that was told stays, one that may be a cover is not taken", () => {
  const says = message("m1", { at: meanwhile, connection: connection("c1", { serverName: "told" }) });
  assert.deepStrictEqual(tied([helloOf("n1"), says]), ["n1", ["m1", "n1", "told"]]);
  assert.deepStrictEqual(tied([helloOf("n1", { encryptedClientHello: true }), exchangeOn("c1")]), [
    "n1",
    ["x-c1", "n1", null],
  ]);
});

const ofServer = { pid: 7, connection: connection("n2", server) };

test("ties: of both ends on this host each has its own", () => {
  const content = exchangeOn("c2", { pid: 7, connection: connection("c2", server) });
  const given = [content, exchangeOn("c1"), helloOf("n1"), helloOf("n2", ofServer)];
  assert.deepStrictEqual(tied([...given, endOf("n1"), endOf("n2", ofServer)]), [
    "n1",
    "n2",
    ["x-c2", "n2", "api.example.com"],
    ["x-c1", "n1", "api.example.com"],
    ["n1", "c1"],
    ["n2", "c2"],
  ]);
});

test("ties: an end that is not decrypted itself names its other end's content", () => {
  const hellos = [helloOf("n1"), helloOf("n2", ofServer)];
  assert.deepStrictEqual(tied([...hellos, exchangeOn("c1"), endOf("n2", ofServer)]), [
    "n1",
    "n2",
    ["x-c1", "n1", "api.example.com"],
    ["n2", "c1"],
  ]);
  // Of a watch that tells one end alone.
  assert.deepStrictEqual(tied([helloOf("n2", ofServer), exchangeOn("c1"), endOf("n2", ofServer)]), [
    "n2",
    ["x-c1", "n2", "api.example.com"],
    ["n2", "c1"],
  ]);
});

for (const [what, greeting, content] of [
  ["another process", helloOf("n1", { pid: 1 }), exchangeOn("c1")],
  ["other ends", helloOf("n1"), exchangeOn("c1", { connection: connection("c1", { local: "127.0.0.1:1" }) })],
  [
    "ends that are not known",
    helloOf("n1"),
    exchangeOn("c1", { connection: connection("c1", { local: null }) }),
  ],
  ["an earlier time", helloOf("n1"), exchangeOn("c1", { startedAt: "2026-01-31T12:00:00.000Z" })],
  ["another protocol", helloOf("n1", { transport: "quic" }), exchangeOn("c1")],
] as const) {
  test(`ties: what is of ${what} is not tied`, () => {
    assert.deepStrictEqual(tied([greeting, content, endOf("n1")]), [
      "n1",
      ["x-c1", undefined, null],
      ["n1", undefined],
    ]);
  });
}

test("ties: a hello of nobody who is known is that of the ends", () => {
  assert.deepStrictEqual(tied([helloOf("n1", { pid: null }), exchangeOn("c1")]), [
    "n1",
    ["x-c1", "n1", "api.example.com"],
  ]);
});

test("ties: ends that are used again are another connection", () => {
  const later = "2026-01-31T12:00:09.000Z";
  const ended = endOf("n1", { durationMs: 2500 });
  const unseen = exchangeOn("c2", { startedAt: later });
  assert.deepStrictEqual(tied([helloOf("n1"), ended, unseen]), [
    "n1",
    ["n1", undefined],
    ["x-c2", undefined, null],
  ]);
  const again = helloOf("n2", { at: later });
  assert.deepStrictEqual(tied([helloOf("n1"), again, unseen, ended, endOf("n2", { startedAt: later })]), [
    "n1",
    "n2",
    ["x-c2", "n2", "api.example.com"],
    ["n1", undefined],
    ["n2", "c2"],
  ]);
});

test("ties: nothing waits where the network is not watched", () => {
  const told: string[] = [];
  const ties = new Ties({ isWatching: () => false, onEvent: ({ type }) => told.push(type) });
  ties.receive(exchangeOn("c1"));
  assert.deepStrictEqual(told, ["exchange"]);
});

test("ties: what waits is told in its order, in time, by itself", async () => {
  let isWatching = true;
  const told: string[] = [];
  const all = new Promise<void>((resolve) => {
    const ties = new Ties({
      isWatching: () => isWatching,
      onEvent: (event) => {
        told.push("id" in event ? event.id : event.type);
        if (told.length === 4) resolve();
      },
    });
    ties.receive(exchangeOn("c1"));
    ties.receive({ type: "exited", pid: 1, command: "curl" });
    isWatching = false;
    ties.receive(exchangeOn("c2"));
    assert.deepStrictEqual(told, []);
    ties.receive(helloOf("n1"));
    assert.deepStrictEqual(told, ["n1"]);
  });
  await all;
  assert.deepStrictEqual(told, ["n1", "x-c1", "exited", "x-c2"]);
});
