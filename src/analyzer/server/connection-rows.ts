// Folds what the network tells of one connection, one event after the other, into one row of the editor's list: its
// hello, its refusal, and how much it carried.
import type { ConnectionRow } from "../../protocol/editor.ts";
import type { BlockedEvent, ConnectionEvent, HelloEvent } from "../../protocol/traffic.ts";

export type NetworkEvent = HelloEvent | ConnectionEvent | BlockedEvent;

export class ConnectionRows {
  readonly #limit: number;
  /** Those of which more may be told, the oldest first. */
  readonly #open = new Map<string, ConnectionRow>();

  /** `limit`: connections whose end is awaited. The end of an older one comes without what its hello said. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The connection's row as it is from now on. */
  fold(event: NetworkEvent): ConnectionRow {
    const row = folded(this.#open.get(event.id), event);
    if (event.type === "connection" && event.state === "closed") this.#open.delete(event.id);
    else this.#open.set(event.id, row);
    for (const id of this.#open.keys()) {
      if (this.#open.size <= this.#limit) break;
      this.#open.delete(id);
    }
    return row;
  }
}

function folded(known: ConnectionRow | undefined, event: NetworkEvent): ConnectionRow {
  const before = known ?? emptyRow(event);
  const row = {
    ...before,
    pid: event.pid ?? before.pid,
    command: event.command ?? before.command,
    connection: event.connection,
    serverName: event.connection.serverName ?? before.serverName,
  };
  switch (event.type) {
    case "hello":
      return {
        ...row,
        serverName: event.serverName ?? row.serverName,
        transport: event.transport,
        alpn: event.alpn,
        versions: event.versions,
        ja3: event.ja3,
        ja4: event.ja4,
        encryptedClientHello: event.encryptedClientHello,
        interface: event.interface,
        startedAt: event.at,
        ...(event.problem && { problem: event.problem }),
      };
    case "blocked":
      return {
        ...row,
        state: "blocked",
        serverName: event.serverName,
        interface: event.interface,
        rule: event.rule,
      };
    case "connection":
      return {
        ...row,
        // What was refused has ended, too, but that is not what one needs to know.
        state: row.state === "blocked" ? "blocked" : event.state,
        startedAt: event.startedAt,
        durationMs: event.durationMs,
        bytesOut: event.bytesOut,
        bytesIn: event.bytesIn,
        ...(event.decrypted !== undefined && { decrypted: event.decrypted }),
      };
  }
}

function emptyRow(event: NetworkEvent): ConnectionRow {
  return {
    type: "connection",
    id: event.id,
    pid: null,
    command: null,
    connection: event.connection,
    serverName: null,
    transport: null,
    alpn: null,
    versions: null,
    ja3: null,
    ja4: null,
    encryptedClientHello: null,
    interface: null,
    startedAt: event.type === "connection" ? event.startedAt : event.at,
    durationMs: null,
    bytesOut: null,
    bytesIn: null,
    state: "open",
  };
}
