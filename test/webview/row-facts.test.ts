import assert from "node:assert/strict";
import { test } from "node:test";
import {
  hostOf,
  outcomeOf,
  pathOf,
  processOf,
  reasonOf,
  sizeOf,
  statusText,
  statusTitle,
  typeOf,
  urlOf,
} from "../../webview/live-traffic/row-facts.ts";
import { connectionRow, exchangeRow, messageRow } from "./sample-rows.ts";

test("row facts: the outcome follows state, status and grpc-status", () => {
  const outcomes = [
    exchangeRow({ status: 101 }),
    exchangeRow({ status: 204 }),
    exchangeRow({ status: 304 }),
    exchangeRow({ status: 404 }),
    exchangeRow({ status: 503 }),
    exchangeRow({ status: 200, grpcStatus: 5 }),
    exchangeRow({ status: 200, grpcStatus: 0 }),
    exchangeRow({ status: null, state: "pending" }),
    exchangeRow({ status: 200, state: "incomplete" }),
    exchangeRow({ status: null }),
    messageRow(),
  ].map((row) => [outcomeOf(row), statusText(row)]);
  assert.deepStrictEqual(outcomes, [
    ["informational", "101"],
    ["success", "204"],
    ["redirect", "304"],
    ["client-error", "404"],
    ["server-error", "503"],
    ["server-error", "grpc 5"],
    ["success", "200"],
    ["pending", "…"],
    ["incomplete", "200"],
    ["incomplete", "–"],
    ["message", "out"],
  ]);
});

test("row facts: the status in words gives the reason", () => {
  const problem = { code: "connection-closed", text: "connection closed" };
  assert.equal(
    statusTitle(exchangeRow({ state: "incomplete", problem })),
    "Incomplete 200: connection closed",
  );
  assert.equal(statusTitle(messageRow({ direction: "in" })), "Message received, 517 B");
});

test("row facts: the host is the request's, else the connection's, else not known", () => {
  const connection = { id: "c", role: null, local: null, remote: "10.0.0.1:443", serverName: "shop" };
  assert.deepStrictEqual(
    [
      exchangeRow({ connection }),
      exchangeRow({ connection, authority: null }),
      messageRow({ connection: { ...connection, serverName: null } }),
      messageRow(),
    ].map(hostOf),
    ["api.example.com", "shop", "10.0.0.1:443", null],
  );
});

test("row facts: a URL is made only where there is a host", () => {
  assert.deepStrictEqual(
    [{}, { target: "http://other/x" }, { target: null }, { target: "*" }, { authority: null }].map((change) =>
      urlOf(exchangeRow(change)),
    ),
    [
      "https://api.example.com/orders?id=7",
      "http://other/x",
      "https://api.example.com",
      "https://api.example.com",
      null,
    ],
  );
});

test("row facts: a message is told by its first bytes", () => {
  assert.deepStrictEqual(
    [messageRow(), messageRow({ preview: { text: "hi" }, protocol: "smtp" })].map((row) => [
      pathOf(row),
      typeOf(row),
    ]),
    [
      ["16 03 01", null],
      ["hi", "smtp"],
    ],
  );
});

test("row facts: a connection tells its protocol, its name or address, and what went wrong", () => {
  const problem = { code: "incomplete", text: "a part of it never came" };
  const { connection } = connectionRow();
  assert.deepStrictEqual(
    [
      connectionRow(),
      connectionRow({ transport: "quic", serverName: null, alpn: [], state: "open" }),
      connectionRow({ state: "blocked", rule: "*.example" }),
      connectionRow({ problem, alpn: [], serverName: null, connection: { ...connection, remote: null } }),
    ].map((row) => [
      outcomeOf(row),
      statusText(row),
      statusTitle(row),
      hostOf(row),
      typeOf(row),
      reasonOf(row),
    ]),
    [
      ["metadata", "TLS", "TLS connection closed, only metadata seen", "shop.example", "h2", null],
      ["metadata", "QUIC", "QUIC connection open, only metadata seen", "203.0.113.24:443", "", null],
      ["blocked", "TLS", "TLS connection blocked by *.example", "shop.example", "h2", "blocked by *.example"],
      [
        "metadata",
        "TLS",
        "TLS connection closed, only metadata seen: a part of it never came",
        null,
        null,
        "a part of it never came",
      ],
    ],
  );
});

test("row facts: a process or a size that is not known is never a number", () => {
  const unknown = connectionRow({ pid: null, command: null, bytesOut: null, bytesIn: null });
  assert.deepStrictEqual([processOf(unknown), sizeOf(unknown)], ["Process not known", null]);
  assert.equal(processOf(connectionRow()), "curl (5120)");
});
