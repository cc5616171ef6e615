import assert from "node:assert/strict";
import { test } from "node:test";
import type { TrafficRow } from "../../src/protocol/editor.ts";
import { parseFilter } from "../../webview/live-traffic/filter.ts";
import { connectionRow, exchangeRow, messageRow } from "./sample-rows.ts";

const rows: TrafficRow[] = [
  exchangeRow({ id: "ok" }),
  exchangeRow({ id: "created", method: "POST", status: 201, authority: "localhost:8443", durationMs: 250 }),
  exchangeRow({
    id: "missing",
    status: 404,
    target: "/a b/Missing",
    contentType: "text/html",
    pid: 99,
    command: "curl",
  }),
  exchangeRow({ id: "failed", method: "PUT", status: 503, responseSize: 20_000, durationMs: 1800 }),
  exchangeRow({
    id: "pending",
    state: "pending",
    status: null,
    responseSize: 0,
    durationMs: null,
    method: "DELETE",
  }),
  exchangeRow({ id: "cut", state: "incomplete", durationMs: null, contentType: null }),
  messageRow({ id: "message", preview: { text: "EHLO mail" }, protocol: "smtp" }),
];

const all = rows.map((row) => row.id);

const cases: [filter: string, found: string[]][] = [
  ["", all],
  ["   ", all],
  ["post", ["created"]],
  ["API.example", ["ok", "missing", "failed", "pending", "cut"]],
  ["orders created", []],
  ["localhost:8443", ["created"]],
  ["4242 localhost", ["created"]],
  ["ehlo", ["message"]],
  ['"a b"', ["missing"]],
  ['path:"a b"', ["missing"]],
  ["status:404", ["missing"]],
  ["status:5xx", ["failed"]],
  ["status:5XX,404", ["missing", "failed"]],
  ["status:200-299", ["ok", "created", "cut"]],
  ["-status:2xx", ["missing", "failed", "pending", "message"]],
  ["method:get,put -status:404", ["ok", "failed", "cut"]],
  ["process:curl", ["missing"]],
  ["pid:99", ["missing"]],
  ["host:localhost", ["created"]],
  ["-host:example.com", ["created", "message"]],
  ["type:html", ["missing"]],
  ["type:smtp", ["message"]],
  ["is:pending", ["pending"]],
  ["is:message", ["message"]],
  ["is:error", ["missing", "failed", "cut"]],
  ["larger-than:10k", ["failed"]],
  ["larger-than:1.1k", ["ok", "created", "missing", "failed", "cut"]],
  ["larger-than:19.6KiB", []],
  ["slower-than:100ms", ["created", "failed"]],
  ["slower-than:1.5s", ["failed"]],
  ["slower-than:200", ["created", "failed"]],
  ["-", []],
  ["unknown:key", []],
];

for (const [filter, found] of cases) {
  test(`filter: ${JSON.stringify(filter)} shows ${found.length === all.length ? "all" : found.join(", ") || "nothing"}`, () => {
    const parsed = parseFilter(filter);
    assert.ok(parsed.ok);
    assert.deepStrictEqual(
      rows.filter((row) => parsed.matches(row)).map((row) => row.id),
      found,
    );
  });
}

const connections: TrafficRow[] = [
  connectionRow({ id: "usual" }),
  connectionRow({ id: "open", state: "open", durationMs: null, encryptedClientHello: true }),
  connectionRow({
    id: "strange",
    pid: null,
    command: null,
    serverName: null,
    alpn: ["h3"],
    versions: ["1.2"],
    ja4: "q13d0312h3_55b375c5d22e_06cda9e17597",
    interface: "lo",
  }),
  connectionRow({ id: "refused", state: "blocked", rule: "*.example", bytesOut: null, bytesIn: null }),
  exchangeRow({ id: "exchange", target: "/h2" }),
];

const ofConnections: [filter: string, found: string[]][] = [
  ["is:metadata", ["usual", "open", "strange", "refused"]],
  ["-is:metadata", ["exchange"]],
  ["is:open", ["open"]],
  ["is:ech", ["open"]],
  ["is:blocked", ["refused"]],
  ["is:error", ["refused"]],
  ["alpn:h2", ["usual", "open", "refused"]],
  ["alpn:h3,http/1.1 -is:open", ["usual", "strange", "refused"]],
  ["version:1.2", ["strange"]],
  ["ja4:q13d", ["strange"]],
  ["ja3:579cc interface:lo", ["strange"]],
  ["address:203.0.113.24:443 -is:open", ["usual", "strange", "refused"]],
  ["host:203.0.113.24", ["strange"]],
  ["b186095e22b6 shop", ["usual", "open", "refused"]],
  ["pid:0", []],
  ["process:null", []],
  ["larger-than:20k", ["usual", "open", "strange"]],
  ["slower-than:2s", ["usual", "strange", "refused"]],
];
for (const [filter, found] of ofConnections) {
  test(`filter: ${filter} shows of connections ${found.join(", ") || "nothing"}`, () => {
    const parsed = parseFilter(filter);
    assert.ok(parsed.ok);
    assert.deepStrictEqual(
      connections.filter((row) => parsed.matches(row)).map((row) => row.id),
      found,
    );
  });
}

const errors: [filter: string, message: RegExp][] = [
  ["status:abc", /status:abc is not a status/],
  ["status:6xx", /not a status/],
  ["status:", /needs a value/],
  ["pid:node", /not a number/],
  ["is:slow", /is:slow is not known/],
  ["larger-than:big", /not a size/],
  ["larger-than:10q", /not a size/],
  ["larger-than:1toString", /not a size/],
  ["slower-than:100k", /not a duration/],
  ["ok -slower-than:x", /not a duration/],
];

for (const [filter, message] of errors) {
  test(`filter: says what is wrong with ${filter}`, () => {
    const parsed = parseFilter(filter);
    assert.ok(!parsed.ok);
    assert.match(parsed.message, message);
  });
}

test("filter: knows that a blank filter is empty", () => {
  const parsed = parseFilter(" ");
  assert.ok(parsed.ok && parsed.empty);
});
