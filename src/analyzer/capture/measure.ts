// Measures: probes the processes in which a scan found what to probe, and those that load a TLS library meanwhile, watches their
// plaintext, their TCP connections and the ClientHellos of all for a while, and gives the scan's report with what was seen. What it means is
// coverage/measurement.ts's to say.
import { setTimeout as sleep } from "node:timers/promises";
import type { CoverageReport, ProcessReport, Reason } from "../../protocol/coverage.ts";
import type { Problem } from "../../protocol/editor.ts";
import type { TraceEvent } from "../../protocol/traffic.ts";
import { reportWith, type SeenConnection, type Watched } from "../coverage/measurement.ts";
import { measuredProcess, networkMeasurement } from "../coverage/network-measurement.ts";
import { SocketActivity } from "../coverage/socket-activity.ts";
import { countHellos } from "../network/hello-count.ts";
import { ProcessTable } from "../processes/process-table.ts";
import type { Scanner } from "../scan.ts";
import type { ConnectionRecord } from "./connections.ts";
import { openTraceSession, TracerUnavailable, type TraceSession } from "./trace-session.ts";

export interface MeasureOptions {
  scanner: Scanner;
  durationMs: number;
  /** Ends the measuring early; what was seen until then counts. */
  signal: AbortSignal;
  onProgress(progress: MeasureProgress): void;
}

export interface MeasureProgress {
  /** Processes that are watched, by probes or on the network; 0 while probes are still being attached. */
  watched: number;
  /** Of these, with plaintext seen. */
  confirmed: number;
  leftMs: number;
}

export interface Measured {
  report: CoverageReport;
  /** Records that the kernel or the analyzer had to drop: plaintext was seen, yet not all of it is counted. */
  lostRecords: number;
}

/** Between two looks at the TCP connections. */
const lookMs = 250;

/** Processes with probes of their own. Those of some hundred take minutes to attach and to detach. */
const mostAlone = 16;

/** Rejects with TracerUnavailable (it has a `problem`) when rights or kernel support are missing. */
export async function measure(report: CoverageReport, options: MeasureOptions): Promise<Measured> {
  const { scanner, durationMs, signal } = options;
  // Of what cannot be probed the network tells.
  if (report.processes.length === 0) return { report, lostRecords: 0 };
  const table = new ProcessTable();
  const plaintext = new PlaintextCount((pid) => table.networkNamespace(pid));
  const newest = new NewestReports(report, scanner);
  const ending: { problem: Problem | null } = { problem: null };
  const gone = new AbortController();
  const session = await openTraceSession({
    bodyLimit: 0,
    showSecrets: false,
    scanner,
    onEvent: (event) => {
      plaintext.event(event);
      if (event.type === "attached") newest.look(event.pid);
    },
    onRecord: (record, file) => {
      plaintext.record(record, file);
    },
    onEnded: (problem) => {
      ending.problem = problem;
      gone.abort();
    },
  });
  try {
    const ended = AbortSignal.any([signal, gone.signal]);
    options.onProgress({ watched: 0, confirmed: 0, leftMs: durationMs });
    const areMany = report.processes.length > mostAlone;
    const { probed, failed } = await attach(session, report.processes.filter(mayBeProbed), areMany, ended);
    await attach(session, report.processes.filter(mayLoadTls), areMany, ended);
    plaintext.begin();
    const activity = new SocketActivity();
    const look = () => {
      activity.look([...probed].flatMap((pid) => table.tcpSockets(pid) ?? []));
    };
    // What comes up after this begins with a hello that is seen.
    look();
    const hellos = await countHellos(session.tracer);
    const since = new Date().toISOString();
    const watched = report.processes.length;
    await lookRegularly(durationMs, ended, (leftMs) => {
      look();
      if (leftMs > 0) options.onProgress({ watched, confirmed: plaintext.processes, leftMs });
    });
    const network = await hellos.close();
    await session.close();
    if (ending.problem !== null) throw new TracerUnavailable(ending.problem);
    const seen: Watched = {
      since,
      connections: plaintext.connections,
      active: activity.active,
      hellos: network.connections,
      watchedNamespace: network.connections === null ? null : table.networkNamespace(process.pid),
    };
    for (const { pid } of network.connections ?? []) {
      if (pid !== null && !probed.has(pid)) newest.look(pid);
    }
    const measured = reportWith(
      report,
      report.processes.map((known) => {
        const { pid } = known;
        const reason = failed.get(pid);
        if (reason)
          return measuredProcess({ ...known, basis: "measured", verdict: "dark", reason }, "never", seen);
        const probing = probed.has(pid) ? "throughout" : newest.has(pid) ? "late" : "never";
        return measuredProcess(newest.of(known), probing, seen);
      }),
    );
    return {
      report:
        network.connections === null
          ? measured
          : { ...measured, network: networkMeasurement(measured.processes, seen, network.interfaces) },
      lostRecords: plaintext.lostRecords,
    };
  } catch (error) {
    await session.close();
    throw error;
  }
}

