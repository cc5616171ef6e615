// The evidence of a report by file: a hundred processes of one program rest on the same functions of the same file.
import type { ProcessReport, StackReport } from "../../protocol/coverage.ts";
import { stackName } from "./wording.ts";

export interface FileEvidence {
  stack: StackReport;
  /** Those that have it, in the order of the report. */
  processes: ProcessReport[];
}

/** Each stack of each file once, by its version, path and build id. */
export function evidenceByFile(processes: readonly ProcessReport[]): FileEvidence[] {
  const files = new Map<string, FileEvidence>();
  for (const process of processes) {
    for (const stack of process.stacks) {
      const key = JSON.stringify([stackName(stack), stack.file, stack.buildId]);
      const known = files.get(key);
      if (known === undefined) files.set(key, { stack, processes: [process] });
      else known.processes.push(process);
    }
  }
  return [...files.values()];
}
