// One trace: which processes are in it, what is attached to them, and the events that come out. It connects the tracer,
// the scanner and the connections; each of those knows nothing of the others.
import type { ProcessReport, Reason, Skipped } from "../../protocol/coverage.ts";
import type { Problem } from "../../protocol/editor.ts";
import type { SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import type { KernelLoss, TracerFeatures } from "../../tracer/messages.ts";
import { matchesSelection } from "../processes/matching.ts";
import { ProcessTable } from "../processes/process-table.ts";
import { Scanner } from "../scan.ts";
import { isByName, type Selection } from "../selection.ts";
import { Attachments, type AttachOutcome } from "./attachments.ts";
import { AwaitedFiles } from "./awaited-files.ts";
import { Connections, type ConnectionRecord, type TrafficEvent } from "./connections.ts";
import { LossCount } from "./loss-count.ts";
import { decodeRecords, type KernelRecord } from "./records.ts";
import { TracerClient, type SharedTracer } from "./tracer-client.ts";

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
  /** A traced process has TLS that cannot be probed; told once of each program that it runs. */
  onUncovered?(process: ProcessReport): void;
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
}

export interface TraceSession {
  /**
   * Traces these processes too. A process without TLS yet is traced: it may load a library later. Where children are
   * followed, the probes are on the files for every process (those that are not traced cost a lookup a call), for a
   * child may speak before anybody could attach to it; else they are on the process alone.
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
/** The addresses of a connection follow its bytes within microseconds; a batch boundary may fall between. */
const holdMs = 50;

interface Traced {
  command: string;
  followChildren: boolean;
  /** Named by the user, or told to be attached: then its end is told, too. */
  announced: boolean;
  /** A look at its mapped files is under way, or wanted again after it. */
  look: "idle" | "looking" | "again";
  /** The libraries it may load later are probed: once a program is enough. */
  awaits: boolean;
  /** That it has TLS which cannot be probed was told. */
  uncovered: boolean;
  /** What it says from now on is seen: the first look of one that was added is over. */
  ready: boolean;
}

class Session implements TraceSession {
  readonly #options: TraceSessionOptions;
  readonly #scanner: Scanner;
  readonly #processes = new ProcessTable();
  readonly #traced = new Map<number, Traced>();
  readonly #startedMs = performance.now();
  #client!: TracerClient;
  #attachments!: Attachments;
  #awaited!: AwaitedFiles;
  #connections!: Connections;
  #later: Selection | null = null;
  readonly #losses = new LossCount();
  #releaseTimer: NodeJS.Timeout | null = null;
  #counts = { exchanges: 0, messages: 0 };
  #listener: (records: readonly KernelRecord[]) => void = () => undefined;

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
    this.#attachments = new Attachments((request) => this.#client.call(request));
    this.#awaited = new AwaitedFiles(this.#attachments, this.#scanner, this.#processes);
    this.#connections = new Connections(this.#client.opened.clock, { bodyLimit, showSecrets }, (pid) =>
      this.#commandOf(pid),
    );
  }

  get traced(): { pid: number; command: string }[] {
    return [...this.#traced].flatMap(([pid, { command, ready }]) => (ready ? [{ pid, command }] : []));
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
    this.#connections.options = options;
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
    await this.#trace(pid, "sh", { followChildren: true });
    await this.#awaited.libraries(pid, "file");
    await this.#awaited.executables(pid, executables);
    this.#ready(pid);
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
      this.#emitAll(this.#connections.endProcess(pid, "untraced", Date.now()));
      this.#traced.delete(pid);
      await this.#detach(pid);
    }
  }

  async close(): Promise<SummaryEvent> {
    await this.#client.call({ type: "untrace", pids: [...this.#traced.keys()] }).catch(() => undefined);
    await this.#client.call({ type: "flush" }).catch(() => undefined);
    if (this.#releaseTimer) clearTimeout(this.#releaseTimer);
    this.#emitAll(this.#connections.endAll(Date.now()));
    await this.#client.close();
    const durationMs = Math.round(performance.now() - this.#startedMs);
    return { type: "summary", ...this.#counts, lost: this.#losses.records, durationMs };
  }

  async #addOne(pid: number, { followChildren }: AddOptions): Promise<Reason | null> {
    if (pid === process.pid || pid === this.#client.pid) {
      return { code: "own-process", text: "Plainsight does not trace itself" };
    }
    const scanned = this.#scanner.scanProcess(pid);
    if ("skipped" in scanned) return scanned.skipped.reason;
    const { report } = scanned.process;
    if (!["traceable", "no-tls"].includes(report.verdict)) return report.reason;
    await this.#trace(pid, report.command, { followChildren });
    const failures = await this.#look(pid);
    const failure = failures[0];
    if (failure === undefined) {
      this.#ready(pid);
      return null;
    }
    await this.remove([pid]);
    return failure;
  }

  async #trace(pid: number, command: string, { followChildren }: AddOptions): Promise<void> {
    this.#traced.set(pid, {
      command,
      followChildren,
      announced: true,
      look: "idle",
      awaits: false,
      uncovered: false,
      ready: false,
    });
    await this.#client.call({ type: "trace", pids: [pid], followChildren });
  }

  #ready(pid: number): void {
    const traced = this.#traced.get(pid);
    if (traced) traced.ready = true;
  }

  /** Looks at what a traced process has mapped by now and attaches what is new. Gives what could not be attached. */
  async #look(pid: number): Promise<Reason[]> {
    const traced = this.#traced.get(pid);
    if (!traced) return [];
    if (traced.look !== "idle") {
      traced.look = "again";
      return [];
    }
    const failures: Reason[] = [];
    do {
      traced.look = "looking";
      failures.push(...(await this.#lookOnce(pid, traced)));
      // "again" is set from outside while this waits.
    } while ((traced.look as string) === "again");
    traced.look = "idle";
    return failures;
  }

  /** A look that nobody waits for: what could not be attached is told, unless the process has gone. */
  #lookAgain(pid: number): void {
    void this.#look(pid)
      .catch((error: unknown) => [{ code: "attach-failed", text: String(error) }])
      .then((failures) => {
        if (!this.#traced.has(pid)) return;
        for (const reason of failures) this.#emit({ type: "skipped", pid, reason });
      });
  }

  async #lookOnce(pid: number, traced: Traced): Promise<Reason[]> {
    const scanned = this.#scanner.scanProcess(pid);
    if ("skipped" in scanned) return []; // it has ended: its exit record follows
    traced.command = scanned.process.report.command;
    this.#tellUncovered(traced, scanned.process.report);
    const scope = traced.followChildren ? "file" : "process";
    const { attached, failed } = await this.#attachments.attachMapped(pid, scanned.process.findings, scope);
    this.#tellAttached(pid, traced, attached);
    if (!traced.awaits) {
      traced.awaits = true;
      await this.#awaited.libraries(pid, scope);
    }
    return failed;
  }

  #tellUncovered(traced: Traced, report: ProcessReport): void {
    if (traced.uncovered || !["proxy", "metadata", "dark"].includes(report.verdict)) return;
    traced.uncovered = true;
    this.#options.onUncovered?.(report);
  }

  #onBatch(batch: Buffer): void {
    const { records, undecodedBytes } = decodeRecords(batch);
    for (const record of records) this.#onRecord(record);
    this.#listener(records);
    if (undecodedBytes > 0)
      this.#emit(this.#losses.add({ records: 1, bytes: undecodedBytes, reason: "record-not-understood" }));
    this.#emitAll(this.#connections.trim(Date.now()));
    if (this.#connections.holds) this.#releaseTimer ??= setTimeout(this.#releaseHeld, holdMs);
  }

  #onRecord(record: KernelRecord): void {
    switch (record.type) {
      case "fork":
        this.#begin(record.pid, record.command, record.parentPid);
        break;
      case "exec":
        if (this.#traced.has(record.pid)) this.#begin(record.pid, record.command, null);
        else if (this.#later) void this.#addLate(record.pid, this.#later);
        break;
      case "library":
        this.#lookAgain(record.pid);
        break;
      case "exit":
        this.#end(record.pid);
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

  #onTraffic(record: ConnectionRecord): void {
    const carrier = record.type === "data" ? record.file : null;
    this.#options.onRecord?.(record, carrier === null ? null : this.#attachments.pathOf(carrier));
    const { pid } = record.object;
    const traced = this.#traced.get(pid);
    // One that lives for milliseconds speaks before its mapped files were looked at.
    if (traced && carrier !== null)
      this.#tellAttached(pid, traced, this.#attachments.attachedBy(pid, carrier));
    this.#emitAll(this.#connections.fold(record));
  }

  #tellAttached(pid: number, traced: Traced, attached: AttachOutcome["attached"]): void {
    for (const event of attached) this.#emit({ ...event, pid, command: traced.command });
    traced.announced ||= attached.length > 0;
  }

  /** A child of a traced process, or a traced process with a new program: its mapped files are others now. */
  #begin(pid: number, command: string, parentPid: number | null): void {
    const known = this.#traced.get(pid);
    // The program that had them is gone, and their addresses are the next one's.
    this.#emitAll(this.#connections.endProcess(pid, "closed", Date.now()));
    const parent = parentPid === null ? undefined : this.#traced.get(parentPid);
    if (known) Object.assign(known, { command, awaits: false, uncovered: false });
    else {
      const name = parent?.command ?? command;
      this.#traced.set(pid, {
        command: name,
        followChildren: true,
        announced: false,
        look: "idle",
        awaits: false,
        uncovered: false,
        ready: true,
      });
    }
    this.#lookAgain(pid);
  }

  async #addLate(pid: number, selection: Selection): Promise<void> {
    const { found } = this.#processes.identify(pid);
    if (!found || !matchesSelection(found, selection)) return;
    const { skipped } = await this.add([pid], { followChildren: false });
    // Nobody asked for this one by name when every process is wanted.
    if (!isByName(selection)) return;
    for (const { reason } of skipped) this.#emit({ type: "skipped", pid, reason });
  }

  #end(pid: number): void {
    const traced = this.#traced.get(pid);
    this.#emitAll(this.#connections.endProcess(pid, "closed", Date.now()));
    if (!traced) return;
    this.#traced.delete(pid);
    if (traced.announced) this.#emit({ type: "exited", pid, command: traced.command });
    void this.#detach(pid);
  }

  async #detach(pid: number): Promise<void> {
    await this.#attachments.detachProcess(pid);
    if (![...this.#traced.values()].some(({ followChildren }) => followChildren))
      await this.#attachments.detachFiles();
  }

  readonly #releaseHeld = (): void => {
    this.#releaseTimer = null;
    this.#emitAll(this.#connections.release(Date.now() - holdMs));
    if (this.#connections.holds) this.#releaseTimer = setTimeout(this.#releaseHeld, holdMs);
  };

  #onLosses(losses: KernelLoss[]): void {
    for (const event of this.#losses.grown(losses)) this.#emit(event);
  }

  #emitAll(events: TrafficEvent[]): void {
    for (const event of events) {
      if (event.type === "message") this.#counts.messages++;
      else if (event.state !== "pending") this.#counts.exchanges++;
      this.#emit(event);
    }
  }

  #emit(event: TraceEvent): void {
    this.#options.onEvent(event);
  }

  #commandOf(pid: number): string {
    return this.#traced.get(pid)?.command ?? "";
  }
}
