// The coverage contract: what `plainsight scan --json` prints and the editor shows. Fields may be added, never renamed.

export type ProcessClass =
  | "dynamic-openssl"
  | "static-openssl"
  | "dynamic-boringssl"
  | "static-boringssl"
  | "node"
  | "jvm"
  | "go"
  | "gnutls"
  | "nss"
  | "mbedtls"
  | "wolfssl"
  | "rustls"
  | "no-tls"
  | "unknown";

/** How a process's TLS will be seen; what it needs, even where this host does not offer it. */
export type Path = "uprobe" | "agent" | "mitm" | "xdp" | "none";

/** What holds now, on this host and with this version. */
export type Verdict = "traceable" | "proxy" | "metadata" | "dark" | "no-tls" | "unknown";

/** `predicted` from symbols; `measured` when plaintext was really seen, or was missing where it had to be. */
export type Basis = "predicted" | "measured";

export type Linkage = "dynamic" | "static" | "managed";

/** TLS stacks, each as people write it. */
export const stackTitles = {
  openssl: "OpenSSL",
  boringssl: "BoringSSL",
  libressl: "LibreSSL",
  gnutls: "GnuTLS",
  nss: "NSS",
  mbedtls: "Mbed TLS",
  wolfssl: "wolfSSL",
  go: "Go crypto/tls",
  rustls: "rustls",
  jsse: "Java JSSE",
} as const;

export type StackName = keyof typeof stackTitles;

/** A reason a person can read and a program can switch on. */
export interface Reason {
  /** Kebab-case and stable, such as `exported-symbols`. */
  code: string;
  /** One sentence, without a full stop. */
  text: string;
  /** What would show more of it, as an instruction; absent where there is nothing to be done. */
  remedy?: string;
}

export interface StackReport {
  stack: StackName;
  linkage: Linkage;
  /** Path as the process sees it, or null for a stack that has no file. */
  file: string | null;
  /** Path of the library through whose functions its plaintext passes, where that is another, as NSPR is to NSS. */
  boundary?: string;
  /** Hex of the GNU build id note, or null when the file has none. */
  buildId: string | null;
  version: string | null;
  /** Where the names of its plaintext functions were found. */
  symbols: "dynsym" | "symtab" | "debug-file" | "gopclntab" | "none";
  evidence: string[];
}

export interface ProbeReport {
  function: string;
  file: string;
  /** File offset, hex with `0x`. */
  offset: string;
}

/** What `report --measure` saw of a process; the rule is in analyzer/coverage/measurement.ts. */
export interface Measurement {
  /** TLS connections known to have been in use. */
  connections: number;
  /** Of these, with plaintext seen. */
  decrypted: number;
  /** Plaintext, both directions. */
  bytes: number;
  /** ISO 8601: when the probes were attached. */
  since: string;
  /**
   * `silent`: probed and in use, yet nothing was seen; `not-exercised`: no TLS connection was known to be in use;
   * `metadata`: not probed, yet its ClientHellos were seen on the network.
   */
  state: "confirmed" | "silent" | "metadata" | "not-exercised";
  /** Of those that were not decrypted, the ones whose ClientHello was seen, the first of them. */
  escaped?: EscapedConnection[];
}

/** A TLS connection that was seen on the network, and not decrypted. */
export interface EscapedConnection {
  local: string;
  remote: string;
  /** As the ClientHello said; null where it named none. */
  serverName: string | null;
}

/** What of the TLS connections that began while the host was watched was decrypted. */
export interface NetworkMeasurement {
  interfaces: string[];
  /** Of processes of the report: ends that began with a ClientHello, or whose plaintext was seen. */
  connections: number;
  decrypted: number;
  /** ClientHellos of processes that began later, or of none that is known. */
  others: number;
}

export interface ProcessReport {
  pid: number;
  parentPid: number | null;
  /** ISO 8601. */
  startedAt: string | null;
  command: string;
  arguments: string[];
  executable: string | null;
  /** Where it runs, in the host's view; null or absent when not readable. */
  workingDirectory?: string | null;
  user: string | null;
  /** Container id, or null on the host. */
  container: string | null;
  /** systemd unit from the cgroup. */
  service: string | null;
  class: ProcessClass;
  /** `node`, `python`, `ruby`, `jvm`, `go`, `dotnet`, `php`, … or null for native code. */
  runtime: string | null;
  stacks: StackReport[];
  path: Path;
  verdict: Verdict;
  basis: Basis;
  reason: Reason;
  /** What can be probed; also of a process whose verdict speaks of another of its stacks. */
  probes: ProbeReport[];
  measured: Measurement | null;
}

export interface Skipped {
  pid: number;
  reason: Reason;
}

export type PathAvailability = { available: true } | { available: false; reason: string };

export interface HostReport {
  hostname: string;
  kernel: string;
  arch: string;
  paths: { uprobe: PathAvailability; agent: PathAvailability; mitm: PathAvailability; xdp: PathAvailability };
}

export interface CoverageSummary {
  /** All processes of the report, those without TLS too. */
  processes: number;
  withTls: number;
  traceable: number;
  proxy: number;
  metadata: number;
  dark: number;
  unknown: number;
}

export interface CoverageReport {
  schema: "plainsight.coverage/1";
  generatedAt: string;
  host: HostReport;
  processes: ProcessReport[];
  skipped: Skipped[];
  summary: CoverageSummary;
  /** Where the network was watched as well. */
  network?: NetworkMeasurement;
}
