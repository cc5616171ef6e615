// Exchanges and messages for the tests of the server: whole ones, with what a test cares about put in.
import type { ExchangeEvent, MessageEvent } from "../../../src/protocol/traffic.ts";

const connection = {
  id: "c1",
  role: "client" as const,
  local: "127.0.0.1:40312",
  remote: "127.0.0.1:8443",
  serverName: "localhost",
};

export function exchange(id: string, changes: Partial<ExchangeEvent> = {}): ExchangeEvent {
  return {
    type: "exchange",
    id,
    pid: 4242,
    command: "node",
    connection,
    protocol: "http/1.1",
    path: "uprobe",
    state: "complete",
    request: {
      method: "POST",
      target: "/orders?id=7",
      authority: "localhost:8443",
      headers: [["content-type", "application/json"]],
      bodySize: 8,
      body: { text: '{"n": 1}' },
    },
    response: {
      status: 201,
      reason: "Created",
      headers: [["Content-Type", "Application/JSON; charset=utf-8"]],
      bodySize: 12,
      body: { text: '{"id": "o1"}' },
    },
    startedAt: "2026-01-31T12:00:00.000Z",
    durationMs: 3.412,
    ...changes,
  };
}

export function message(id: string, changes: Partial<MessageEvent> = {}): MessageEvent {
  return {
    type: "message",
    id,
    pid: 4242,
    command: "node",
    connection,
    protocol: null,
    direction: "out",
    size: 517,
    at: "2026-01-31T12:00:00.000Z",
    preview: { text: "EHLO" },
    ...changes,
  };
}
