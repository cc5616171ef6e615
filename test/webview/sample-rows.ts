// Rows and exchanges for the tests, with only what a test is about spelled out.
import type { ExchangeRow, MessageRow } from "../../src/protocol/editor.ts";
import type { ExchangeEvent, RequestView } from "../../src/protocol/traffic.ts";

const connection = { id: "c1", role: "client", local: null, remote: null, serverName: null } as const;

export function exchangeRow(change: Partial<ExchangeRow> = {}): ExchangeRow {
  return {
    type: "exchange",
    id: "x1",
    pid: 4242,
    command: "node",
    connection,
    protocol: "http/1.1",
    state: "complete",
    method: "GET",
    target: "/orders?id=7",
    authority: "api.example.com",
    status: 200,
    requestSize: 0,
    responseSize: 1200,
    contentType: "application/json",
    startedAt: "2026-01-31T12:00:00.000Z",
    durationMs: 40,
    ...change,
  };
}

export function messageRow(change: Partial<MessageRow> = {}): MessageRow {
  return {
    type: "message",
    id: "m1",
    pid: 77,
    command: "python3",
    connection,
    protocol: null,
    direction: "out",
    size: 517,
    startedAt: "2026-01-31T12:00:00.000Z",
    preview: { hex: "160301" },
    ...change,
  };
}

export function exchange(request: Partial<RequestView>, change: Partial<ExchangeEvent> = {}): ExchangeEvent {
  return {
    type: "exchange",
    id: "x1",
    pid: 4242,
    command: "node",
    connection,
    protocol: "http/1.1",
    path: "uprobe",
    state: "complete",
    request: {
      method: "GET",
      target: "/",
      authority: "api.example.com",
      headers: [],
      bodySize: 0,
      body: null,
      ...request,
    },
    response: null,
    startedAt: "2026-01-31T12:00:00.000Z",
    durationMs: 40,
    ...change,
  };
}
