// The scan, end to end: processes, the TLS stacks in the files they map, and the verdict on each. It keeps what it
// learned about a file, so that a later scan opens only what is new.
import type { CoverageReport, ProcessReport, Skipped } from "../protocol/coverage.ts";
import type { Selection } from "./selection.ts";
import type { StackFinding } from "./stacks/finding.ts";

export interface ScannedProcess {
  report: ProcessReport;
  findings: StackFinding[];
}

export interface ScanOutcome {
  report: CoverageReport;
  /** By pid; a process without any TLS stack has an empty list. */
  findings: ReadonlyMap<number, StackFinding[]>;
}

export class Scanner {
  scan(selection: Selection): ScanOutcome {
    throw new Error(`scan ${JSON.stringify(selection)}: under construction`);
  }

  /** One process, by pid; `skipped` says why there is nothing to report. */
  scanProcess(pid: number): { process: ScannedProcess } | { skipped: Skipped } {
    throw new Error(`scan ${pid}: under construction`);
  }

  /** The stacks of an executable or library by host path, before any process maps it. */
  analyseFile(path: string): StackFinding[] {
    throw new Error(`analyse ${path}: under construction`);
  }
}
