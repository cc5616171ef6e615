// Runs one target: starts it under a trace, lets it make its exchange, scans it meanwhile, and compares what was
// captured with what was said, and its ClientHello on the wire with what it asked for; then once more by the proxy.
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openTraceSession, type TraceSession } from "../../src/analyzer/capture/trace-session.ts";
import { carriedBy } from "../../src/analyzer/coverage/measurement.ts";
import { openHelloSession } from "../../src/analyzer/network/hello-session.ts";
import { Scanner } from "../../src/analyzer/scan.ts";
import { everyProcess } from "../../src/analyzer/selection.ts";
import type { ProcessReport } from "../../src/protocol/coverage.ts";
import type { HelloEvent, TraceEvent } from "../../src/protocol/traffic.ts";
import { installProgram } from "./install.ts";
import { byHello, measuredExchange, measuredMessages } from "./measured.ts";
import type { ByHello, ByProxy, Measured, Spoken } from "./measured.ts";
import type { Certificates, Client, Said } from "./peer.ts";
import { settled, Stage, withDescendants } from "./stage.ts";
import type { Target } from "./target.ts";
import { throughProxy } from "./through-proxy.ts";

export interface Outcome {
  version: string | null;
  /** The process that spoke, as the scan saw it while it did; null where it was not found. */
  report: ProcessReport | null;
  measured: Measured;
  byProxy: ByProxy;
  byHello: ByHello;
}

/** All ClientHellos on loopback, of whatever connection. */
export interface Hellos {
  readonly seen: HelloEvent[];
  close(): Promise<unknown>;
}

/** Rejects as {@link openHelloSession} does. */
export async function watchHellos(): Promise<Hellos> {
  const seen: HelloEvent[] = [];
  const session = await openHelloSession({
    interfaces: ["lo"],
    onEvent: (event) => {
      if (event.type === "hello") seen.push(event);
    },
    onEnded: ({ text }) => {
      throw new Error(text);
    },
  });
  return { seen, close: () => session.close() };
}

/** Throws with the reason why the target could not be run. */
export async function exercise(
  what: Target,
  certificates: Certificates,
  folder: string,
  hellos: Hellos,
): Promise<Outcome> {
  mkdirSync(folder, { recursive: true });
  try {
    const program = await installProgram(what, folder);
    const traced = await new Traced(new Stage(what, certificates, folder, program), hellos).outcome();
    // It may have left something behind that it would find the second time.
    const again = new Stage(what, certificates, join(folder, "again"), program);
    return { ...traced, byProxy: await throughProxy(again) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class Traced {
  readonly #events: TraceEvent[] = [];
  readonly #scanner = new Scanner();
  /** By pid: the file whose functions carried plaintext. */
  readonly #carriers = new Map<number, string>();
  readonly #stage: Stage;
  readonly #hellos: Hellos;

  constructor(stage: Stage, hellos: Hellos) {
    this.#stage = stage;
    this.#hellos = hellos;
  }

  async outcome(): Promise<Omit<Outcome, "byProxy">> {
    const session = await openTraceSession({
      bodyLimit: 1 << 20,
      showSecrets: true,
      scanner: this.#scanner,
      onEvent: (event) => this.#events.push(event),
      onRecord: (record, file) => {
        if (record.type === "data" && file !== null) this.#carriers.set(record.object.pid, file);
      },
    });
    const isClient = this.#stage.what.side === "client";
    try {
      return await this.#stage.play(() => (isClient ? this.#client(session) : this.#server(session)));
    } finally {
      await session.close();
    }
  }

  async #client(session: TraceSession): Promise<Omit<Outcome, "byProxy">> {
    // Chromium asks for an icon, too: the first request is the one.
    const heard: { said: Said; client: Client; pid: number; report: ProcessReport | null }[] = [];
    await this.#stage.openPeer((said, client) => {
      if (heard.length === 0) heard.push({ said, client, ...this.#speaker(client.port) });
    });
    const launched = this.#stage.launch();
    await session.addFromStart(launched.pid, launched.executables);
    launched.release();
    await launched.ended;
    const [first] = heard;
    if (first === undefined) throw new Error("it made no request");
    const measured = await settled(() => measuredExchange(this.#events, first.said), isConfirmed);
    return {
      version: this.#stage.version(),
      report: this.#carried(first.report),
      measured,
      byHello: await this.#byHello({
        ...{ direction: "out", port: first.client.port, pids: [first.pid], name: first.client.serverName },
      }),
    };
  }

  async #server(session: TraceSession): Promise<Omit<Outcome, "byProxy">> {
    const { pid, port } = await this.#stage.startServer();
    // The first exchange loads what is loaded late; the second is the one that counts.
    await this.#stage.ask().catch(() => undefined);
    const pids = withDescendants(pid);
    const { report: scan } = this.#scanner.scan({ ...everyProcess, pids });
    await session.add(pids, { followChildren: true });
    const said = await this.#stage.ask();
    const { says } = this.#stage.what;
    const measured = await settled(
      () =>
        typeof says === "string"
          ? measuredExchange(this.#events, said)
          : measuredMessages(this.#events, says),
      isConfirmed,
    );
    const speakers = new Set(this.#events.flatMap((event) => ("connection" in event ? [event.pid] : [])));
    const report =
      scan.processes.find((one) => speakers.has(one.pid)) ??
      scan.processes.find(({ verdict }) => verdict !== "no-tls") ??
      scan.processes[0];
    // Some of its processes have ended by now: those that answered one connection.
    const traced = this.#events.flatMap((event) => ("pid" in event && event.pid !== null ? [event.pid] : []));
    return {
      version: this.#stage.version(),
      report: this.#carried(report ?? null),
      measured,
      byHello: await this.#byHello({
        ...{ direction: "in", port, pids: [...pids, ...traced], name: "localhost" },
      }),
    };
  }

  async #byHello(spoken: Spoken): Promise<ByHello> {
    return settled(
      () => byHello(this.#hellos.seen, spoken),
      ({ state }) => state !== "nothing",
    );
  }

  /** The process whose socket has this port. */
  #speaker(clientPort: number): { pid: number; report: ProcessReport | null } {
    const listing = execFileSync("ss", ["-Htnp", `sport = :${clientPort}`], { encoding: "utf8" });
    const pid = Number(/pid=(\d+)/.exec(listing)?.[1] ?? 0);
    const scanned = pid === 0 ? null : this.#scanner.scanProcess(pid);
    return { pid, report: scanned !== null && "process" in scanned ? scanned.process.report : null };
  }

  /** The report with the stack first, and the class by it, that carried the traffic. */
  #carried(report: ProcessReport | null): ProcessReport | null {
    const carrier = this.#carriers.get(report?.pid ?? 0);
    return report === null || carrier === undefined ? report : carriedBy(report, carrier);
  }
}

const isConfirmed = ({ state }: Measured): boolean => state === "confirmed";
