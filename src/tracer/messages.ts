// What the analyzer and the tracer say to each other. The tracer is the privileged one: it takes these typed requests
// and nothing else, and checks each before it acts.
import type { Reason } from "../protocol/coverage.ts";

/** What a probed function does. The numbers are `enum ps_role` of bpf/events.h. */
export const probeRoles = {
  write: 1,
  read: 2,
  "write-ex": 3,
  "read-ex": 4,
  free: 5,
  "set-server-name": 6,
  "get-server-name": 7,
  /** SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, …): what OpenSSL's SSL_set_tlsext_host_name macro calls. */
  "ctrl-server-name": 8,
  /** SSL_new: its result is a connection that is seen from its first byte. */
  new: 9,
  /** The dynamic linker's _dl_debug_state: libraries were mapped. */
  library: 10,
} as const;
export type ProbeRole = keyof typeof probeRoles;

/**
 * Where a probe sits. `entry`: arguments are in their registers. `return`: a return probe on the entry.
 * `exit`: a plain probe on an instruction that every return passes with the result in rax.
 */
export const probeSites = { entry: 0, return: 1, exit: 2 } as const;
export type ProbeSite = keyof typeof probeSites;

export interface ProbePoint {
  function: string;
  role: ProbeRole;
  site: ProbeSite;
  fileOffset: number;
  /** Hex of the bytes that must be at `fileOffset`; the tracer refuses the plan when they differ. */
  expectedBytes: string;
}

/** All probes of one file. The file is opened through the process, so that containers and deleted files work. */
export interface ProbePlan {
  /** The process through which the file is opened. */
  pid: number;
  /** Path in that process's view, and the mapped range for /proc/PID/map_files where one is known. */
  path: string;
  range: string | null;
  inode: number;
  /** `process`: only `pid` is probed. `file`: every process that maps the file, filtered by the traced set. */
  scope: "process" | "file";
  points: ProbePoint[];
}

export type TracerRequest =
  | { type: "open"; ringBytes: number; features: Partial<TracerFeatures> }
  /** Adds to or removes from the set of processes whose records are kept. */
  | { type: "trace"; pids: number[]; followChildren: boolean }
  | { type: "untrace"; pids: number[] }
  | { type: "attach"; plan: ProbePlan }
  | { type: "detach"; attachment: number }
  /** Starts exec, exit and library-load records; `linker` is the dynamic linker whose loads are reported. */
  | { type: "watch"; processes: "all" | "traced"; linkers: ProbePlan[] }
  /** Answers once every record written before it has been sent. */
  | { type: "flush" };

/** What the kernel offers; found by trying, and can be turned off to test a fallback. */
export interface TracerFeatures {
  uprobeMulti: boolean;
  sleepable: boolean;
  dynptr: boolean;
}

export type TracerAnswer =
  | { type: "opened"; features: TracerFeatures; monotonicMs: number; epochMs: number }
  | { type: "attached"; attachment: number; link: "uprobe-multi" | "perf" }
  | { type: "done" }
  | { type: "failed"; reason: Reason };

/** Frames from the tracer: answers by request id, and counters beside the batches of records. */
export type TracerMessage =
  | { id: number; answer: TracerAnswer }
  | { type: "counters"; lost: { reason: string; records: number; bytes: number }[] };
