// Folds the records of the network path into events: parts of ClientHellos into hellos, each with whose connection it
// is and, at the end, how much that carried. It keeps no clock and looks nothing up itself.
import type { Reason } from "../../protocol/coverage.ts";
import type { HelloEvent } from "../../protocol/traffic.ts";
import type { Clock } from "../../tracer/messages.ts";
import type { Ends, NetworkRecord } from "../capture/network-records.ts";
import { readEarlyServerName } from "./hello/client-hello.ts";
import { HelloFlows, type FlowOutcome } from "./hello/flows.ts";
import {
  blockedEvent,
  connectionEvent,
  helloEvent,
  roleBy,
  unknownFacts,
  type Counted,
  type NetworkEvent,
  type ToldFacts,
} from "./hello-events.ts";

type HelloPart = Extract<NetworkRecord, { type: "hello-part" }>;

export interface HelloFoldOptions {
  clock: Clock;
  /** Begins the ids of this trace's connections, so that no other trace has them. */
  idPrefix: string;
  interfaceName(index: number): string;
  /** What to call a process. @param thread the kernel's name of one of its threads */
  commandOf(pid: number, thread: string): string;
  /** Whose connection it is, where the kernel has not told; asked once, a while after the hello. */
  ownerOf(ends: Ends, direction: HelloEvent["direction"]): number | null;
  /** Whether this connection is to be told; asked when its hello would be, once it is known whose it is. */
  wants(hello: HelloEvent): boolean;
  /** The rule that refuses this server; null when none does. */
  ruleFor(serverName: string): string | null;
  /** Whether names are refused: then each hello that the kernel has not judged itself is judged here. */
  isBlocking(): boolean;
  /** Says what becomes of it. */
  judge(rawEnds: string, start: number, isBlocked: boolean): void;
}

/** A connection whose hello was told, or waits to be. */
interface Told {
  hello: HelloEvent;
  /** Its connection is refused, by this rule. */
  rule: string | null;
  socket: string | null;
  /** Of the flow. */
  start: number;
  startedMs: number;
  /** Since when it waits for its owner; null: it does not any more. */
  heldSinceMs: number | null;
  /** Its hello was told, so its end is. */
  isTold: boolean;
}

/** What its first packet tells of a hello. */
interface Beginning extends Pick<
  HelloPart,
  "ends" | "socket" | "owner" | "command" | "interfaceIndex" | "direction" | "verdict" | "rawEnds" | "start"
> {
  atMs: number;
}

type Outcome = FlowOutcome<Beginning> | { key: string; context: Beginning; facts: ToldFacts };

/** More connections than this at once: the end of the oldest is not told. */
const mostConnections = 65_536;

export class HelloFold {
  readonly #options: HelloFoldOptions;
  readonly #flows = new HelloFlows<Beginning>();
  /** By end and socket. */
  readonly #told = new Map<string, Told>();
  readonly #held = new Set<Told>();
  /** Where hellos of no end that is here began, which were told; by both ends. */
  readonly #passing = new Map<string, number>();
  /** QUIC connections that are refused, whose packets are dropped for that; by their ends. */
  readonly #refusedQuic = new Map<string, { start: number; serverName: string }>();
  #lastId = 0;

  constructor(options: HelloFoldOptions) {
    this.#options = options;
  }

  /** Whether hellos wait for their owner to become known, or for their rest. */
  get holds(): boolean {
    return this.#held.size > 0 || this.#flows.isWaiting;
  }

  fold(record: NetworkRecord): NetworkEvent[] {
    switch (record.type) {
      case "hello-part":
        return this.#onPart(record);
      case "owner":
        return this.#onOwner(record);
      case "closed":
      case "open":
        return this.#onCounted(record);
    }
  }

