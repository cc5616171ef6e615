// The server's one trace: opened when first asked for, closed when nothing is left to trace; with the proxy and the watch
// of the network beside it. It counts what came and what was lost, and keeps the problem that stopped it from opening.
import type {
  OpenProxyParams,
  OpenProxyResult,
  Problem,
  StartTraceParams,
  StartTraceResult,
  StateParams,
  StopTraceParams,
  WatchNetworkParams,
  WatchNetworkResult,
} from "../../protocol/editor.ts";
import type { ProcessReport, Reason } from "../../protocol/coverage.ts";
import type { ExchangeEvent, MessageEvent, SkippedEvent, TraceEvent } from "../../protocol/traffic.ts";
import type { TraceSession, TraceSessionOptions } from "../capture/trace-session.ts";
import { isUncovered } from "../capture/traced-processes.ts";
import { Ties } from "../network/ties.ts";
import type { NetworkEvent } from "./connection-rows.ts";
import { NetworkWatching, type NetworkWatchingOptions } from "./network-watching.ts";
import { problemOf } from "./problem.ts";
import { Proxying, type ProxyingOptions } from "./proxying.ts";

/** The part of a trace session that an editor can use. */
export type EditorTrace = Pick<TraceSession, "add" | "remove" | "traced" | "configure" | "close">;
export type EditorTraceOptions = Pick<
  TraceSessionOptions,
  "bodyLimit" | "showSecrets" | "onEvent" | "onJudged" | "onEnded"
>;

export interface TracingOptions {
  /** Opens the local proxy. */
  openProxy: ProxyingOptions["open"];
  /** Opens the watch of the network. */
  openNetwork: NetworkWatchingOptions["open"];
  /** A connection or a process is not seen. */
  onSkipped(skipped: Pick<SkippedEvent, "pid" | "reason">): void;
  /** A process that was to be traced, or a child of one, has TLS that no probe shows. */
  onUncovered(process: ProcessReport): void;
  /** Opens the capture; rejects with an error that has a `problem` when rights or kernel support are missing. */
  open(options: EditorTraceOptions): Promise<EditorTrace>;
  onTraffic(event: ExchangeEvent | MessageEvent | NetworkEvent): void;
  /** `state` has changed. */
  onState(): void;
}

export class Tracing {
  readonly #options: TracingOptions;
  readonly #proxying: Proxying;
  readonly #network: NetworkWatching;
  readonly #ties: Ties;
  readonly #counts = { exchanges: 0, messages: 0, lost: { records: 0, bytes: 0 } };
  #settings = { bodyLimit: 64 * 1024, showSecrets: false };
  #session: EditorTrace | null = null;
  #problem: Problem | undefined;
  /** Told as uncovered: the session tells it again, as skipped. */
  readonly #uncovered = new WeakSet<Reason>();
  /** Starting and stopping take their turns: the session is never opened twice, nor closed under a start. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: TracingOptions) {
    this.#options = options;
    this.#ties = new Ties({
      onEvent: (event) => {
        this.#receive(event);
      },
      isWatching: () => this.#network.isOpen,
    });
    this.#proxying = new Proxying({
      open: (proxyOptions) => options.openProxy(proxyOptions),
      onEvent: (event) => {
        this.#ties.receive(event);
      },
      onProblem: (problem) => {
        this.#problem = problem;
        options.onState();
      },
    });
    this.#network = new NetworkWatching({
      open: (watchOptions) => options.openNetwork(watchOptions),
      onEvent: (event) => {
        this.#ties.receive(event);
      },
      onEnded: () => {
        options.onState();
      },
    });
  }

  get state(): StateParams {
    const traced = [...(this.#session?.traced ?? []), ...this.#proxying.traced];
    const tracing = traced.map(({ pid, command }) => ({ pid, command }));
    const lost = { ...this.#counts.lost };
    const problem = this.#problem && { problem: this.#problem };
    return { tracing, ...this.#counts, lost, ...problem, ...this.#network.state };
  }

  /** Applies from the next body on, to a session that is open too. */
  configure(settings: { bodyLimit: number; showSecrets: boolean }): void {
    this.#settings = settings;
    this.#session?.configure(settings);
    this.#proxying.configure(settings);
  }

