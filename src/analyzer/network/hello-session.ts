// One watch of the network: has the tracer pick the beginnings of TLS connections off the interfaces, and gives who
// talks to whom as events.
import type { Reason } from "../../protocol/coverage.ts";
import type { Problem } from "../../protocol/editor.ts";
import type { HelloEvent, SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import type { KernelLoss, NetworkPlaces, WatchedInterface } from "../../tracer/messages.ts";
import { LossCount } from "../capture/loss-count.ts";
import { decodeRecords, type KernelRecord } from "../capture/records.ts";
import { TracerClient, type SharedTracer } from "../capture/tracer-client.ts";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { ProcessTable } from "../processes/process-table.ts";
import type { NetworkEvent } from "./hello-events.ts";
import { HelloFold } from "./hello-fold.ts";
import { HelloOwners } from "./hello-owners.ts";
import { ruleFor } from "./name-rules.ts";
import { WatchedInterfaces, type InterfaceChange } from "./watched-interfaces.ts";

export interface HelloSessionOptions {
  /** Names; null: all that are up. Those that come later are watched from then on. */
  interfaces: readonly string[] | null;
  onEvent: (event: TraceEvent) => void;
  onInterfaces?: (change: InterfaceChange) => void;
  /** The tracer is gone: nothing is seen any more. */
  onEnded: (problem: Problem) => void;
  /** Whether a connection is one of those that were asked for; all are without it. */
  wants?: (event: HelloEvent) => boolean;
  /** Only connections of processes that are added, and of their children. */
  onlyAdded?: boolean;
  /** Where programs sit on interfaces. */
  places?: Partial<NetworkPlaces>;
  /** A QUIC connection whose end is not seen otherwise has ended after so long a silence. */
  quicIdleMs?: number;
  /** To use rather than one of its own, whose losses and end are then its owner's to tell. */
  tracer?: SharedTracer;
}

export interface HelloSession {
  /** What is watched now. */
  readonly interfaces: readonly WatchedInterface[];
  /** What could not be had: interfaces, or what this kernel lacks. */
  readonly missing: readonly Reason[];
  /** Tells the end of this process and of its children, and, with `onlyAdded`, their connections from now on. */
  add(pid: number): Promise<void>;
  readonly traced: { pid: number; command: string }[];
  /** Whether it was added, or is a child of one that was, and runs. */
  isTraced(pid: number): boolean;
  /**
   * From now on connections to servers with these names (of {@link NameRules}) are refused with a reset, and no others.
   * Gives the reason when this kernel cannot.
   */
  block(rules: readonly string[]): Promise<Reason | null>;
  close(): Promise<SummaryEvent>;
}

const ringBytes = 16 * 1024 * 1024;
/** A server reads what has come within this time, or nobody can tell soon whose it is. */
const holdMs = 100;
/** Longer than ends keep a silent connection (RFC 9000, 10.1): most say 30 seconds. */
const defaultQuicIdleMs = 60_000;
/** That often idle connections are looked for while they are silent. */
const idleLooks = 6;

/** Rejects with TracerUnavailable (it has a `problem`) when rights, kernel support or every interface is missing. */
export async function openHelloSession(options: HelloSessionOptions): Promise<HelloSession> {
  const session = new Session(options);
  await session.open();
  return session;
}

class Session implements HelloSession {
  missing: readonly Reason[] = [];
  readonly #options: HelloSessionOptions;
  readonly #processes = new ProcessTable();
  readonly #owners = new HelloOwners(this.#processes);
  readonly #startedMs = performance.now();
  /** Process id to command, of those that were added and their children. */
  readonly #added = new Map<number, string>();
  readonly #losses = new LossCount();
  #rules: ReadonlySet<string> | null = null;
  #hellos = 0;
  #blocked = 0;
  #isResetting = false;
  #fold!: HelloFold;
  #interfaces!: WatchedInterfaces;
  #tracer!: Pick<TracerClient, "opened" | "call">;
  #own: TracerClient | null = null;
  #timer: NodeJS.Timeout | null = null;
  #idleTimer: NodeJS.Timeout | null = null;

  constructor(options: HelloSessionOptions) {
    this.#options = options;
  }

  get interfaces(): readonly WatchedInterface[] {
    return this.#interfaces.all;
  }

  async open(): Promise<void> {
    const tracer = this.#options.tracer ?? (await this.#startTracer());
    this.#tracer = tracer;
    const { interfaces: names, places = {}, onInterfaces: onChange = () => undefined } = this.#options;
    this.#interfaces = new WatchedInterfaces({ tracer, names, places, onChange });
    this.#fold = new HelloFold({
      clock: tracer.opened.clock,
      idPrefix: `n${Date.now().toString(36)}-`,
      interfaceName: (index) => this.#interfaces.nameOf(index),
      commandOf: (pid, thread) => this.#owners.commandOf(pid, thread),
      ownerOf: (ends) => this.#owners.ownerOf(ends),
      wants: (hello) => this.#isWanted(hello),
      ruleFor: (serverName) => (this.#rules ? ruleFor(this.#rules, serverName) : null),
      isBlocking: () => this.#rules !== null,
      judge: (ends, start, blocked) => {
        void this.#tracer.call({ type: "judge", ends, start, blocked }).catch(() => undefined);
      },
    });
    this.#options.tracer?.listen((record) => {
      this.#onRecord(record);
    });
    this.missing = await this.#interfaces.open();
    if (this.interfaces.length > 0) {
      this.#endIdle();
      return;
    }
    await this.#own?.close();
    const isAny = this.#options.interfaces === null;
    throw new TracerUnavailable(problemOf(this.missing[0], isAny));
  }

  async #startTracer(): Promise<TracerClient> {
    this.#own = await TracerClient.start(
      { ringBytes, features: {} },
      {
        records: (batch) => {
          this.#onBatch(batch);
        },
        losses: (losses) => {
          this.#onLosses(losses);
        },
        ended: (problem) => {
          this.#options.onEnded(problem);
        },
      },
    );
    return this.#own;
  }

  async add(pid: number): Promise<void> {
    this.#added.set(pid, this.#processes.identify(pid).found?.command ?? "");
    await this.#tracer.call({ type: "trace", pids: [pid], followChildren: true });
    // It may have ended before anybody told of that.
    if (this.#processes.identify(pid).found === null) this.#onExit(pid);
  }

  async block(rules: readonly string[]): Promise<Reason | null> {
    const answer = await this.#tracer.call({ type: "block", names: [...rules] });
    if (answer.type === "failed") return answer.reason;
    this.#rules = new Set(rules);
    this.#fold.reconsider();
    return null;
  }

  get traced(): { pid: number; command: string }[] {
    return [...this.#added].map(([pid, command]) => ({ pid, command }));
  }

  isTraced(pid: number): boolean {
    return this.#added.has(pid);
  }

  async close(): Promise<SummaryEvent> {
    await this.#tracer.call({ type: "tell-open" }).catch(() => undefined);
    await this.#tracer.call({ type: "flush" }).catch(() => undefined);
    if (this.#timer) clearTimeout(this.#timer);
    if (this.#idleTimer) clearInterval(this.#idleTimer);
    this.#interfaces.close();
    this.#emitAll(this.#fold.end(Date.now()));
    await this.#own?.close();
    return {
      type: "summary",
      exchanges: 0,
      messages: 0,
      hellos: this.#hellos,
      ...(this.#rules && { blocked: this.#blocked }),
      lost: this.#losses.records,
      durationMs: Math.round(performance.now() - this.#startedMs),
    };
  }

  #onBatch(batch: Buffer): void {
    const { records, undecodedBytes } = decodeRecords(batch);
    for (const record of records) this.#onRecord(record);
    if (undecodedBytes > 0) {
      this.#options.onEvent(
        this.#losses.add({ records: 1, bytes: undecodedBytes, reason: "record-not-understood" }),
      );
    }
  }

  #onRecord(record: KernelRecord): void {
    this.#timer ??= setTimeout(this.#release, holdMs);
    switch (record.type) {
      case "hello-part":
        if (record.verdict === "blocked") this.#reset();
        this.#emitAll(this.#fold.fold(record));
        break;
      case "owner":
      case "closed":
      case "open":
        this.#emitAll(this.#fold.fold(record));
        break;
      case "fork":
        if (this.#own) this.#added.set(record.pid, record.command);
        break;
      case "exec":
        if (this.#added.has(record.pid)) this.#added.set(record.pid, record.command);
        break;
      case "exit":
        this.#onExit(record.pid);
        break;
      default:
        break; // nothing is probed here
    }
  }

  #onExit(pid: number): void {
    const command = this.#added.get(pid);
    if (command === undefined) return;
    // What waits for its owner may be this process's.
    this.#emitAll(this.#fold.release(Infinity, Date.now()));
    this.#added.delete(pid);
    this.#options.onEvent({ type: "exited", pid, command });
  }

  readonly #release = (): void => {
    this.#timer = null;
    this.#owners.forget();
    const nowMs = Date.now();
    this.#emitAll(this.#fold.release(nowMs - holdMs, nowMs));
    if (this.#fold.holds) this.#timer = setTimeout(this.#release, holdMs);
  };

  #endIdle(): void {
    const { quicIdleMs: idleMs = defaultQuicIdleMs } = this.#options;
    this.#idleTimer = setInterval(() => {
      void this.#tracer.call({ type: "tell-idle", idleMs }).catch(() => undefined);
    }, idleMs / idleLooks).unref();
  }

  #onLosses(losses: KernelLoss[]): void {
    for (const event of this.#losses.grown(losses)) this.#options.onEvent(event);
    // What was lost may have told of a refusal.
    if (this.#rules) this.#reset();
  }

  #emitAll(events: NetworkEvent[]): void {
    if (events.some(({ type }) => type === "blocked")) this.#reset();
    for (const event of events) {
      if (event.type === "blocked") this.#blocked++;
      else if (event.type === "hello") this.#hellos++;
      this.#options.onEvent(event);
    }
  }

  /** Once for what comes together. */
  #reset(): void {
    if (this.#isResetting) return;
    this.#isResetting = true;
    queueMicrotask(() => {
      this.#isResetting = false;
      void this.#tracer.call({ type: "reset-blocked" }).catch(() => undefined);
    });
  }

  #isWanted(event: HelloEvent): boolean {
    const { onlyAdded = false } = this.#options;
    if (onlyAdded && (event.pid === null || !this.#added.has(event.pid))) return false;
    return this.#options.wants?.(event) ?? true;
  }
}

const noneIsUp: Reason = { code: "no-interface", text: "no network interface is up" };

/** @param isAny whichever interface is up was asked for, and none by name */
function problemOf(reason = noneIsUp, isAny: boolean): Problem {
  if (reason.code === "eperm") return { ...reason, remedy: "needs CAP_NET_ADMIN beside CAP_BPF; try sudo" };
  const another = "choose another with --interface NAME";
  return { ...reason, remedy: isAny ? "bring one up with: ip link set NAME up" : another };
}
