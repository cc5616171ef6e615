// One trace through the proxy: makes programs trust it by their environment, has the tracer send their connections to
// it, or their environment where there are no rights for that, and gives what they say as events.
import { existsSync, readFileSync } from "node:fs";
import { isIPv6, type Socket } from "node:net";
import type { Reason } from "../../protocol/coverage.ts";
import type { Problem } from "../../protocol/editor.ts";
import type { SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import type { KernelLoss } from "../../tracer/messages.ts";
import { LossCount } from "../capture/loss-count.ts";
import { decodeRecords } from "../capture/records.ts";
import { TracerClient, type SharedTracer } from "../capture/tracer-client.ts";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { endpointOf } from "../endpoint.ts";
import { ProcessTable } from "../processes/process-table.ts";
import { socketOwner } from "../processes/socket-owner.ts";
import { acceptConnectRequest } from "./connect-request.ts";
import { hasIpv6Route } from "./ipv6-route.ts";
import { HeldConnections } from "./held-connections.ts";
import type { OwnCertificate } from "./own-certificate.ts";
import { ownProxy, type OwnProxy } from "./own-proxy.ts";
import { openProgramTrust, type ProgramTrust } from "./program-trust.ts";
import { startProxy, type Arrival, type Proxy } from "./proxy.ts";
import type { TrafficOptions } from "./proxied-traffic.ts";
import { proxyVariables } from "./proxy-variables.ts";
import { elsewhere, redirectedFrom } from "./redirected.ts";
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

/** A child that was given another, or one that overwrites its own: Chromium, by the titles of its processes. */
const otherEnvironment: Reason = {
  code: "other-environment",
  text: "the program's environment does not show that it trusts the proxy",
};

/** How long programs are left alone with a server that could not be reached. */
const unreachedMs = 5000;

/** Rejects with TracerUnavailable (it has a `problem`) when the authority can neither be read nor made. */
export async function openProxySession(options: ProxySessionOptions): Promise<ProxySession> {
  const session = new Session(options);
  await session.open();
  return session;
}

function ownProxyOf(environment: NodeJS.ProcessEnv): OwnProxy | null {
  try {
    return ownProxy(environment);
  } catch (error) {
    const text = `HTTPS_PROXY: ${error instanceof Error ? error.message : String(error)}, and no other can be gone on through`;
    const remedy = "run it without that variable, or as root, where programs keep their own proxy";
    throw new TracerUnavailable({ code: "own-proxy", text, remedy });
  }
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
  /** Null, as what it serves, where programs are asked by their environment. */
  #tracer: Pick<SharedTracer, "call"> | null = null;
  #own: TracerClient | null = null;
  #sharing: Promise<Reason | null> | null = null;
  #held: HeldConnections | null = null;
  #served: ServedPorts | null = null;
  /** What programs would use if they were not asked to use ours. */
  #ownProxy: OwnProxy | null = null;

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
    this.#ownProxy = ownProxyOf(environment);
    return { ...trust.environment, ...proxyVariables(this.#proxy.port, trust.environment) };
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
    const ipv6 = this.#proxy.ipv6 && hasIpv6Route(readFileSync("/proc/net/ipv6_route", "utf8"));
    const { judged } = this.#options;
    const holds = judged !== undefined;
    const answer = await tracer.call({
      type: "redirect",
      pid: process.pid,
      port: this.#proxy.port,
      ipv6,
      holds,
    });
    if (answer.type === "failed") return answer.reason;
    this.#tracer = tracer;
    if (judged) this.#held = new HeldConnections(tracer, judged);
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
    return this.#held?.destinationOf(client) ?? null;
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
    return this.#tracer === null
      ? this.#askedByProgram(socket, remoteAddress, remotePort)
      : this.#sentByKernel(this.#tracer, remoteAddress, remotePort);
  }

  async #askedByProgram(socket: Socket, address: string, port: number): Promise<Arrival | null> {
    const pid = socketOwner(endpointOf(address, port), endpointOf(address, this.#proxy.port));
    if (pid === null) return null;
    const destination = await acceptConnectRequest(socket);
    if (destination === null) return null;
    const via = this.#ownProxy?.viaFor(destination.address);
    return { pid, command: this.#commandOf(pid), destination: { ...destination, ...(via && { via }) } };
  }

  async #sentByKernel(
    tracer: Pick<SharedTracer, "call">,
    clientAddress: string,
    clientPort: number,
  ): Promise<Arrival | null> {
    const family = isIPv6(clientAddress) ? "ipv6" : "ipv4";
    const answer = await tracer.call({ type: "redirected", family, port: clientPort });
    if (answer.type !== "redirected" || answer.original === null) return null;
    const { original } = answer;
    const { pid, isHeld, ...destination } = redirectedFrom(original);
    const client = endpointOf(clientAddress, clientPort);
    const isUntouched = isHeld && (await this.#held?.decide(pid, client, destination)) !== true;
    const onUnreached = () => {
      // It was told a connection that was none; what it tries again meets the server's own answer.
      void tracer.call({ type: "direct", original, milliseconds: unreachedMs }).catch(() => undefined);
    };
    const command = this.#commandOf(pid);
    const exempt = this.#trust.isTrusted(pid) === true ? {} : { exempt: otherEnvironment };
    return { pid, command, destination, isUntouched, onUnreached, ...exempt };
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
