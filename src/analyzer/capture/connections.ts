// Folds the kernel's records into connections, each with its parser, and gives the events that follow. It keeps no
// clock and starts nothing: the session feeds it and decides when held events are released.
import type { Connection, Direction, ExchangeEvent, MessageEvent } from "../../protocol/traffic.ts";
import type { Clock } from "../../tracer/messages.ts";
import { createConnectionParser } from "../traffic/connection-parser.ts";
import type { ConnectionParser, ParsedEvent } from "../traffic/parsed.ts";
import { presentExchange, presentMessage } from "../traffic/present.ts";
import type { KernelRecord, TlsObject } from "./records.ts";

export type TrafficEvent = ExchangeEvent | MessageEvent;
export type ConnectionRecord = Extract<KernelRecord, { object: unknown }>;

export interface ConnectionsOptions {
  bodyLimit: number;
  showSecrets: boolean;
}

interface OpenConnection {
  pid: number;
  facts: Connection;
  /** Made with the first bytes: only they tell whether the connection is seen from its start. */
  parser: ConnectionParser | null;
  /** Next position of each direction. */
  expected: Record<Direction, number>;
  /** Ended exchanges that wait for the connection's addresses, which the kernel tells just after the bytes. */
  held: ParsedEvent[];
  heldSinceMs: number;
}

/** More live connections than this: the one that was opened first is let go. */
const mostConnections = 20_000;

export class Connections {
  readonly #open = new Map<string, OpenConnection>();
  readonly #holding = new Set<OpenConnection>();
  readonly #clock: Clock;
  readonly #commandOf: (pid: number) => string;
  options: ConnectionsOptions;

  constructor(clock: Clock, options: ConnectionsOptions, commandOf: (pid: number) => string) {
    this.#clock = clock;
    this.options = options;
    this.#commandOf = commandOf;
  }

  fold(record: ConnectionRecord): TrafficEvent[] {
    switch (record.type) {
      case "data":
        return this.#data(record);
      case "free":
        return this.#end(record.object.key, "closed", this.#epochMs(record.monotonicNs));
      case "server-name": {
        const connection = this.#connection(record.object);
        connection.facts = { ...connection.facts, serverName: record.name };
        return [];
      }
      case "socket": {
        const connection = this.#connection(record.object);
        connection.facts = { ...connection.facts, local: record.local, remote: record.remote };
        return this.#release(connection);
      }
    }
  }

  /** The process has ended, or is no longer traced: so are its connections. */
  endProcess(pid: number, cause: "closed" | "untraced", atMs: number): TrafficEvent[] {
    const keys = [...this.#open].filter(([, connection]) => connection.pid === pid).map(([key]) => key);
    return keys.flatMap((key) => this.#end(key, cause, atMs));
  }

  endAll(atMs: number): TrafficEvent[] {
    return [...this.#open.keys()].flatMap((key) => this.#end(key, "untraced", atMs));
  }

  /** Events held since before `beforeMs`: their connection's addresses will not come any more. */
  release(beforeMs: number): TrafficEvent[] {
    return [...this.#holding].flatMap((connection) =>
      connection.heldSinceMs <= beforeMs ? this.#release(connection) : [],
    );
  }

  get holds(): boolean {
    return this.#holding.size > 0;
  }

  #data(record: Extract<KernelRecord, { type: "data" }>): TrafficEvent[] {
    const { direction, position, payload, unreadableBytes } = record;
    const connection = this.#connection(record.object);
    const { bodyLimit } = this.options;
    const parser = (connection.parser ??= createConnectionParser({ bodyLimit, fromStart: record.fromStart }));
    const atMs = this.#epochMs(record.monotonicNs);
    const events: ParsedEvent[] = [];
    const missing = position - connection.expected[direction];
    if (missing > 0) events.push(...parser.lost(direction, missing, atMs));
    if (payload.length > 0) events.push(...parser.data(direction, payload, atMs));
    if (unreadableBytes > 0) events.push(...parser.lost(direction, unreadableBytes, atMs));
    connection.expected[direction] = position + payload.length + unreadableBytes;
    return this.#present(connection, events, atMs);
  }

  #connection({ key, pid }: TlsObject): OpenConnection {
    const known = this.#open.get(key);
    if (known) return known;
    const connection: OpenConnection = {
      pid,
      facts: { id: key, role: null, local: null, remote: null, serverName: null },
      parser: null,
      expected: { in: 0, out: 0 },
      held: [],
      heldSinceMs: 0,
    };
    this.#open.set(key, connection);
    return connection;
  }

  /** The oldest connection goes when there are too many; called by the session after each batch. */
  trim(atMs: number): TrafficEvent[] {
    const excess = [...this.#open.keys()].slice(0, Math.max(0, this.#open.size - mostConnections));
    return excess.flatMap((key) => this.#end(key, "untraced", atMs));
  }

  #end(key: string, cause: "closed" | "untraced", atMs: number): TrafficEvent[] {
    const connection = this.#open.get(key);
    if (!connection) return [];
    this.#open.delete(key);
    const events = connection.parser?.end(cause, atMs) ?? [];
    return [...this.#release(connection), ...this.#show(connection, events)];
  }

  /** Pending exchanges are shown at once, ended ones when the addresses are known. */
  #present(connection: OpenConnection, events: ParsedEvent[], atMs: number): TrafficEvent[] {
    for (const event of events) {
      if (event.type === "exchange") connection.facts = { ...connection.facts, role: event.role };
    }
    if (connection.facts.remote !== null) return this.#show(connection, events);
    const isPending = (event: ParsedEvent) => event.type === "exchange" && event.state === "pending";
    const ended = events.filter((event) => !isPending(event));
    if (ended.length > 0) {
      if (connection.held.length === 0) connection.heldSinceMs = atMs;
      connection.held.push(...ended);
      this.#holding.add(connection);
    }
    return this.#show(connection, events.filter(isPending));
  }

  #release(connection: OpenConnection): TrafficEvent[] {
    const events = connection.held;
    connection.held = [];
    this.#holding.delete(connection);
    return this.#show(connection, events);
  }

  #show(connection: OpenConnection, events: ParsedEvent[]): TrafficEvent[] {
    const { facts, pid } = connection;
    const command = this.#commandOf(pid);
    return events.map((event) => {
      const id = `${facts.id}:${event.type === "exchange" ? "x" : "m"}${event.key}`;
      const context = { id, pid, command, connection: facts, path: "uprobe" as const };
      const options = { showSecrets: this.options.showSecrets };
      return event.type === "exchange"
        ? presentExchange(event, context, options)
        : presentMessage(event, context, options);
    });
  }

  #epochMs(monotonicNs: bigint): number {
    return this.#clock.epochMs + Number(monotonicNs) / 1e6 - this.#clock.monotonicMs;
  }
}