  /** Hellos that have waited since before this; those whose rest never came. */
  release(beforeMs: number, nowMs: number): NetworkEvent[] {
    const waited = [...this.#held].filter(({ heldSinceMs }) => (heldSinceMs ?? 0) <= beforeMs);
    return [
      ...waited.flatMap((told) => this.#tell(told)),
      ...this.#flows.expire(nowMs).flatMap((outcome) => this.#onOutcome(outcome)),
    ];
  }

  /** After other names are refused: what is not any more goes on, where it has not been reset. */
  reconsider(): void {
    for (const [rawEnds, { start, serverName }] of this.#refusedQuic) {
      if (this.#options.ruleFor(serverName) !== null) continue;
      this.#refusedQuic.delete(rawEnds);
      this.#options.judge(rawEnds, start, false);
    }
  }

  /** What is left: hellos that wait, parts whose rest did not come, connections that go on. */
  end(nowMs: number): NetworkEvent[] {
    const rest = this.#flows.end().flatMap((outcome) => this.#onOutcome(outcome));
    const waiting = [...this.#held].flatMap((told) => this.#tell(told));
    const open = [...this.#told.values()].flatMap((told) =>
      told.rule === null && told.isTold && told.hello.connection.role !== null
        ? [connectionEvent(told.hello, { startedMs: told.startedMs, endMs: nowMs }, null)]
        : [],
    );
    this.#told.clear();
    return [...rest, ...waiting, ...open];
  }

  #onPart(part: HelloPart): NetworkEvent[] {
    const { ends, direction, start, offset, payload } = part;
    const atMs = this.#epochMs(part.monotonicNs);
    // Not the socket: the first of several packets may come before it is established.
    const key = [ends.transport, direction, ends.local, ends.remote, start].join(" ");
    // The kernel has refused it by its first packet: nothing that the client says from now on comes through.
    if (part.verdict === "blocked" && offset === 0) return this.#onRefused(key, { ...part, atMs });
    const { transport } = ends;
    const outcome = this.#flows.push({
      key,
      transport,
      offset,
      bytes: payload,
      atMs,
      context: { ...part, atMs },
    });
    if (!outcome) return [];
    const { context } = outcome;
    const { socket, owner, command } = part;
    const known = context.owner === null ? { owner, command, socket: context.socket ?? socket } : {};
    return this.#onOutcome({ ...outcome, context: { ...context, ...known } });
  }

  #onRefused(key: string, part: HelloPart & { atMs: number }): NetworkEvent[] {
    if (!this.#flows.conclude(key)) return [];
    // A stranger chose it, below a suffix that is refused.
    const serverName = readEarlyServerName(part.payload)?.replace(/[^\x21-\x7e]/g, "?") ?? null;
    return this.#onOutcome({ key, context: part, facts: { ...unknownFacts, serverName } });
  }

  #onOutcome({ context, ...outcome }: Outcome): NetworkEvent[] {
    const { ends, socket, owner, atMs, verdict, rawEnds, start } = context;
    const hello = this.#helloEvent(context, outcome);
    const rule = hello.serverName === null ? null : this.#options.ruleFor(hello.serverName);
    const isBlocked = rule !== null || verdict === "blocked";
    // The kernel may have let pass what is refused: by a list that was read again since, or by a name it does not know.
    const isJudged = verdict === "blocked" || (verdict === "allowed" && !isBlocked);
    if (this.#options.isBlocking() && !isJudged) this.#options.judge(rawEnds, start, isBlocked);
    if (isBlocked && ends.transport === "quic" && hello.serverName !== null) {
      bound(this.#refusedQuic, mostConnections);
      this.#refusedQuic.set(rawEnds, { start, serverName: hello.serverName });
    }
    const earlier = this.#earlierOf(context);
    if (earlier) {
      if (!isBlocked || earlier.rule !== null) return [];
      earlier.rule = rule ?? hello.serverName;
      return this.#tell(earlier);
    }
    const told: Told = {
      hello,
      rule: isBlocked ? (rule ?? hello.serverName) : null,
      socket,
      start,
      startedMs: atMs,
      heldSinceMs: owner === null ? atMs : null,
      isTold: false,
    };
    // Of QUIC that is of no socket here nothing is counted.
    if (ends.transport === "tcp" || socket !== null) {
      bound(this.#told, mostConnections);
      this.#told.set(connectionKey(ends), told);
    }
    if (owner !== null || isBlocked) return this.#tell(told);
    this.#held.add(told);
    return [];
  }

  /**
   * The connection that has said a hello before: a server may ask for a second one (RFC 8446, 4.1.4). The same ends are
   * another connection's when it has another socket, or, where none is known, says it elsewhere in its stream.
   */
  #earlierOf({ ends, socket, start }: Beginning): Told | null {
    const told = ends.transport === "tcp" ? this.#told.get(connectionKey(ends)) : undefined;
    if (!told) return null;
    const isSame =
      told.socket === null || socket === null ? isNear(told.start, start) : told.socket === socket;
    if (!isSame) return null;
    told.socket ??= socket;
    return told;
  }

  #onOwner(record: Counted): NetworkEvent[] {
    const { ends, socket, owner, command, establishedNs } = record;
    if (ends.transport === "quic") return this.#onQuicOwner(record);
    const told = this.#find(ends, socket);
    if (!told || owner === null) return [];
    told.startedMs = this.#epochMs(establishedNs);
    if (told.heldSinceMs === null) return [];
    this.#setOwner(told, owner, command);
    return this.#tell(told);
  }

  /** A server has one socket for all its connections. */
  #onQuicOwner({ socket, owner, command }: Counted): NetworkEvent[] {
    if (owner === null) return [];
    const waiting = [...this.#held].filter(
      (told) => told.hello.transport === "quic" && told.socket === socket,
    );
    return waiting.flatMap((told) => {
      this.#setOwner(told, owner, command);
      return this.#tell(told);
    });
  }

