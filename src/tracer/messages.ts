// What the analyzer and the tracer say to each other. The tracer is the privileged one: it takes these typed requests
// and nothing else, and checks each before it acts.
import type { InterfacePlace } from "../../native/index.d.ts";
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
  /** Methods of Go's *tls.Conn, in Go's calling convention. */
  "go-write": 11,
  "go-read": 12,
  /** The client's or the server's handshake: where a connection begins. */
  "go-handshake": 13,
  "go-close": 14,
  /**
   * Functions that serve other objects, too: plaintext of TLS only for an object whose creation (`new`) was seen.
   * NSPR's PR_Write, PR_Read, and PR_Recv, whose flags may ask for a look ahead.
   */
  "write-known": 15,
  "read-known": 16,
  "receive-known": 17,
  /** PR_Accept: what a listening object of TLS gives is one, too. */
  "new-known": 18,
  /** gnutls_server_name_set(session, GNUTLS_NAME_DNS, name, length): the name may lack its NUL. */
  "typed-server-name": 19,
} as const;
export type ProbeRole = keyof typeof probeRoles;

/** Methods of Go, whose stacks move: a return probe would crash the program, so the tracer refuses one. */
export function isGoRole(role: ProbeRole): boolean {
  return role.startsWith("go-");
}

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
  /**
   * Bytes from the stack pointer at the probe to the stack pointer at the function's entry: 0 at an entry, -8 at a
   * return (the return address is gone), more than 0 at an `exit` whose frame still stands.
   */
  frameBias: number;
  /** Hex of the bytes that must be at `fileOffset`; the tracer refuses the plan when they differ. */
  expectedBytes: string;
}

/** All probes of one file. The file is opened through the process, so that containers and deleted files work. */
export interface ProbePlan {
  /** The process through which the file is opened. */
  pid: number;
  /** Path in that process's view. */
  path: string;
  /** The mapped range, `start-end` in hex, for /proc/PID/map_files; null when the process has not mapped the file yet. */
  range: string | null;
  inode: number;
  /** The number that records carry of these probes, below 2^24. */
  file: number;
  /** `process`: only `pid` is probed. `file`: every process that maps the file, filtered by the traced set. */
  scope: "process" | "file";
  points: ProbePoint[];
}

/** How long the connections that a process begins go to the proxy: always, or while it runs the program that it runs. */
export type Proxied = "always" | "program";

export type TracerRequest =
  /** The first request. Features that are given are used as they are, the others are found by trying. */
  | { type: "open"; ringBytes: number; features: Partial<TracerFeatures> }
  /**
   * Adds processes to the set whose records are kept; with `followChildren` their children join by themselves. Said again
   * of a process that is in it, it says anew whose connections go to the proxy: none without `proxied`.
   */
  | { type: "trace"; pids: number[]; followChildren: boolean; proxied?: Proxied }
  | { type: "untrace"; pids: number[] }
  | { type: "attach"; plan: ProbePlan }
  | { type: "detach"; attachments: number[] }
  /** Whether exec records of processes that are not traced are wanted too. */
  | { type: "watch"; everyExec: boolean }
  /**
   * From now on the TCP connections that `proxied` processes of this network namespace begin go to the proxy, process
   * `pid`, that listens on `port` of 127.0.0.1, and of ::1; of IPv6 addresses only loopback's, unless `ipv6` says that others can be
   * reached from here. With `holds` so do those of a program that `trace` or `release` has not been said of since it
   * began; the proxy then holds them until it is known what becomes of them. Asked once. They go direct again when nobody
   * listens there, and when the tracer ends.
   */
  | { type: "redirect"; pid: number; port: number; ipv6: boolean; holds: boolean }
  /**
   * Connections that a traced process begins go direct from now on, while it runs this program (its path in the process's
   * view). Those of later processes that run it are not held.
   */
  | { type: "release"; pid: number; executable: string }
  /** Where the connection that the proxy accepted from this port was going. */
  | { type: "redirected"; family: "ipv4" | "ipv6"; port: number }
  /** Connections to where this one was going (hex of struct ps_redirected) go direct for so long. */
  | { type: "direct"; original: string; milliseconds: number }
  /**
   * From now on connections that come in for this port, of this network namespace, go to the listening sockets of the
   * proxy, process `pid`; except the proxy's own, from 127.83.0.1, and with `ownPorts` those from 127.0.0.1 and a port
   * of 61000 or above.
   */
  | {
      type: "serve";
      port: number;
      ipv6: boolean;
      ownPorts: boolean;
      pid: number;
      descriptors: ListeningSockets;
    }
  /**
   * From now on the beginnings of TLS connections that pass these interfaces are told, with whose they are. Asked again,
   * it takes those that have come since, and lets go what is not there any more or not among these. Places that are given
   * are used as they are, the others are found by trying.
   */
  | { type: "watch-network"; interfaces: string[]; places: NetworkPlaces }
  /** Tells of each open connection of which a hello was told what it has carried until now. */
  | { type: "tell-open" }
  /** Ends the QUIC connections of which nothing was heard for so long: their end is told as it was then. */
  | { type: "tell-idle"; idleMs: number }
  /**
   * From now on connections whose hello names one of these servers (`name` or `*.suffix`, in lower case) are refused, and
   * no others; until the tracer ends. Asked again, it replaces the names.
   */
  | { type: "block"; names: string[] }
  /** What becomes of a connection whose hello came in parts: hex of struct ps_ends, and the hello's start. */
  | { type: "judge"; ends: string; start: number; blocked: boolean }
  /** Resets what was refused since the last time. */
  | { type: "reset-blocked" }
  /** Answers once every record written before it has been sent. */
  | { type: "flush" };