  openProxy(params: OpenProxyParams): Promise<OpenProxyResult> {
    return this.#next(() => this.#proxying.open(params));
  }

  watchNetwork({ isWatching }: WatchNetworkParams): Promise<WatchNetworkResult> {
    return this.#next(async () => {
      if (isWatching) return this.#network.open();
      await this.#network.close();
      return {};
    });
  }

  start(params: StartTraceParams): Promise<StartTraceResult> {
    return this.#next(async () => {
      try {
        const proxied: number[] = [];
        for (const pid of params.pids) if (await this.#proxying.take(pid)) proxied.push(pid);
        const pids = params.pids.filter((pid) => !proxied.includes(pid));
        if (pids.length === 0 && proxied.length > 0) {
          this.#problem = undefined; // of an attempt to probe, which this does without
          return { attached: proxied, skipped: [] };
        }
        this.#session ??= await this.#options.open({
          ...this.#settings,
          onEvent: (event) => {
            this.#ties.receive(event);
          },
          onJudged: (process) => Promise.resolve(this.#judged(process)),
          onEnded: (problem) => {
            this.#session = null;
            this.#problem = problem;
            this.#options.onState();
          },
        });
        this.#problem = undefined;
        const { attached, skipped } = await this.#session.add(pids, {
          followChildren: params.followChildren ?? false,
        });
        await this.#closeWhenIdle();
        return { attached: [...proxied, ...attached], skipped };
      } catch (error) {
        this.#problem = problemOf(error);
        return { attached: [], skipped: [], problem: this.#problem };
      }
    });
  }

  /** Stops these processes, or all. */
  stop(params: StopTraceParams): Promise<void> {
    return this.#next(async () => {
      const all = this.state.tracing.map(({ pid }) => pid);
      const throughProxy = new Set(this.#proxying.traced.map(({ pid }) => pid));
      const pids = params.pids ?? all;
      await this.#proxying.remove(pids.filter((pid) => throughProxy.has(pid)));
      const probed = pids.filter((pid) => !throughProxy.has(pid));
      if (!this.#session || probed.length === 0) return;
      await this.#session.remove(probed);
      await this.#closeWhenIdle();
    });
  }

  /** Detaches everything; a later start opens anew. */
  close(): Promise<void> {
    return this.#next(async () => {
      await this.#network.close();
      await this.#proxying.close();
      await this.#close();
      this.#ties.flush();
    });
  }

  /** Counts from zero again. */
  clear(): void {
    Object.assign(this.#counts, { exchanges: 0, messages: 0, lost: { records: 0, bytes: 0 } });
    this.#network.clear();
    this.#options.onState();
  }

  #next<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work).finally(() => {
      this.#options.onState();
    });
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#session?.traced.length === 0) await this.#close();
  }

  async #close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }

  #judged(process: ProcessReport): Reason | null {
    if (!isUncovered(process.verdict)) return null;
    this.#uncovered.add(process.reason);
    this.#options.onUncovered(process);
    return process.reason;
  }

  #receive(event: TraceEvent): void {
    switch (event.type) {
      case "exchange":
        if (event.state !== "pending") this.#counts.exchanges += 1;
        this.#options.onTraffic(event);
        break;
      case "message":
        this.#counts.messages += 1;
        this.#options.onTraffic(event);
        break;
      case "hello":
      case "connection":
      case "blocked":
        this.#options.onTraffic(event);
        break;
      case "lost":
        this.#counts.lost.records += event.records;
        this.#counts.lost.bytes += event.bytes;
        break;
      case "exited":
        if (this.#session?.traced.length === 0) void this.#next(() => this.#closeWhenIdle());
        break;
      case "skipped":
        if (!this.#uncovered.has(event.reason)) this.#options.onSkipped(event);
        break;
      case "attached":
      case "summary":
        break;
    }
    this.#options.onState();
  }
}
