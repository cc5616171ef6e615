// One trace: connects the tracer, the processes that are traced and what they say; each of those knows nothing of the
// others. What a record of the kernel means for them is said here.
import type { ProcessReport, Reason, Skipped } from "../../protocol/coverage.ts";
import type { Problem } from "../../protocol/editor.ts";
import type { SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import type { KernelLoss, TracerFeatures } from "../../tracer/messages.ts";
import { elsewhere } from "../network/redirected.ts";
import { isCalled, matchesSelection } from "../processes/matching.ts";
import { ProcessTable } from "../processes/process-table.ts";
import { Scanner } from "../scan.ts";
import { isByName, type Selection } from "../selection.ts";
import { Attachments } from "./attachments.ts";
import { AwaitedFiles } from "./awaited-files.ts";
import { Connections, type ConnectionRecord } from "./connections.ts";
import { LossCount } from "./loss-count.ts";
import { decodeRecords, type KernelRecord } from "./records.ts";
import { isUncovered, TracedProcesses } from "./traced-processes.ts";
import { TracerClient, type SharedTracer } from "./tracer-client.ts";
import { TrafficFlow } from "./traffic-flow.ts";

export { TracerUnavailable } from "./tracer-launch.ts";

export interface TraceSessionOptions {
  /** Bytes kept of each body. */
  bodyLimit: number;
  showSecrets: boolean;
  onEvent(event: TraceEvent): void;
  /**
   * What the kernel told of a connection, before it is folded into exchanges: for who counts rather than reads.
   * @param file whose functions carried the plaintext, as the process sees it; null for other records
   */
  onRecord?(record: ConnectionRecord, file: string | null): void;
  /**
   * A traced process has TLS: told once of each program that it runs, and of each verdict. Whoever is told may show what
   * probes do not; it gives why that cannot be, or null. Without it, such a process is not traced when it is asked for.
   */
  onJudged?(process: ProcessReport): Promise<Reason | null>;
  /** The program that a traced process runs was looked at for the first time, and what can be probed of it is. */
  onSettled?(process: ProcessReport): Promise<void>;
  /** The trace ended by itself: the tracer is gone. */
  onEnded?(problem: Problem): void;
  /** Size of the kernel's ring buffer, a power of two. */
  ringBytes?: number;
  /** Kernel features to use as given rather than to try. */
  features?: Partial<TracerFeatures>;
  scanner?: Scanner;
}

export interface AddOptions {
  followChildren: boolean;
  /** There are many: probes on the files for every process are fewer than those on each process alone. */
  areMany?: boolean;
}

export interface TraceSession {
  /**
   * Traces these processes too. A process without TLS yet is traced: it may load a library later. Where children are
   * followed, the probes are on the files for every process (those that are not traced cost a lookup a call), for a
   * child may speak before anybody could attach to it, and so they are where there are many; else they are on the process
   * alone. Both on one file would tell everything twice: with one session it is the one or the other.
   */
  add(pids: number[], options: AddOptions): Promise<{ attached: number[]; skipped: Skipped[] }>;
  /**
   * Traces a process that waits before its program begins, and all its children, from their first byte: the usual TLS
   * libraries and executables, and these executables (host paths), are probed for every traced process before any of them maps them.
   */
  addFromStart(pid: number, executables: string[]): Promise<void>;
  /** Also traces each process of this selection that begins later. */
  addLater(selection: Selection): Promise<void>;
  remove(pids: number[]): Promise<void>;
  readonly traced: { pid: number; command: string }[];
  /** Whether a traced process has TLS that no probe shows. */
  isUncovered(pid: number): boolean;
  /** Resolves when the program that a traced process runs was looked at, and what can be probed of it is. */
  settled(pid: number): Promise<void>;
  /** What this kernel does not offer, each with what it is for. */
  readonly missing: Reason[];
  configure(options: { bodyLimit: number; showSecrets: boolean }): void;
  /** For who asks the same tracer for something else; it goes with this session. */
  readonly tracer: SharedTracer;
  close(): Promise<SummaryEvent>;
}

/** Rejects with TracerUnavailable (it has a `problem`) when rights or kernel support are missing. */
export async function openTraceSession(options: TraceSessionOptions): Promise<TraceSession> {
  const session = new Session(options);
  await session.open();
  return session;
}

const defaultRingBytes = 16 * 1024 * 1024;

class Session implements TraceSession {
  readonly #options: TraceSessionOptions;
  readonly #scanner: Scanner;
  readonly #table = new ProcessTable();
  readonly #startedMs = performance.now();
  #client!: TracerClient;
  #attachments!: Attachments;
  #awaited!: AwaitedFiles;
  #processes!: TracedProcesses;
  #flow!: TrafficFlow;
  #later: Selection | null = null;
  readonly #losses = new LossCount();
  #listener: (record: KernelRecord) => void = () => undefined;

  constructor(options: TraceSessionOptions) {
    this.#options = options;
    this.#scanner = options.scanner ?? new Scanner();
  }

  async open(): Promise<void> {
    const { ringBytes = defaultRingBytes, features = {}, bodyLimit, showSecrets } = this.#options;
    this.#client = await TracerClient.start(
      { ringBytes, features },
      {
        records: (batch) => {
          this.#onBatch(batch);
        },
        losses: (losses) => {
          this.#onLosses(losses);
        },
        ended: (problem) => this.#options.onEnded?.(problem),
      },
    );
    const onEvent = (event: TraceEvent) => {
      this.#options.onEvent(event);
    };
    this.#attachments = new Attachments((request) => this.#client.call(request));
    this.#awaited = new AwaitedFiles(this.#attachments, this.#scanner, this.#table);
    this.#processes = new TracedProcesses({
      scanner: this.#scanner,
      attachments: this.#attachments,
      awaited: this.#awaited,
      onEvent,
      onJudged: (report) => this.#judged(report),
      onSettled: (report) => this.#options.onSettled?.(report) ?? Promise.resolve(),
    });
    const commandOf = (pid: number) => this.#processes.commandOf(pid);
    const { clock } = this.#client.opened;
    this.#flow = new TrafficFlow(new Connections(clock, { bodyLimit, showSecrets }, commandOf), onEvent);
  }

  get traced(): { pid: number; command: string }[] {
    return this.#processes.ready;
  }

  isUncovered(pid: number): boolean {
    return this.#processes.isUncovered(pid);
  }

  settled(pid: number): Promise<void> {
    return this.#processes.settled(pid);
  }

  get missing(): Reason[] {
    return this.#client.opened.missing;
  }

  get tracer(): SharedTracer {
    return {
      opened: this.#client.opened,
      call: (request) => this.#client.call(request),
      listen: (listener) => {
        this.#listener = listener;
      },
    };
  }

  configure(options: { bodyLimit: number; showSecrets: boolean }): void {
    this.#flow.options = options;
  }

  async add(pids: number[], options: AddOptions): Promise<{ attached: number[]; skipped: Skipped[] }> {
    const attached: number[] = [];
    const skipped: Skipped[] = [];
    for (const pid of pids) {
      const reason = await this.#addOne(pid, options);
      if (reason === null) attached.push(pid);
      else skipped.push({ pid, reason });
    }
    return { attached, skipped };
  }

  async addFromStart(pid: number, executables: string[]): Promise<void> {
    this.#processes.add(pid, "sh", true);
    await this.#client.call({ type: "trace", pids: [pid], followChildren: true });
    await this.#awaited.libraries(pid, "file");
    await this.#awaited.executables(pid, executables);
    this.#processes.markReady(pid);
  }

  async addLater(selection: Selection): Promise<void> {
    // Before it starts, as this process would find them: what begins and speaks at once would be over before its own
    // probes are attached.
    await this.#awaited.libraries(process.pid, "file");
    await this.#awaited.executables(process.pid, []);
    this.#later = selection;
    await this.#client.call({ type: "watch", everyExec: true });
  }

  async remove(pids: number[]): Promise<void> {
    await this.#client.call({ type: "untrace", pids });
    await this.#client.call({ type: "flush" });
    for (const pid of pids) {
      this.#flow.endProcess(pid, "untraced");
      await this.#processes.remove(pid);
    }
  }

  async close(): Promise<SummaryEvent> {
    await this.#client.call({ type: "untrace", pids: this.#processes.pids }).catch(() => undefined);
    await this.#client.call({ type: "flush" }).catch(() => undefined);
    this.#flow.end();
    await this.#client.close();
    const durationMs = Math.round(performance.now() - this.#startedMs);
    return { type: "summary", ...this.#flow.counts, lost: this.#losses.records, durationMs };
  }

  async #addOne(pid: number, options: AddOptions): Promise<Reason | null> {
    if (pid === process.pid || pid === this.#client.pid) {
      return { code: "own-process", text: "Plainsight does not trace itself" };
    }
    const scanned = this.#scanner.scanProcess(pid);
    if ("skipped" in scanned) return scanned.skipped.reason;
    const { report } = scanned.process;
    const { followChildren, areMany = false } = options;
    const { command, verdict, probes, reason } = report;
    const hasNothingToProbe = probes.length === 0 && verdict !== "no-tls";
    if (hasNothingToProbe) {
      const isShown = isUncovered(verdict) && this.#options.onJudged !== undefined;
      const why = isShown ? await this.#judged(report) : reason;
      if (why !== null) return why;
    }
    this.#processes.add(pid, command, followChildren, {
      ...(areMany && { scope: "file" }),
      ...(hasNothingToProbe && { judged: verdict }),
    });
    await this.#client.call({ type: "trace", pids: [pid], followChildren });
    const [failure] = await this.#processes.look(pid);
    if (failure === undefined) {
      this.#processes.markReady(pid);
      return null;
    }
    await this.remove([pid]);
    return failure;
  }

  #judged(report: ProcessReport): Promise<Reason | null> {
    return this.#options.onJudged?.(report) ?? Promise.resolve(null);
  }

  async #addLate(pid: number, command: string, selection: Selection): Promise<void> {
    const { found, missing } = this.#table.identify(pid);
    if (!found && isCalled(command, selection)) {
      const reason = { ...missing, text: `${command} had ended before it was looked at` };
      this.#options.onEvent({ type: "skipped", pid, reason });
    }
    if (!found || !matchesSelection(found, selection)) return;
    // Where every process is wanted, nobody asked for this one by name, and its children come by themselves.
    const isAsked = isByName(selection);
    // Before its files are looked at, which takes as long as some programs last: the usual libraries are probed already.
    this.#processes.add(pid, found.command, isAsked);
    void this.#client.call({ type: "trace", pids: [pid], followChildren: isAsked }).catch(() => undefined);
    // Probes on its files for every process: who runs the same program next is seen from its first byte.
    const { skipped } = await this.add([pid], { followChildren: isAsked, areMany: true });
    if (skipped.length > 0) await this.remove([pid]);
    if (!isAsked) return;
    for (const { reason } of skipped) this.#options.onEvent({ type: "skipped", pid, reason });
  }

  #onBatch(batch: Buffer): void {
    const { records, undecodedBytes } = decodeRecords(batch);
    for (const record of records) {
      this.#onRecord(record);
      this.#listener(record);
    }
    if (undecodedBytes > 0) {
      const lost = { records: 1, bytes: undecodedBytes, reason: "record-not-understood" as const };
      this.#options.onEvent(this.#losses.add(lost));
    }
    this.#flow.settle();
  }

  #onRecord(record: KernelRecord): void {
    switch (record.type) {
      case "fork":
        this.#onBegin(record.pid, record.command, record.parentPid);
        break;
      case "exec":
        if (this.#processes.has(record.pid)) this.#onBegin(record.pid, record.command, null);
        else if (this.#later) void this.#addLate(record.pid, record.command, this.#later);
        break;
      case "library":
        this.#processes.lookAgain(record.pid);
        break;
      case "exit":
        this.#flow.endProcess(record.pid, "closed");
        this.#processes.end(record.pid);
        break;
      case "elsewhere":
        this.#options.onEvent({ type: "skipped", pid: record.pid, reason: elsewhere });
        break;
      case "hello-part":
      case "owner":
      case "closed":
      case "open":
        break; // the listener's
      default:
        this.#onTraffic(record);
    }
  }

  #onBegin(pid: number, command: string, parentPid: number | null): void {
    // The program that had them is gone, and their addresses are the next one's.
    this.#flow.endProcess(pid, "closed");
    this.#processes.begin(pid, command, parentPid);
  }

  #onTraffic(record: ConnectionRecord): void {
    const carrier = record.type === "data" ? record.file : null;
    this.#options.onRecord?.(record, carrier === null ? null : this.#attachments.pathOf(carrier));
    if (carrier !== null) this.#processes.spoke(record.object.pid, carrier);
    this.#flow.fold(record);
  }

  #onLosses(losses: KernelLoss[]): void {
    for (const event of this.#losses.grown(losses)) this.#options.onEvent(event);
  }
}
