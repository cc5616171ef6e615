// What is told of a connection that is seen on the network: its hello, that it was refused, and its end.
import type { Reason } from "../../protocol/coverage.ts";
import type { BlockedEvent, Connection, ConnectionEvent, HelloEvent } from "../../protocol/traffic.ts";
import type { NetworkRecord } from "../capture/network-records.ts";
import type { HelloFacts } from "./hello/client-hello.ts";

export type NetworkEvent = HelloEvent | ConnectionEvent | BlockedEvent;

/** Fingerprints are those of a whole hello. */
export type ToldFacts = Omit<HelloFacts, "ja3" | "ja4"> & Pick<HelloEvent, "ja3" | "ja4">;

/** What the kernel has counted of a connection. */
export type Counted = Extract<NetworkRecord, { type: "owner" | "closed" | "open" }>;

export const unknownFacts: ToldFacts = {
  serverName: null,
  alpn: [],
  versions: [],
  ja3: null,
  ja4: null,
  encryptedClientHello: false,
};

/** What its packets tell of a hello beside what it says. */
export type HelloContext = Pick<
  HelloEvent,
  "id" | "direction" | "pid" | "command" | "transport" | "interface"
> &
  Pick<Connection, "local" | "remote"> & {
    atMs: number;
    /** One of its ends is on this host. */
    isHere: boolean;
  };

export function helloEvent(
  { atMs, isHere, local, remote, ...context }: HelloContext,
  outcome: { facts: ToldFacts } | { problem: Reason },
): HelloEvent {
  const { id, direction, pid, command, transport, interface: name } = context;
  const facts = "facts" in outcome ? outcome.facts : unknownFacts;
  const role = isHere ? roleBy(direction) : null;
  return {
    type: "hello",
    id,
    at: new Date(atMs).toISOString(),
    direction,
    pid,
    command,
    connection: { id, role, local, remote, serverName: facts.serverName },
    transport,
    interface: name,
    ...facts,
    ...("problem" in outcome && { problem: outcome.problem }),
  };
}

/** A client's hello goes out from its host. */
export function roleBy(direction: HelloEvent["direction"]): "client" | "server" {
  return direction === "out" ? "client" : "server";
}

export function blockedEvent(hello: HelloEvent, rule: string): BlockedEvent {
  const { id, at, direction, pid, command, connection, interface: name, serverName } = hello;
  return {
    type: "blocked",
    id,
    at,
    direction,
    pid,
    command,
    connection,
    interface: name,
    serverName: serverName ?? rule,
    rule,
  };
}

/** @param counted null where nothing was: the connection goes on, and how much it carried is not known */
export function connectionEvent(
  { id, pid, command, connection }: HelloEvent,
  { startedMs, endMs }: { startedMs: number; endMs: number },
  counted: Counted | null,
): ConnectionEvent {
  return {
    type: "connection",
    id,
    pid,
    command,
    connection,
    state: counted?.type === "closed" ? "closed" : "open",
    bytesOut: counted?.bytesOut ?? null,
    bytesIn: counted?.bytesIn ?? null,
    ...(counted && counted.said !== "unknown" && { carriedData: counted.said === "data" }),
    startedAt: new Date(startedMs).toISOString(),
    durationMs: Math.max(0, Math.round((endMs - startedMs) * 1000) / 1000),
  };
}