/** Also what only missing rights keep from being probed: the tracer is asked for them, and says what is missing. */
function mayBeProbed({ probes, reason }: ProcessReport): boolean {
  return probes.length > 0 || reason.code === "uprobe-unavailable";
}

/** A library that one loads while it is watched is probed then. */
function mayLoadTls({ verdict }: ProcessReport): boolean {
  return verdict === "no-tls";
}

const goneCodes = new Set(["exited", "no-such-process", "zombie"]);

/** Of one that has gone nothing was found out: it is neither probed nor failed, and keeps its prediction. */
async function attach(
  session: TraceSession,
  processes: readonly ProcessReport[],
  areMany: boolean,
  ended: AbortSignal,
) {
  const probed = new Set<number>();
  const failed = new Map<number, Reason>();
  for (const { pid } of processes) {
    if (ended.aborted) break;
    const { skipped } = await session.add([pid], { followChildren: false, areMany });
    const reason = skipped[0]?.reason;
    if (reason === undefined) probed.add(pid);
    else if (!goneCodes.has(reason.code)) failed.set(pid, reason);
  }
  return { probed, failed };
}

/** What processes are by now: they load libraries and begin other programs while they are watched. */
class NewestReports {
  readonly #scanner: Scanner;
  readonly #known: ReadonlyMap<number, ProcessReport>;
  readonly #newest = new Map<number, ProcessReport>();

  constructor({ processes }: CoverageReport, scanner: Scanner) {
    this.#scanner = scanner;
    this.#known = new Map(processes.map((process) => [process.pid, process]));
  }

  /** Does nothing where it has gone, or its id is another's. */
  look(pid: number): void {
    const known = this.#known.get(pid);
    const scanned = known && this.#scanner.scanProcess(pid);
    if (!scanned || "skipped" in scanned) return;
    const { report } = scanned.process;
    if (report.startedAt === known.startedAt) this.#newest.set(pid, report);
  }

  has(pid: number): boolean {
    return this.#newest.has(pid);
  }

  of(known: ProcessReport): ProcessReport {
    return this.#newest.get(known.pid) ?? known;
  }
}

/** Looks now, at the end, and every {@link lookMs} between. */
async function lookRegularly(
  durationMs: number,
  ended: AbortSignal,
  onLook: (leftMs: number) => void,
): Promise<void> {
  const endMs = performance.now() + durationMs;
  for (;;) {
    const leftMs = ended.aborted ? 0 : Math.max(0, endMs - performance.now());
    onLook(leftMs);
    if (leftMs === 0) return;
    await sleep(Math.min(lookMs, leftMs), undefined, { signal: ended }).catch(() => undefined);
  }
}

/** What the probes saw, by connection. */
class PlaintextCount {
  readonly #connections = new Map<string, SeenConnection>();
  readonly #confirmed = new Set<number>();
  readonly #namespaceOf: (pid: number) => number | null;
  lostRecords = 0;

  constructor(namespaceOf: (pid: number) => number | null) {
    this.#namespaceOf = namespaceOf;
  }

  /** Counts from now: the first processes were probed while the last ones were still being attached. */
  begin(): void {
    this.#confirmed.clear();
    for (const connection of this.#connections.values()) connection.bytes = 0;
  }

  /** Processes of which plaintext was seen. */
  get processes(): number {
    return this.#confirmed.size;
  }

  get connections(): SeenConnection[] {
    return [...this.#connections.values()];
  }

  record(record: ConnectionRecord, file: string | null): void {
    if (record.type === "free") return;
    const connection = this.#connection(record.object.key, record.object.pid);
    if (record.type === "data") {
      connection.bytes += record.payload.length;
      connection.file = file;
      if (connection.bytes > 0) this.#confirmed.add(connection.pid);
    } else if (record.type === "socket") {
      connection.local = record.local;
      connection.remote = record.remote;
    }
  }

  event(event: TraceEvent): void {
    if (event.type === "exchange") {
      const { connection, pid } = event;
      if (connection.role !== null) this.#connection(connection.id, pid).role = connection.role;
    } else if (event.type === "lost") this.lostRecords += event.records;
  }

  #connection(key: string, pid: number): SeenConnection {
    const known = this.#connections.get(key);
    if (known) return known;
    const namespace = this.#namespaceOf(pid);
    const ends = { local: null, remote: null, role: null };
    const fresh: SeenConnection = { pid, namespace, bytes: 0, ...ends, file: null };
    this.#connections.set(key, fresh);
    return fresh;
  }
}