/** What the kernel offers; found by trying, and can be set to test a fallback. */
export interface TracerFeatures {
  /** One link for many probes (Linux 6.6, with the process filter right since 6.10); else a perf event each. */
  uprobeMulti: boolean;
  /** Payload pages that were never touched are faulted in. */
  sleepable: boolean;
  /** Payloads are copied straight into the ring (Linux 6.16); else in slices. */
  copyIntoDynptr: boolean;
}

/**
 * Whether a text is a rule of `block`: a whole name in ASCII and lower case, or `*.` before one (RFC 1123, 2.1, and
 * underscores, which are in use), shorter than PS_SERVER_NAME_BYTES of bpf/events.h.
 */
export function isNameRule(text: string): boolean {
  const hasShape = /^(?:\*\.)?[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/.test(text);
  return hasShape && text.length < 256 && !text.includes("..");
}

/** Where programs sit on interfaces; null: where it costs least. */
export interface NetworkPlaces {
  ingress: InterfacePlace | null;
  egress: InterfacePlace | null;
  /** Only where the program falls away with the tracer, however it ends. */
  withTracer: boolean;
}

export interface WatchedInterface {
  name: string;
  index: number;
  ingress: InterfacePlace;
  egress: InterfacePlace;
}

/** Descriptors in the process that has them. */
export interface ListeningSockets {
  ipv4: number;
  ipv6: number | null;
}

export type TracerAnswer =
  | { type: "opened"; features: TracerFeatures; missing: Reason[]; clock: Clock }
  | { type: "attached"; attachments: number[] }
  /** Hex of struct ps_redirected, or null when the connection was not sent by the kernel. */
  | { type: "redirected"; original: string | null }
  /**
   * Which interfaces are watched, or have another name, since this request, and which are not any more; what could not
   * be, each with its reason.
   */
  | { type: "watching"; interfaces: WatchedInterface[]; gone: WatchedInterface[]; missing: Reason[] }
  | { type: "done" }
  | { type: "failed"; reason: Reason };

/** One instant in both clocks: records carry CLOCK_MONOTONIC. */
export interface Clock {
  monotonicMs: number;
  epochMs: number;
}

/** Records that the kernel side could not keep, since the tracer opened. */
export interface KernelLoss {
  reason: "ring-buffer-full" | "payload-not-readable" | "call-table-full";
  records: number;
  bytes: number;
}

/** JSON frames from the tracer: answers by request id, and losses whenever they have grown. */
export type TracerMessage = { id: number; answer: TracerAnswer } | { losses: KernelLoss[] };

/** JSON frames to the tracer. */
export interface TracerCall {
  id: number;
  request: TracerRequest;
}
