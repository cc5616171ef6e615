import assert from "node:assert/strict";
import { test } from "node:test";
import { BegunConnections } from "../../../src/analyzer/network/hello-count.ts";
import type { ConnectionEvent, HelloEvent } from "../../../src/protocol/traffic.ts";

const at = "2026-01-31T12:00:00.000Z";
const startedMs = Date.parse(at);

const hello = (id: string, port = 5000): HelloEvent => ({
  type: "hello",
  id,
  at,
  direction: "out",
  pid: 1,
  command: "curl",
  connection: {
    id,
    role: "client",
    local: `127.0.0.1:${port}`,
    remote: "192.0.2.1:443",
    serverName: "a.example",
  },
  transport: "tcp",
  interface: "lo",
  serverName: "a.example",
  alpn: [],
  versions: [],
  ja3: null,
  ja4: null,
  encryptedClientHello: false,
});

const carried = (of: HelloEvent, told: Partial<ConnectionEvent>): ConnectionEvent => ({
  type: "connection",
  id: of.id,
  pid: 1,
  command: "curl",
  connection: of.connection,
  state: "closed",
  bytesOut: 517,
  bytesIn: 1400,
  startedAt: at,
  durationMs: 3,
  ...told,
});

const cases: [what: string, told: Partial<ConnectionEvent> | null, counts: boolean][] = [
  ["of which the client sent data", { carriedData: true }, true],
  ["whose client broke it off, or left it at the handshake", { carriedData: false }, false],
  ["that is open, and idle since its handshake", { state: "open", carriedData: false }, false],
  ["of which only bytes are known, and that was answered", {}, true],
  ["of which only bytes are known, and that nobody answered", { bytesIn: 0 }, false],
  ["of which nothing more is told", null, true],
];
for (const [what, told, counts] of cases) {
  test(`hello count: a connection ${what} ${counts ? "counts" : "does not count"}`, () => {
    const begun = new BegunConnections();
    const one = hello("1");
    begun.event(one);
    if (told) begun.event(carried(one, told));
    assert.equal(begun.before(startedMs + 1).length, counts ? 1 : 0);
  });
}

test("hello count: two of the same ends, one after the other, are two", () => {
  const begun = new BegunConnections();
  const [first, later] = [hello("1"), hello("2")];
  begun.event(first);
  begun.event(carried(first, { carriedData: true }));
  begun.event(later);
  begun.event(carried(later, { carriedData: true }));
  assert.equal(begun.before(startedMs + 1).length, 2);
});

test("hello count: one that began in the last moment does not count yet", () => {
  const begun = new BegunConnections();
  begun.event(hello("1"));
  assert.deepStrictEqual(begun.before(startedMs), []);
});
