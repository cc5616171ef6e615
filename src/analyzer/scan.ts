// The scan, end to end: processes, the TLS stacks in the files they map, and the verdict on each. It keeps what it
// learned about a file, so that a later scan opens only what is new.
import { basename } from "node:path";
import type { CoverageReport, HostReport, ProcessReport, Reason, Skipped } from "../protocol/coverage.ts";
import { byWeight } from "./coverage/classes.ts";
import { processReport } from "./coverage/process-report.ts";
import type { Examined } from "./coverage/process-report.ts";
import { runtimeOf } from "./coverage/runtimes.ts";
import { summarise } from "./coverage/summary.ts";
import { judge, type Judgement } from "./coverage/verdicts.ts";
import { FileAnalyses } from "./file-analyses.ts";
import { describeHost } from "./host.ts";
import { isExecutable } from "./process-facts.ts";
import type { ProcessFacts } from "./process-facts.ts";
import { FileReader, openIfThere } from "./processes/file-reader.ts";
import { matchesSelection } from "./processes/matching.ts";
import { ProcessTable } from "./processes/process-table.ts";
import type { Found, ProcessIdentity } from "./processes/process-table.ts";
import { everyProcess, isByName, type Selection } from "./selection.ts";
import type { FileAnalysis } from "./stacks/analysis.ts";
import type { MappedFile, StackFinding } from "./stacks/finding.ts";
import { findingsOf } from "./stacks/process-findings.ts";
import { libraryKind, mayCarryStack } from "./stacks/table.ts";

export interface ScannedProcess {
  report: ProcessReport;
  findings: StackFinding[];
}

export interface ScanOutcome {
  report: CoverageReport;
  /** By pid; a process without any TLS stack has an empty list. */
  findings: ReadonlyMap<number, StackFinding[]>;
}

/** Mapped files in which no stack was found, as `device inode`: one scan does not open them again for each process. */
type Plain = Set<string>;

export class Scanner {
  readonly #table: ProcessTable;
  readonly #describeHost: () => HostReport;
  readonly #analyses = new FileAnalyses();
  #host: HostReport | null = null;

  constructor(table: ProcessTable = new ProcessTable(), host: () => HostReport = describeHost) {
    this.#table = table;
    this.#describeHost = host;
  }

  /** What the host offers, asked once: it may cost a run of sudo. */
  get host(): HostReport {
    return (this.#host ??= this.#describeHost());
  }

  /** Synchronous: some milliseconds, and for each large executable met for the first time up to a tenth of a second. */
  scan(selection: Selection): ScanOutcome {
    const processes: ScannedProcess[] = [];
    const skipped: Skipped[] = [];
    const plain: Plain = new Set();
    const named = selection.pids.length > 0;
    for (const pid of named ? new Set(selection.pids) : this.#table.pids()) {
      const outcome = this.#scanIfChosen(pid, selection, plain);
      if (outcome === null) continue;
      if ("process" in outcome) processes.push(outcome.process);
      else skipped.push(outcome.skipped);
    }
    return {
      report: this.#reportOf(
        processes.map(({ report }) => report),
        skipped,
      ),
      findings: new Map(processes.map(({ report, findings }) => [report.pid, findings])),
    };
  }

  /**
   * The whole host again, where no process but these came, went or loaded other code since it was scanned. What was
   * skipped then, or not known, is looked at again as well.
   */
  rescan(before: CoverageReport, changed: ReadonlySet<number>): CoverageReport {
    const same = before.processes.filter(({ pid, verdict }) => verdict !== "unknown" && !changed.has(pid));
    const known = new Map(same.map((report) => [report.pid, report]));
    const processes: ProcessReport[] = [];
    const skipped: Skipped[] = [];
    const plain: Plain = new Set();
    for (const pid of this.#table.pids()) {
      const report = known.get(pid);
      const outcome =
        report === undefined ? this.#scanIfChosen(pid, everyProcess, plain) : { process: { report } };
      if (outcome === null) continue;
      if ("process" in outcome) processes.push(outcome.process.report);
      else skipped.push(outcome.skipped);
    }
    return this.#reportOf(processes, skipped);
  }

