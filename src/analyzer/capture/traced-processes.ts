// The processes of one trace: what each has mapped is looked at when it is added, begins another program or loads a
// library, and what is found is attached. When that happens is the session's to say.
import type { ProcessReport, Reason, Verdict } from "../../protocol/coverage.ts";
import type { TraceEvent } from "../../protocol/traffic.ts";
import type { ProbePlan } from "../../tracer/messages.ts";
import type { Scanner } from "../scan.ts";
import type { Attachments, AttachOutcome } from "./attachments.ts";
import type { AwaitedFiles } from "./awaited-files.ts";

export interface TracedOptions {
  scanner: Scanner;
  attachments: Attachments;
  awaited: AwaitedFiles;
  /** What of them is attached, what could not be, and who has ended. */
  onEvent(event: TraceEvent): void;
  /** One has TLS; told once of each program that it runs, and of each verdict. Gives why what it says is not seen. */
  onJudged(process: ProcessReport): Promise<Reason | null>;
  /** The program that one runs was looked at for the first time, and what can be probed of it is. */
  onSettled(process: ProcessReport): Promise<void>;
}

export interface AddedAs {
  /** Where its probes are: on the files for every process where its children are followed, else on it alone. */
  scope?: ProbePlan["scope"];
  /** What its owner knows, and was told, already. */
  judged?: Verdict;
}

interface Traced {
  command: string;
  followChildren: boolean;
  scope: ProbePlan["scope"];
  /** Named by the user, or told to be uncovered or to be attached: then its end is told, too. */
  announced: boolean;
  /** A look at its mapped files is under way, or wanted again after it. */
  look: "idle" | "looking" | "again";
  program: Program;
  /** What it says from now on is seen: the first look of one that was added is over. */
  ready: boolean;
}

/** What a process runs until it begins another. */
class Program {
  /** What was told of it. */
  judged: Verdict | null;
  /** Whoever was told has answered. */
  answered = Promise.resolve();
  /** It was looked at, and the libraries it may load later are probed: once is enough. */
  isKnown = false;
  /** Resolves, by `settle`, when it was looked at for the first time, and what can be probed of it is. */
  readonly settled: Promise<void>;
  settle: () => void = () => undefined;

  constructor(judged: Verdict | null) {
    this.judged = judged;
    this.settled = new Promise((resolve) => (this.settle = resolve));
  }
}

/** Of a process that has TLS; the first is of one whose TLS is probed. */
const verdictsWithTls: readonly Verdict[] = ["traceable", "proxy", "metadata", "dark"];

/** Whether a process has TLS that no probe shows. */
export const isUncovered = (verdict: Verdict | null): boolean =>
  verdict !== null && verdictsWithTls.indexOf(verdict) > 0;

export class TracedProcesses {
  readonly #options: TracedOptions;
  readonly #traced = new Map<number, Traced>();

  constructor(options: TracedOptions) {
    this.#options = options;
  }

