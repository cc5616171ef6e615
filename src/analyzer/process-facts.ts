// What /proc says about one process, before any file is opened: the facts that processes/ gathers, stacks/ and
// coverage/ judge, and the report carries.
import type { MappedFile } from "./stacks/finding.ts";

export interface ProcessFacts {
  pid: number;
  parentPid: number | null;
  /** ISO 8601; null when the boot time or the start time could not be read. */
  startedAt: string | null;
  /** The kernel's name of the process, at most 15 bytes. */
  command: string;
  /** The command line, with the values of options that carry secrets masked. */
  arguments: string[];
  /** Path of the executable in the process's own view, without ` (deleted)`. */
  executable: string | null;
  /** Where it runs, in the host's view; null when it may not be known. */
  workingDirectory: string | null;
  user: string | null;
  container: string | null;
  service: string | null;
  /** Every file of which a part is mapped executable, once; the executable first where it is known. */
  files: MappedFile[];
}

/** True for the file that is the process's own executable. */
export function isExecutable(facts: Pick<ProcessFacts, "executable">, file: MappedFile): boolean {
  return file.path === facts.executable;
}
