// Rows and exchanges for the tests, with only what a test is about spelled out.
import type { ConnectionRow, ExchangeRow, MessageRow } from "../../src/protocol/editor.ts";
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

export function connectionRow(change: Partial<ConnectionRow> = {}): ConnectionRow {
  return {
    type: "connection",
    id: "n1",
    pid: 5120,
    command: "curl",
    connection: { ...connection, local: "192.0.2.7:40312", remote: "203.0.113.24:443" },
    serverName: "shop.example",
    transport: "tcp",
    alpn: ["h2", "http/1.1"],
    versions: ["1.2", "1.3"],
    ja3: "579ccef312d18482fc42e2b822ca2430",
    ja4: "t13d1516h2_8daaf6152771_b186095e22b6",
    encryptedClientHello: false,
    interface: "eth0",
    startedAt: "2026-01-31T12:00:00.000Z",
    durationMs: 2500,
    bytesOut: 1000,
    bytesIn: 20_000,
    state: "closed",
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
