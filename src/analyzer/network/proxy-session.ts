// One trace through the proxy: makes programs trust it by their environment, has the tracer send their connections to
// it, or their environment where there are no rights for that, and gives what they say as events.
import { existsSync } from "node:fs";
import type { Socket } from "node:net";
import type { Reason } from "../../protocol/coverage.ts";
import type { Problem } from "../../protocol/editor.ts";
import type { SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import type { KernelLoss } from "../../tracer/messages.ts";
import { LossCount } from "../capture/loss-count.ts";
import { decodeRecords } from "../capture/records.ts";
import { TracerClient, type SharedTracer } from "../capture/tracer-client.ts";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { ProcessTable } from "../processes/process-table.ts";
import { AskedPrograms } from "./asked-programs.ts";
import type { OwnCertificate } from "./own-certificate.ts";
import { openProgramTrust, type ProgramTrust } from "./program-trust.ts";
import { startProxy, type Arrival, type Proxy } from "./proxy.ts";
import type { TrafficOptions } from "./proxied-traffic.ts";
import { elsewhere } from "./redirected.ts";
import { otherEnvironment, Redirection } from "./redirection.ts";
import { ServedPorts, type LocalServer } from "./served-ports.ts";
import { stateFolder } from "./state-folder.ts";

export interface ProxySessionOptions {
  /** Read at each event: may change. */
  traffic: TrafficOptions;
  /** Server names whose connections are never opened: exact, or `*.suffix`. */
  passThrough: readonly string[];
  onEvent: (event: TraceEvent) => void;
  /** The tracer is gone: connections go direct from now on. */
  onEnded: (problem: Problem) => void;
  /** One to use rather than one of its own, asked for with the first program; it is its owner's to close. */
  tracer?: () => Pick<SharedTracer, "call">;
  /**
   * Asked of a process whose program began connections before anybody had judged it; they wait for this. Resolves with
   * whether they are to be opened: what is not is passed on untouched.
   */
  judged?: (pid: number) => Promise<boolean>;
}

export interface ProxySession {
  /** Where it listens, of 127.0.0.1 and ::1. */
  readonly port: number;
  /**
   * What a program must have in its environment to be seen, beside what it would have without us: what it trusts there
   * stays trusted, and servers are verified by it.
   */
  variablesFor(environment: NodeJS.ProcessEnv): Record<string, string>;
  /** What is missing for the kernel to send connections here; programs are asked by their environment instead. */
  readonly fallback: Problem | null;
  /** A process that was started with these variables and waits before its program begins; its children follow. */
  add(pid: number): Promise<void>;
  /**
   * A process that the shared tracer traces: what it begins from now on, until it begins another program. Gives the
   * reason when that cannot be.
   */
  addProgram(pid: number): Promise<Reason | null>;
  /** Has connections of programs that nobody has judged wait here; where it cannot, they go direct. */
  holdUnjudged(): Promise<void>;
  /** This program of a process that the shared tracer traces is judged: its connections go direct from now on. */
  releaseProgram(pid: number, executable: string): Promise<void>;
  /** Where a connection from here to the proxy was going that was passed on untouched; null for any other. */
  passedOn(client: string): string | null;
  /** A process that runs: refused, with the reason, when it does not trust the proxy. */
  addRunning(pid: number): Promise<Reason | null>;
  /** Connections that come in to a local server, which has this certificate. Gives the reason when it cannot be. */
  serve(server: LocalServer, own: OwnCertificate): Promise<Reason | null>;
  /** Connections that they begin from now on go direct. */
  remove(pids: number[]): Promise<void>;
  readonly traced: { pid: number; command: string }[];
  close(): Promise<SummaryEvent>;
}

/** The ring carries only the beginnings and ends of processes. */
const ringBytes = 256 * 1024;

/** Rejects with TracerUnavailable (it has a `problem`) when the authority can neither be read nor made. */
export async function openProxySession(options: ProxySessionOptions): Promise<ProxySession> {
  const session = new Session(options);
  await session.open();
  return session;
}

class Session implements ProxySession {
  fallback: Problem | null = null;
  readonly #options: ProxySessionOptions;
  readonly #processes = new ProcessTable();
  readonly #startedMs = performance.now();
  /** Process id to command, of those that were added. */
  readonly #added = new Map<number, string>();
  readonly #losses = new LossCount();
  #counts = { exchanges: 0, messages: 0 };
  #trust!: ProgramTrust;
  #proxy!: Proxy;
  #asked!: AskedPrograms;
  /** Null, as what it serves, where programs are asked by their environment. */
  #tracer: Pick<SharedTracer, "call"> | null = null;
  #own: TracerClient | null = null;
  #sharing: Promise<Reason | null> | null = null;
  #redirection: Redirection | null = null;
  #served: ServedPorts | null = null;

  constructor(options: ProxySessionOptions) {
    this.#options = options;
  }

  get port(): number {
    return this.#proxy.port;
  }

  async open(): Promise<void> {
    const { traffic, passThrough } = this.#options;
    this.#trust = await openProgramTrust(stateFolder(process.env));
    this.#proxy = await startProxy({
      authority: this.#trust.authority,
      traffic,
      passThrough,
      arrival: (socket) => this.#arrival(socket),
      onEvent: (event) => {
        this.#emit(event);
      },
    });
    this.#asked = new AskedPrograms(this.#proxy.port, (pid) => this.#commandOf(pid));
    if (this.#options.tracer) return;
    try {
      await this.#redirect();
    } catch (error) {
      if (!(error instanceof TracerUnavailable)) {
        await this.#proxy.close();
        throw error;
      }
      this.fallback = error.problem;
    }
  }

  variablesFor(environment: NodeJS.ProcessEnv): Record<string, string> {
    const trust = this.#trust.of(environment);
    this.#proxy.trust(trust.roots);
    if (this.fallback === null) return trust.environment;
    return { ...trust.environment, ...this.#asked.variables(environment, trust.environment) };
  }

  async #redirect(): Promise<void> {
    const tracer = await TracerClient.start(
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
    const failure = await this.#redirectBy(tracer);
    if (failure !== null) {
      await tracer.close();
      const remedy = "without it, only programs that honour HTTPS_PROXY are seen";
      throw new TracerUnavailable({ ...failure, remedy });
    }
    this.#own = tracer;
    this.#served = new ServedPorts(this.#proxy, (request) => tracer.call(request));
  }

  async #redirectBy(tracer: Pick<SharedTracer, "call">): Promise<Reason | null> {
    const redirection = new Redirection({
      tracer,
      isTrusted: (pid) => this.#trust.isTrusted(pid),
      commandOf: (pid) => this.#commandOf(pid),
      judged: this.#options.judged,
    });
    const failure = await redirection.begin(this.#proxy);
    if (failure !== null) return failure;
    this.#tracer = tracer;
    this.#redirection = redirection;
    return null;
  }

  async add(pid: number): Promise<void> {
    this.#added.set(pid, this.#commandOf(pid));
    await this.#tracer?.call({ type: "trace", pids: [pid], followChildren: true, proxied: "always" });
  }

  async addProgram(pid: number): Promise<Reason | null> {
    const trusts = this.#trust.isTrusted(pid);
    if (trusts === null)
      return { code: "not-readable", text: "whether it trusts the proxy is not readable any more" };
    if (!trusts) return otherEnvironment;
    const failure = await this.#share();
    if (failure !== null) return failure;
    await this.#tracer?.call({ type: "trace", pids: [pid], followChildren: true, proxied: "program" });
    return null;
  }

  async holdUnjudged(): Promise<void> {
    await this.#share();
  }

  async releaseProgram(pid: number, executable: string): Promise<void> {
    await this.#tracer?.call({ type: "release", pid, executable });
  }

  passedOn(client: string): string | null {
    return this.#redirection?.passedOn(client) ?? null;
  }

  #share(): Promise<Reason | null> {
    const { tracer } = this.#options;
    if (tracer === undefined) throw new Error("redirect by a shared tracer: none is shared");
    return (this.#sharing ??= this.#redirectBy(tracer()));
  }

  async addRunning(pid: number): Promise<Reason | null> {
    const { found, missing } = this.#processes.identify(pid);
    if (!found) return missing;
    const trusts = this.#trust.isTrusted(pid);
    if (trusts === null) {
      return { code: "not-readable", text: "whether it trusts the proxy is not readable (try sudo)" };
    }
    if (!trusts) {
      const text = `${found.command} was started without trust in the proxy, which would break its connections: start it with plainsight trace --path mitm -- COMMAND`;
      return { code: "not-trusted", text };
    }
    await this.add(pid);
    return null;
  }

  async serve(server: LocalServer, own: OwnCertificate): Promise<Reason | null> {
    if (this.#served === null) return { code: "not-redirected", text: "connections that come in need root" };
    const namespaces = [server.pid, process.pid].map((pid) => this.#processes.networkNamespace(pid));
    if (namespaces[0] !== namespaces[1]) {
      const text = `${server.command} listens on port ${server.port} of another network namespace, whose connections cannot be sent here (run plainsight there: nsenter -t ${server.pid} -n)`;
      return { code: "other-namespace", text };
    }
    return this.#served.add(server, own);
  }

  async remove(pids: number[]): Promise<void> {
    for (const pid of pids) this.#added.delete(pid);
    await this.#tracer?.call({ type: "untrace", pids });
  }

  get traced(): { pid: number; command: string }[] {
    // Without the kernel nobody tells that one has ended.
    if (this.#tracer === null) {
      for (const pid of this.#added.keys()) if (!existsSync(`/proc/${pid}`)) this.#added.delete(pid);
    }
    return [...this.#added].map(([pid, command]) => ({ pid, command }));
  }

  async close(): Promise<SummaryEvent> {
    // What the kernel told of the last moments is still on its way.
    await this.#own?.call({ type: "flush" }).catch(() => undefined);
    // Connections that begin from here on go direct.
    await this.#own?.close();
    await this.#proxy.close();
    const durationMs = Math.round(performance.now() - this.#startedMs);
    return { type: "summary", ...this.#counts, lost: this.#losses.records, durationMs };
  }

  async #arrival(socket: Socket): Promise<Arrival | null> {
    const { remotePort, remoteAddress } = socket;
    if (remotePort === undefined || remoteAddress === undefined) return null;
    const served = this.#served?.arrival(socket);
    if (served) return served;
    return this.#redirection === null
      ? this.#asked.arrival(socket, remoteAddress, remotePort)
      : this.#redirection.arrival(remoteAddress, remotePort);
  }

  #onBatch(batch: Buffer): void {
    for (const record of decodeRecords(batch).records) {
      if (record.type === "elsewhere") this.#emit({ type: "skipped", pid: record.pid, reason: elsewhere });
      const command = this.#added.get("pid" in record ? record.pid : 0);
      if (!("pid" in record) || command === undefined) continue;
      if (record.type === "exec") this.#added.set(record.pid, record.command);
      if (record.type !== "exit") continue;
      this.#added.delete(record.pid);
      this.#emit({ type: "exited", pid: record.pid, command });
    }
  }

  /** The ring carries no traffic here; what may be lost is that a process has begun, which then goes direct. */
  #onLosses(losses: KernelLoss[]): void {
    for (const event of this.#losses.grown(losses)) this.#emit(event);
  }

  #emit(event: TraceEvent): void {
    if (event.type === "exchange" && event.state !== "pending") this.#counts.exchanges++;
    if (event.type === "message") this.#counts.messages++;
    this.#options.onEvent(event);
  }

  #commandOf(pid: number): string {
    return this.#processes.identify(pid).found?.command ?? "";
  }
}