  #onCounted(record: Counted): NetworkEvent[] {
    const told = this.#find(record.ends, record.socket);
    if (!told) return [];
    this.#told.delete(connectionKey(record.ends));
    told.startedMs = this.#epochMs(record.establishedNs);
    if (record.owner !== null && told.hello.pid === null) this.#setOwner(told, record.owner, record.command);
    if (told.rule !== null) return [];
    const hello = told.heldSinceMs === null ? [] : this.#tell(told);
    if (!told.isTold) return [];
    const times = { startedMs: told.startedMs, endMs: this.#epochMs(record.monotonicNs) };
    return [...hello, connectionEvent(told.hello, times, record)];
  }

  #find(ends: Ends, socket: string): Told | undefined {
    const told = this.#told.get(connectionKey(ends));
    return told && (told.socket === null || told.socket === socket) ? told : undefined;
  }

  #tell(told: Told): NetworkEvent[] {
    this.#held.delete(told);
    told.heldSinceMs = null;
    const { hello, rule } = told;
    if (hello.pid === null) {
      const { local, remote } = hello.connection;
      const ends = { transport: hello.transport, local: local ?? "", remote: remote ?? "" };
      const owner = this.#options.ownerOf(ends, hello.direction);
      if (owner !== null) this.#setOwner(told, owner, "");
    }
    if (this.#hasPassed(told)) return [];
    if (rule !== null) return [blockedEvent(hello, rule)];
    told.isTold = this.#options.wants(hello);
    return told.isTold ? [hello] : [];
  }

  /** What only passes through this host comes in by one interface and goes out by another; it is one hello. */
  #hasPassed({ hello: { connection, transport }, start }: Told): boolean {
    if (connection.role !== null) return false;
    const key = [transport, ...[connection.local, connection.remote].sort()].join(" ");
    const before = this.#passing.get(key);
    bound(this.#passing, mostConnections);
    this.#passing.set(key, start);
    if (before === undefined) return false;
    return transport === "tcp" ? isNear(before, start) : before === start;
  }

  #setOwner(told: Told, pid: number, thread: string): void {
    const { hello } = told;
    hello.pid = pid;
    hello.command = this.#options.commandOf(pid, thread);
    hello.connection = { ...hello.connection, role: roleBy(hello.direction) };
  }

  #helloEvent(begun: Beginning, outcome: { facts: ToldFacts } | { problem: Reason }): HelloEvent {
    const { ends, owner, command, direction, interfaceIndex, socket, atMs } = begun;
    const context = {
      ...ends,
      id: `${this.#options.idPrefix}${++this.#lastId}`,
      direction,
      pid: owner,
      command: owner === null ? null : this.#options.commandOf(owner, command),
      interface: this.#options.interfaceName(interfaceIndex),
      atMs,
      isHere: owner !== null || socket !== null,
    };
    return helloEvent(context, outcome);
  }

  #epochMs(monotonicNs: bigint): number {
    const { monotonicMs, epochMs } = this.#options.clock;
    return epochMs + Number(monotonicNs) / 1e6 - monotonicMs;
  }
}

const connectionKey = ({ transport, local, remote }: Ends): string => `${transport} ${local} ${remote}`;

/** Sequence numbers of one stream, the second not long after the first. */
const isNear = (first: number, second: number): boolean => (second - first) >>> 0 < nearBytes;

/** Before its second hello a client says nothing but the first; another connection begins anywhere in 4 GiB. */
const nearBytes = 2 ** 20;

/** Makes room for one more: the first of a Map is its oldest. */
function bound(map: Map<string, unknown>, most: number): void {
  if (map.size < most) return;
  const [oldest] = map.keys();
  if (oldest !== undefined) map.delete(oldest);
}
