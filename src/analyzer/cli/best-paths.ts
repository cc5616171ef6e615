// `trace --path auto`: each process by the best path that works. What probes do not show goes through the local proxy
// where the process was started with trust in it, else whom it talks to is read off the network; each is said, with why.
import type { ProcessReport, Reason } from "../../protocol/coverage.ts";
import type { Problem } from "../../protocol/editor.ts";
import type { ExchangeEvent, MessageEvent, SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import type { TraceSession } from "../capture/trace-session.ts";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { openHelloSession, type HelloSession } from "../network/hello-session.ts";
import type { ProxySession } from "../network/proxy-session.ts";
import type { TrafficOptions } from "../network/proxied-traffic.ts";
import { printable } from "./terminal.ts";
import { tellProblem } from "./trace-printer.ts";

export interface BestPathsOptions {
  /** The trace by probes, once it is open: it knows the processes, and its tracer serves all paths. */
  session: () => Pick<TraceSession, "tracer" | "traced" | "isUncovered" | "settled">;
  /** The hellos of what is probed are wanted, too. */
  allHellos: boolean;
  onEvent: (event: TraceEvent) => void;
}

const fromNowOn = "its connections before now are not told";

export class BestPaths {
  readonly #options: BestPathsOptions;
  /** For processes that we start. */
  #proxy: ProxySession | null = null;
  /** Opened for the first that needs it: it costs nothing where all is seen otherwise. */
  #hellos: Promise<HelloSession | Problem> | null = null;
  readonly #proxied = new Set<number>();
  readonly #said = new Set<string>();

  constructor(options: BestPathsOptions) {
    this.#options = options;
  }

  /** Whether hellos may come. */
  get isWatching(): boolean {
    return this.#hellos !== null;
  }

  /**
   * Before the command is started. Gives what it must have in its environment; none, where the proxy cannot be had, which
   * is said.
   */
  async openProxy(traffic: TrafficOptions): Promise<Record<string, string>> {
    // What makes certificates takes a tenth of a second to load.
    const { openProxySession } = await import("../network/proxy-session.ts");
    try {
      this.#proxy = await openProxySession({
        traffic,
        passThrough: [],
        tracer: () => this.#options.session().tracer,
        judged: async (pid) => {
          await this.#options.session().settled(pid);
          return this.#proxied.has(pid);
        },
        onEvent: this.#options.onEvent,
        onEnded: () => undefined, // told by the tracer's owner
      });
      return this.#proxy.variablesFor(process.env);
    } catch (error) {
      if (!(error instanceof TracerUnavailable)) throw error;
      tellProblem(error.problem);
      return {};
    }
  }

  /** Before the command begins: what its children say before they are looked at is seen, too. */
  async hold(): Promise<void> {
    await this.#proxy?.holdUnjudged();
  }

  /** What can be probed of this program is; the rest was taken. */
  async settle({ pid, verdict, executable }: ProcessReport): Promise<void> {
    if (verdict !== "proxy") this.#proxied.delete(pid);
    if (!this.#proxied.has(pid) && executable !== null) await this.#proxy?.releaseProgram(pid, executable);
  }

  /** From now on it is seen so; or why it cannot be. */
  async take(report: ProcessReport): Promise<Reason | null> {
    const { pid, verdict, reason } = report;
    const proxy = this.#proxy;
    // It loaded the library that is probed after it had shown another.
    if (verdict === "traceable" && this.#proxied.has(pid)) await this.settle(report);
    if (verdict === "traceable") return null; // said where the probes are attached
    const refusal = verdict === "proxy" && proxy ? await proxy.addProgram(pid) : null;
    if (verdict === "proxy" && proxy && refusal === null) {
      this.#proxied.add(pid);
      this.#say(report, "through the local proxy from now on", reason.text);
      return null;
    }
    this.#proxied.delete(pid);
    const isFirst = this.#hellos === null;
    if ((await this.watch()) !== null) return reason;
    const why = [reason.text, ...(refusal ? [`not through the local proxy: ${refusal.text}`] : [])];
    if (isFirst) why.push(fromNowOn);
    // Not where it was started so already, nor where it names the very way that it is seen now.
    if (verdict === "proxy" && !proxy && reason.remedy !== undefined) why.push(reason.remedy);
    const what =
      report.probes.length === 0 ? "names and sizes only" : "names and sizes beside what is probed";
    this.#say(report, what, why.join("; "));
    return null;
  }

  /** Reads hellos off the network from now on. Gives the problem where it cannot be watched. */
  async watch(): Promise<Problem | null> {
    this.#hellos ??= this.#open();
    const opened = await this.#hellos;
    return "close" in opened ? null : opened;
  }

  /** What probes tell of a connection, with where it was going; null where it goes to the proxy, which shows it. */
  asShown<Event extends ExchangeEvent | MessageEvent>(event: Event): Event | null {
    const { connection } = event;
    if (!this.#isProxied(connection)) return event;
    const remote = this.#proxy?.passedOn(connection.local ?? "") ?? null;
    return remote === null ? null : { ...event, connection: { ...connection, remote } };
  }

  #isProxied(connection: { remote: string | null }): boolean {
    const port = this.#proxy?.port;
    return port !== undefined && [`127.0.0.1:${port}`, `[::1]:${port}`].includes(connection.remote ?? "");
  }

  /** What was seen beside probes; before the trace itself is closed. */
  async close(): Promise<SummaryEvent[]> {
    const hellos = await this.#hellos;
    return [
      ...(this.#proxy ? [await this.#proxy.close()] : []),
      ...(hellos && "close" in hellos ? [await hellos.close()] : []),
    ];
  }

  async #open(): Promise<HelloSession | Problem> {
    const { session, allHellos, onEvent } = this.#options;
    const { tracer } = session();
    try {
      return await openHelloSession({
        interfaces: null,
        tracer,
        wants: ({ pid, connection }) =>
          pid !== null && this.#isWanted(pid, allHellos) && !this.#isProxied(connection),
        onEvent,
        onEnded: () => undefined, // told by the tracer's owner
      });
    } catch (error) {
      if (!(error instanceof TracerUnavailable)) throw error;
      return error.problem;
    }
  }

  #isWanted(pid: number, allHellos: boolean): boolean {
    const session = this.#options.session();
    return session.isUncovered(pid) || (allHellos && session.traced.some((one) => one.pid === pid));
  }

  /** Once of each program that a process runs. */
  #say({ pid, command, executable }: ProcessReport, path: string, why: string): void {
    const key = `${pid} ${executable ?? ""} ${path}`;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    process.stderr.write(`${printable(`${command} ${pid}`)}: ${path}: ${printable(why)}\n`);
  }
}
