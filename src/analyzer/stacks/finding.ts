// What the analyzer found in one mapped file: which TLS stack it carries and where that stack's functions are.
// Coverage turns findings into verdicts; capture turns them into probe plans.
import type { Linkage, StackName, StackReport } from "../../protocol/coverage.ts";
import type { ProbeRole } from "../../tracer/messages.ts";

/** A file as one process has it mapped. The inode identifies it; the path may be of another mount namespace, or deleted. */
export interface MappedFile {
  /** Path in the process's own view, without ` (deleted)`. */
  path: string;
  /** `major:minor`, hex, as /proc/PID/maps prints it. */
  device: string;
  inode: number;
  deleted: boolean;
  /** One mapped range, `start-end` in hex as it names an entry of /proc/PID/map_files; null when no process maps it yet. */
  range: string | null;
  /** Bytes of it that the process can run; absent where no process maps it yet. */
  codeBytes?: number;
}

/** A function that a probe can sit on. */
export interface FoundFunction {
  name: string;
  role: ProbeRole;
  /** Where it is, if not in the stack's own file. */
  file?: MappedFile;
  /** Offset in the file (not the virtual address). */
  fileOffset: number;
  /** The first bytes there (up to 16), compared again just before the probe is attached. */
  bytes: Uint8Array;
  /** All of its code, where its size is known and small: a cheaper place for a probe may be found within. */
  code?: Uint8Array;
  /** Where it returns, for a function that may not have a return probe; bytes as above. */
  returns?: readonly { fileOffset: number; bytes: Uint8Array }[];
}

export interface StackFinding {
  stack: StackName;
  linkage: Linkage;
  file: MappedFile;
  buildId: string | null;
  version: string | null;
  symbols: StackReport["symbols"];
  evidence: string[];
  functions: FoundFunction[];
  /** The file through whose functions its plaintext passes, if that may be another. */
  boundary?: MappedFile;
  /** Why there is no function to probe, where that was looked into. */
  obstacle?: string;
}
