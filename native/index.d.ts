/**
 * The addon: a thin skin over libbpf. It loads, attaches, reads and closes; it decides nothing. Every failure throws an
 * Error whose `code` is the errno's name (`EPERM`) and whose message says the operation and the object.
 */
export interface LoadOptions {
  /** BPF object files; a map that several define is shared. */
  objects: string[];
  /** Size of the ring buffer, a power of two and a multiple of the page size. */
  ringBytes: number;
  /** Load uprobe programs for multi links (Linux ≥ 6.6). */
  uprobeMulti: boolean;
  /** Value of `copy_into_dynptr` in tls.bpf.c (Linux ≥ 6.16). */
  copyIntoDynptr: boolean;
  /** Programs of these names are not loaded. */
  without: string[];
}

export interface UprobeOptions {
  /** Name of the program. */
  program: string;
  /** File to probe; `/proc/self/fd/N` names the very file that was verified. */
  path: string;
  /** A process, or 0 for every process that maps the file. */
  pid: number;
  /** Return probes. */
  isReturn: boolean;
  offsets: number[];
  /** One for each offset. */
  cookies: bigint[];
}

export class Programs {
  constructor(options: LoadOptions);
  /** Loads one more object file; the maps that it shares with those before are theirs. */
  load(object: string): void;
  /** Attaches one program at all offsets, or at none; gives a handle for `detach`. */
  attachUprobes(options: UprobeOptions): number;
  /** Attaches a program to the raw tracepoint that its section names; gives a handle for `detach`. */
  attachRawTracepoint(program: string): number;
  /** Attaches a program, by the kind that its section names, to a cgroup2 folder; gives a handle for `detach`. */
  attachCgroup(program: string, folder: string): number;
  /** Attaches a program to the network namespace that this process is in; gives a handle for `detach`. */
  attachNetworkNamespace(program: string): number;
  /** Attaches a program to a network interface; gives a handle for `detach`. Only clsact's outlive this process. */
  attachInterface(program: string, index: number, place: InterfacePlace): number;
  /** Runs an iterator program once over all its objects, or over the elements of a map. */
  runIterator(program: string, map?: string): void;
  /** Puts a socket of another process, by its descriptor there, into a map of sockets (Linux ≥ 5.6). */
  putSocket(map: string, key: number, pid: number, descriptor: number): void;
  detach(handle: number): void;
  updateMap(map: string, key: Uint8Array, value: Uint8Array): void;
  /** False when there was no such key. */
  deleteFromMap(map: string, key: Uint8Array): boolean;
  /** Null when there is no such key. */
  readMap(map: string, key: Uint8Array): Uint8Array | null;
  /**
   * Moves finished records, with the ring's own 8-byte headers (include/uapi/linux/bpf.h, BPF_RINGBUF_*), into
   * `target`; gives the bytes written. A record larger than `target` is never split: 0 is given and it stays.
   */
  drain(target: Uint8Array): number;
  /** Resolves true when records may be there, false after `close`. One wait at a time. */
  wait(): Promise<boolean>;
  /** Detaches everything. Safe to call again, and while a wait is pending. */
  close(): void;
}

/** XDP links came with Linux 5.9, tcx with 6.6. */
export type InterfacePlace =
  "xdp-native" | "xdp-generic" | "tcx-ingress" | "tcx-egress" | "clsact-ingress" | "clsact-egress";

/** @param name in the network namespace that this process is in; throws where it has none of that name */
export function lookAtInterface(name: string): {
  index: number;
  isUp: boolean;
  /** ARPHRD_ of linux/if_arp.h. */
  hardware: number;
};

/** Log lines of libbpf since the last call; the verifier's words after a failed load. */
export function takeLog(): string;

/** Cookie of the network namespace that this process is in (SO_NETNS_COOKIE, Linux ≥ 5.14). */
export function networkNamespace(): bigint;
