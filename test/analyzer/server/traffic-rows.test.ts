import assert from "node:assert/strict";
import { test } from "node:test";
import { rowOf } from "../../../src/analyzer/server/traffic-rows.ts";
import { exchange, message } from "./traffic-fixtures.ts";

const { connection } = exchange("e1");

test("rows: an exchange keeps what fits on a line, and no headers or bodies", () => {
  assert.deepStrictEqual(rowOf(exchange("e1")), {
    type: "exchange",
    id: "e1",
    pid: 4242,
    command: "node",
    connection,
    protocol: "http/1.1",
    state: "complete",
    method: "POST",
    target: "/orders?id=7",
    authority: "localhost:8443",
    status: 201,
    requestSize: 8,
    responseSize: 12,
    contentType: "application/json",
    startedAt: "2026-01-31T12:00:00.000Z",
    durationMs: 3.412,
  });
});

test("rows: what is not known yet is null, and what went wrong is kept", () => {
  const problem = { code: "reset", text: "the stream was reset" };
  const source = { file: "/srv/api.js", line: 41, confidence: "line" as const };
  const changes = { request: null, response: null, durationMs: null, problem, grpcStatus: 0, source };
  const row = rowOf(exchange("e1", { ...changes, state: "incomplete" }));
  assert.deepStrictEqual(row, {
    type: "exchange",
    id: "e1",
    pid: 4242,
    command: "node",
    connection,
    protocol: "http/1.1",
    state: "incomplete",
    method: null,
    target: null,
    authority: null,
    status: null,
    requestSize: 0,
    responseSize: 0,
    contentType: null,
    startedAt: "2026-01-31T12:00:00.000Z",
    durationMs: null,
    problem,
    grpcStatus: 0,
    source,
  });
});

test("rows: a header whose name or value is unknown is no content type", () => {
  const response = { status: 200, reason: null, bodySize: 0, body: null };
  for (const headers of [[[null, "text/html"]], [["content-type", null]], []] as [
    string | null,
    string | null,
  ][][]) {
    const row = rowOf(exchange("e1", { response: { ...response, headers } }));
    assert.equal(row.type === "exchange" && row.contentType, null);
  }
});

test("rows: a message keeps its direction, size and preview", () => {
  assert.deepStrictEqual(rowOf(message("m1")), {
    type: "message",
    id: "m1",
    pid: 4242,
    command: "node",
    connection,
    protocol: null,
    direction: "out",
    size: 517,
    startedAt: "2026-01-31T12:00:00.000Z",
    preview: { text: "EHLO" },
  });
});