  #reportOf(processes: ProcessReport[], skipped: Skipped[]): CoverageReport {
    return {
      schema: "plainsight.coverage/1",
      generatedAt: new Date().toISOString(),
      host: this.host,
      processes,
      skipped,
      summary: summarise(processes),
    };
  }

  /** Null when the selection is not about this process. */
  #scanIfChosen(pid: number, selection: Selection, plain: Plain): ReturnType<Scanner["scanProcess"]> | null {
    const chosen = this.#choose(pid, selection);
    if (chosen === null) return null;
    if ("reason" in chosen) return { skipped: chosen };
    const outcome = this.#scanProcess(pid, plain);
    // It was there a moment ago.
    const isGone = "skipped" in outcome && outcome.skipped.reason.code === "no-such-process";
    return isGone ? { skipped: { pid, reason: exited } } : outcome;
  }

  /** One process, by pid; `skipped` says why there is nothing to report. */
  scanProcess(pid: number): { process: ScannedProcess } | { skipped: Skipped } {
    return this.#scanProcess(pid, new Set());
  }

  #scanProcess(pid: number, plain: Plain): { process: ScannedProcess } | { skipped: Skipped } {
    let gathered = this.#gather(pid);
    // A process between fork and exec has one program's name and the next one's files: look again.
    if (gathered.found !== null && !mapsExecutable(gathered.found)) gathered = this.#gather(pid);
    if (gathered.found === null) return { skipped: { pid, reason: gathered.missing } };
    const examined = this.#examine(gathered.found, plain);
    if (examined.problems.length > 0) {
      // Its files cannot be reached through a process that has gone.
      const { missing } = this.#table.identify(pid);
      if (missing !== null) return { skipped: { pid, reason: exited } };
    }
    return {
      process: { report: processReport(examined, this.host.paths), findings: [...examined.findings] },
    };
  }

  /**
   * The stacks of an executable or library by host path, before any process maps it, or the functions through which
   * another file's stack would speak; empty for what is no ELF file.
   * Throws when the file cannot be opened.
   */
  analyseFile(path: string): StackFinding[] {
    // As it is: resolving /proc/PID/root would leave a container for the host.
    const reader = FileReader.open(path);
    try {
      const { device, inode } = reader.identity;
      const file: MappedFile = { path, device, inode, deleted: false, range: null };
      const analysis = this.#analyses.analyse(reader, path, openIfThere);
      if (analysis.stacks.length === 0 && analysis.boundary !== null) return [{ ...analysis.boundary, file }];
      return findingsOf(new Map([[file, analysis]]));
    } finally {
      reader.close();
    }
  }

  /**
   * How the TLS that an executable itself carries would be seen, before it runs; what it will load is not known yet.
   * Throws when the file cannot be opened.
   */
  judgeFile(path: string): Judgement {
    const reader = FileReader.open(path);
    try {
      const { device, inode } = reader.identity;
      const file: MappedFile = { path, device, inode, deleted: false, range: null };
      const analysis = this.#analyses.analyse(reader, path, openIfThere);
      const findings = byWeight(findingsOf(new Map([[file, analysis]])), { executable: path, files: [file] });
      const runtime = runtimeOf({ executable: path, files: [file] }, analysis.runtime);
      const { paths } = this.host;
      const primary = findings[0] ?? null;
      return judge({ primary, executable: path, runtime, trustsByNss: false, problems: [], paths });
    } finally {
      reader.close();
    }
  }

  /** Null when the selection is not about this process. */
  #choose(pid: number, selection: Selection): ProcessIdentity | Skipped | null {
    const named = selection.pids.length > 0;
    const narrowed = isByName(selection) || selection.ports.length > 0;
    const { found, missing } = this.#table.identify(pid);
    if (found === null) {
      // Nobody asks for kernel threads, nor can a narrowed selection be about what has no name any more.
      if (!named && (narrowed || missing.code === "kernel-thread")) return null;
      return { pid, reason: !named && missing.code === "no-such-process" ? exited : missing };
    }
    if (!matchesSelection(found, selection)) return null;
    if (selection.ports.length > 0) {
      const listens = this.#table.listensOn(pid, new Set(selection.ports));
      if (listens === false) return null;
      if (listens === null) return { pid, reason: socketsHidden };
    }
    return pid === process.pid && !named ? { pid, reason: itself } : found;
  }

  #gather(pid: number): Found<ProcessFacts> {
    const identity = this.#table.identify(pid);
    if (identity.found === null) return identity;
    const files = this.#table.files(identity.found);
    if (files.found === null) return files;
    return { found: { ...identity.found, files: files.found }, missing: null };
  }

  #examine(facts: ProcessFacts, plain: Plain): Examined {
    const problems: string[] = [];
    const analysed = new Map<MappedFile, FileAnalysis>();
    const open = (path: string): FileReader | null => this.#table.openByPath(facts, path);
    for (const file of facts.files) {
      const key = `${file.device} ${file.inode}`;
      if (!isExecutable(facts, file) && (plain.has(key) || !isWorthOpening(file))) continue;
      const { reader, problem } = this.#table.open(facts, file);
      if (reader === null) {
        problems.push(`${basename(file.path)} could not be read: ${problem}`);
        continue;
      }
      try {
        const analysis = this.#analyses.analyse(reader, file.path, open);
        analysed.set(file, analysis);
        if (isPlain(analysis) && !isExecutable(facts, file)) plain.add(key);
        if (analysis.problem !== null) problems.push(`${basename(file.path)}: ${analysis.problem}`);
      } finally {
        reader.close();
      }
    }
    if (!mapsExecutable(facts)) {
      problems.push("its code is not mapped from its executable file, as in a packed program");
    }
    const own = [...analysed].find(([file]) => isExecutable(facts, file))?.[1].runtime ?? null;
    return { facts, findings: findingsOf(analysed), ownRuntime: own, problems };
  }
}

const exited: Reason = { code: "exited", text: "the process ended while it was read" };
const itself: Reason = { code: "self", text: "it is this scan; name it by its pid to include it" };
const socketsHidden: Reason = {
  code: "not-readable",
  text: "which ports another user's process listens on may be read by root only; use sudo",
};

function isWorthOpening({ path, codeBytes = 0 }: MappedFile): boolean {
  const name = basename(path);
  return libraryKind(name) !== null || mayCarryStack(name, codeBytes);
}

/** Whether nothing of it says anything about a process. */
function isPlain({ stacks, boundary, cryptoVersion, problem }: FileAnalysis): boolean {
  return stacks.length === 0 && boundary === null && cryptoVersion === null && problem === null;
}

function mapsExecutable(facts: ProcessFacts): boolean {
  return facts.files.some((file) => isExecutable(facts, file));
}