  /** Those of which what they say is seen. */
  get ready(): { pid: number; command: string }[] {
    return [...this.#traced].flatMap(([pid, { command, ready }]) => (ready ? [{ pid, command }] : []));
  }

  get pids(): number[] {
    return [...this.#traced.keys()];
  }

  has(pid: number): boolean {
    return this.#traced.has(pid);
  }

  /** Whether its program has TLS that no probe shows, as far as it was looked at. */
  isUncovered(pid: number): boolean {
    return isUncovered(this.#traced.get(pid)?.program.judged ?? null);
  }

  /** Empty of one that is not traced. */
  commandOf(pid: number): string {
    return this.#traced.get(pid)?.command ?? "";
  }

  /** One that was asked for; not ready before that is said. */
  add(
    pid: number,
    command: string,
    followChildren: boolean,
    { scope = followChildren ? "file" : "process", judged }: AddedAs = {},
  ): void {
    const program = new Program(judged ?? null);
    const known = { command, followChildren, scope, program };
    this.#traced.set(pid, { ...known, look: "idle", announced: true, ready: false });
  }

  markReady(pid: number): void {
    const traced = this.#traced.get(pid);
    if (traced) traced.ready = true;
  }

  /** A child of a traced process, or a traced process with a new program: its mapped files are others now. */
  begin(pid: number, command: string, parentPid: number | null): void {
    const known = this.#traced.get(pid);
    if (known) {
      known.program.settle();
      Object.assign(known, { command, program: new Program(null) });
    } else {
      const parent = parentPid === null ? undefined : this.#traced.get(parentPid);
      const name = parent?.command ?? command;
      this.#traced.set(pid, {
        look: "idle",
        program: new Program(parent?.program.judged ?? null),
        command: name,
        followChildren: true,
        scope: "file",
        announced: false,
        ready: true,
      });
    }
    this.lookAgain(pid);
  }

  /** It has ended by itself. */
  end(pid: number): void {
    const traced = this.#traced.get(pid);
    if (!traced) return;
    this.#traced.delete(pid);
    traced.program.settle();
    if (traced.announced) this.#options.onEvent({ type: "exited", pid, command: traced.command });
    void this.#detach(pid);
  }

  /** Nothing of it is attached afterwards, nor for all processes where no traced one has children that are followed. */
  async remove(pid: number): Promise<void> {
    this.#traced.get(pid)?.program.settle();
    this.#traced.delete(pid);
    await this.#detach(pid);
  }

  /** Resolves when the program that it runs was looked at, and what can be probed of it is; at once of one that has gone. */
  async settled(pid: number): Promise<void> {
    const program = this.#traced.get(pid)?.program;
    if (!program) return;
    await program.settled;
    // It may have begun another one meanwhile.
    if (this.#traced.get(pid)?.program !== program) await this.settled(pid);
  }

  /** Looks at what a traced process has mapped by now and attaches what is new. Gives what could not be attached. */
  async look(pid: number): Promise<Reason[]> {
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
  lookAgain(pid: number): void {
    void this.look(pid)
      .catch((error: unknown) => [{ code: "attach-failed", text: String(error) }])
      .then((failures) => {
        if (!this.has(pid)) return;
        for (const reason of failures) this.#options.onEvent({ type: "skipped", pid, reason });
      });
  }

  /** It spoke through this probed file. One that lives for milliseconds does so before its mapped files are looked at. */
  spoke(pid: number, file: number): void {
    const traced = this.#traced.get(pid);
    if (traced) this.#tellAttached(pid, traced, this.#options.attachments.attachedBy(pid, file));
  }

  async #lookOnce(pid: number, traced: Traced): Promise<Reason[]> {
    const { attachments, scanner } = this.#options;
    const { program, scope } = traced;
    try {
      const scanned = scanner.scanProcess(pid);
      if ("skipped" in scanned) return []; // it has ended: its exit record follows
      const { report, findings } = scanned.process;
      traced.command = report.command;
      this.#tellJudged(pid, traced, report);
      const { attached, failed } = await attachments.attachMapped(pid, findings, scope);
      this.#tellAttached(pid, traced, attached);
      if (!program.isKnown) await this.#know(program, report, scope);
      return failed;
    } finally {
      program.settle();
    }
  }

  async #know(program: Program, report: ProcessReport, scope: ProbePlan["scope"]): Promise<void> {
    program.isKnown = true;
    await program.answered;
    await this.#options.onSettled(report);
    program.settle();
    await this.#options.awaited.libraries(report.pid, scope);
  }

  async #detach(pid: number): Promise<void> {
    const { attachments } = this.#options;
    await attachments.detachProcess(pid);
    if (![...this.#traced.values()].some(({ followChildren }) => followChildren))
      await attachments.detachFiles();
  }

  #tellJudged(pid: number, traced: Traced, report: ProcessReport): void {
    const { program } = traced;
    if (program.judged === report.verdict || !verdictsWithTls.includes(report.verdict)) return;
    program.judged = report.verdict;
    traced.announced ||= isUncovered(report.verdict);
    program.answered = this.#options
      .onJudged(report)
      .catch((error: unknown) => ({ code: "not-shown", text: String(error) }))
      .then((reason) => {
        if (reason !== null) this.#options.onEvent({ type: "skipped", pid, reason });
      });
  }

  #tellAttached(pid: number, traced: Traced, attached: AttachOutcome["attached"]): void {
    for (const event of attached) this.#options.onEvent({ ...event, pid, command: traced.command });
    traced.announced ||= attached.length > 0;
  }
}
