import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectionRows } from "../../../src/analyzer/server/connection-rows.ts";
import { blocked, connectionEnd, hello } from "../cli/hello-fixtures.ts";

const { connection } = hello();
const ofHello = {
  type: "connection",
  id: "n1",
  pid: 4242,
  command: "curl",
  connection,
  serverName: "api.shop.example",
  transport: "tcp",
  alpn: ["h2", "http/1.1"],
  versions: ["1.3", "1.2"],
  ja3: "579ccef312d18482fc42e2b822ca2430",
  ja4: "t13d1516h2_8daaf6152771_b186095e22b6",
  encryptedClientHello: false,
  interface: "eth0",
  startedAt: "2026-01-31T12:00:00.250Z",
  durationMs: null,
  bytesOut: null,
  bytesIn: null,
  state: "open",
};
const carried = { durationMs: 2500, bytesOut: 1530, bytesIn: 20_600_000 };
const ofNothingElse = {
  transport: null,
  alpn: null,
  versions: null,
  ja3: null,
  ja4: null,
  encryptedClientHello: null,
  interface: null,
};

test("connection rows: a hello opens a row, its end fills it", () => {
  const rows = new ConnectionRows(10);
  assert.deepStrictEqual(rows.fold(hello()), ofHello);
  assert.deepStrictEqual(rows.fold(connectionEnd()), { ...ofHello, ...carried, state: "closed" });
});

test("connection rows: an end that names its content keeps that", () => {
  const rows = new ConnectionRows(10);
  rows.fold(hello());
  assert.equal(rows.fold(connectionEnd({ decrypted: "c1" })).decrypted, "c1");
});

test("connection rows: what is still open when the trace ends stays so", () => {
  const rows = new ConnectionRows(10);
  rows.fold(hello());
  assert.deepStrictEqual(rows.fold(connectionEnd({ state: "open" })), { ...ofHello, ...carried });
});

test("connection rows: a refusal stays one, whatever comes before and after it", () => {
  const refused = { ...ofHello, state: "blocked", rule: "*.shop.example" };
  for (const before of [
    [hello(), blocked()],
    [blocked(), hello()],
  ]) {
    const rows = new ConnectionRows(10);
    assert.deepStrictEqual(before.map((event) => rows.fold(event))[1], refused);
    assert.deepStrictEqual(rows.fold(connectionEnd()), { ...refused, ...carried });
  }
});

test("connection rows: whose it is and its name may come late, and are not forgotten", () => {
  const rows = new ConnectionRows(10);
  const nameless = { ...connection, serverName: null };
  const early = rows.fold(hello({ pid: null, command: null, connection: nameless }));
  assert.deepStrictEqual([early.pid, early.command, early.serverName], [null, null, "api.shop.example"]);
  const late = rows.fold(connectionEnd({ connection: nameless }));
  assert.deepStrictEqual([late.pid, late.command, late.serverName], [4242, "curl", "api.shop.example"]);
});

test("connection rows: without a hello its facts are not known, and none is made up", () => {
  const rows = new ConnectionRows(10);
  assert.deepStrictEqual(rows.fold(connectionEnd()), {
    ...ofHello,
    ...ofNothingElse,
    ...carried,
    state: "closed",
  });
});

test("connection rows: a problem of the hello is kept", () => {
  const problem = { code: "incomplete", text: "a part of it never came" };
  const rows = new ConnectionRows(10);
  rows.fold(hello({ problem }));
  assert.deepStrictEqual(rows.fold(connectionEnd()).problem, problem);
});

test("connection rows: only so many are awaited, and of the oldest the hello is forgotten", () => {
  const rows = new ConnectionRows(2);
  for (const id of ["a", "b", "c"]) rows.fold(hello({ id }));
  const alpn = ["a", "b", "c"].map((id) => rows.fold(connectionEnd({ id })).alpn?.[0] ?? null);
  assert.deepStrictEqual(alpn, [null, "h2", "h2"]);
});
