// What the network tells of one connection, for tests: whole events, with what a test cares about put in.
import type { BlockedEvent, ConnectionEvent, HelloEvent } from "../../../src/protocol/traffic.ts";

const shared = {
  id: "n1",
  pid: 4242,
  command: "curl",
  connection: {
    id: "n1",
    role: "client" as const,
    local: "192.0.2.7:40312",
    remote: "203.0.113.24:443",
    serverName: "api.shop.example",
  },
};
const at = "2026-01-31T12:00:00.250Z";

export function hello(changes: Partial<HelloEvent> = {}): HelloEvent {
  return {
    type: "hello",
    ...shared,
    at,
    direction: "out",
    transport: "tcp",
    interface: "eth0",
    serverName: "api.shop.example",
    alpn: ["h2", "http/1.1"],
    versions: ["1.3", "1.2"],
    ja3: "579ccef312d18482fc42e2b822ca2430",
    ja4: "t13d1516h2_8daaf6152771_b186095e22b6",
    encryptedClientHello: false,
    ...changes,
  };
}

export function connectionEnd(changes: Partial<ConnectionEvent> = {}): ConnectionEvent {
  return {
    type: "connection",
    ...shared,
    state: "closed",
    bytesOut: 1530,
    bytesIn: 20_600_000,
    startedAt: at,
    durationMs: 2500,
    ...changes,
  };
}

export function blocked(changes: Partial<BlockedEvent> = {}): BlockedEvent {
  return {
    type: "blocked",
    ...shared,
    at,
    direction: "out",
    interface: "eth0",
    serverName: "api.shop.example",
    rule: "*.shop.example",
    ...changes,
  };
}
