// The custom messages between the language server (`plainsight lsp`) and an editor, over LSP's JSON-RPC.
import type { CoverageReport, Reason } from "./coverage.ts";
import type {
  BodyView,
  Connection,
  ExchangeEvent,
  HelloEvent,
  HttpProtocol,
  MessageEvent,
  SourceLocation,
} from "./traffic.ts";

/** Client → server: scans the host; the answer is also what `coverage` notifications carry. */
export const scanRequest = "plainsight/scan";
export interface ScanParams {
  pids?: number[];
}
export type ScanResult = CoverageReport;

/**
 * Client → server: scans the host, probes what can be probed, watches for a while, and answers with the measured
 * report. Cancelled, it answers with what was seen until then.
 */
export const measureRequest = "plainsight/measure";
export interface MeasureParams {
  durationMs: number;
}
export interface MeasureResult {
  report: CoverageReport;
  /** Records that were lost: fewer bytes were measured than passed. */
  lostRecords: number;
  /** Set where nothing could be measured; the report is then as predicted. */
  problem?: Problem;
}

/** Server → client, while it measures. */
export const measureProgressNotification = "plainsight/measureProgress";
export interface MeasureProgressParams {
  /** Processes that are watched, by probes or on the network; 0 while probes are being attached. */
  watched: number;
  /** Of these, with plaintext seen. */
  confirmed: number;
  leftMs: number;
}

/** Client → server: the text of a report, in the form in which the command line writes it. */
export const renderRequest = "plainsight/render";
export interface RenderParams {
  report: CoverageReport;
  format: ReportFormat;
}
export type ReportFormat = "html" | "markdown" | "json";

/** Client → server: whether a `coverage` notification follows whenever processes come or go; at first it does not. */
export const watchCoverageNotification = "plainsight/watchCoverage";
export interface WatchCoverageParams {
  isWatching: boolean;
}

/** Client → server: starts (or adds to) the trace. Answers when the probes are attached, or with the reasons why not. */
export const startTraceRequest = "plainsight/startTrace";
export interface StartTraceParams {
  pids: number[];
  /** Also trace the processes they start. */
  followChildren?: boolean;
}
export interface StartTraceResult {
  attached: number[];
  skipped: { pid: number; reason: Reason }[];
  /** Set when nothing could start at all: missing rights or kernel support, with the remedy. */
  problem?: Problem;
}

/**
 * Client → server: opens the local proxy, once, and gives what a program must have in its environment to be seen through
 * it. A later `startTrace` of a process that was started so goes through the proxy, with its children.
 */
export const openProxyRequest = "plainsight/openProxy";
export interface OpenProxyParams {
  /** What the program would be given in addition to the analyzer's own environment. */
  variables: Record<string, string>;
}
export interface OpenProxyResult {
  variables: Record<string, string>;
  /** Set when only programs that honour HTTPS_PROXY will be seen, or, without variables, none. */
  problem?: Problem;
}

/** Client → server: stops tracing these processes, or all of them. */
export const stopTraceRequest = "plainsight/stopTrace";
export interface StopTraceParams {
  pids?: number[];
}

/**
 * Client → server: watches the network for the beginnings of TLS connections, of all processes and on all interfaces that
 * are up, or ends that. Each is a row of its own. Answers when it is on, or off; the state says which.
 */
export const watchNetworkRequest = "plainsight/watchNetwork";
export interface WatchNetworkParams {
  isWatching: boolean;
}
export interface WatchNetworkResult {
  /** Set when it is not on: missing rights, kernel support or interfaces, with the remedy. */
  problem?: Problem;
}

/**
 * Client → server: one exchange or message whole, with headers and bodies; null when it has left the bounded store. The
 * row of a connection is whole by itself: asking for it answers null.
 */
export const detailsRequest = "plainsight/details";
export interface DetailsParams {
  id: string;
}
export type DetailsResult = ExchangeEvent | MessageEvent | null;

/** Client → server: forgets all stored traffic. */
export const clearRequest = "plainsight/clear";

/** Client → server: settings that the editor owns. */
export const configureNotification = "plainsight/configure";
export interface ConfigureParams {
  showSecrets: boolean;
  /** Bytes kept of each body. */
  bodyLimit: number;
}

/** Server → client: a new scan's result. */
export const coverageNotification = "plainsight/coverage";
export type CoverageParams = CoverageReport;

/** Server → client: a batch of rows, at most ten times a second. A row with a known id replaces that row. */
export const trafficNotification = "plainsight/traffic";
export interface TrafficParams {
  rows: TrafficRow[];
  /** Rows that this batch left out because more came than an editor can show. */
  dropped: number;
}

/** Server → client: what is traced now. */
export const stateNotification = "plainsight/state";
export interface StateParams {
  tracing: { pid: number; command: string }[];
  exchanges: number;
  messages: number;
  lost: { records: number; bytes: number };
  problem?: Problem;
  /** Only while the network is watched. */
  network?: NetworkState;
  /** Why the network is not watched although that was asked for. */
  networkProblem?: Problem;
}

export interface NetworkState {
  /** Names of those that are watched. */
  interfaces: string[];
  /** TLS connections that began since, at either end; both ends may be on this host. */
  connections: number;
  /** What could not be watched, or is not told of a connection. */
  missing: Reason[];
}

/** Server → client: a connection, or a process, that is not seen, and why. */
export const notSeenNotification = "plainsight/notSeen";
export interface NotSeenParams {
  pid: number;
  reason: Reason;
  /** Of a process with TLS that no probe shows: what would show it, if the user wants that. */
  ways?: ("proxy" | "network")[];
  /** Probes show another part of its TLS. */
  isPartly?: true;
}

export interface Problem extends Reason {
  /** What to do about it, as a sentence; `command` is a shell command to copy when there is one. */
  remedy: string;
  command?: string;
}

/** A row of the live traffic list: no headers, no bodies. */
export type TrafficRow = ExchangeRow | MessageRow | ConnectionRow;

export interface ExchangeRow {
  type: "exchange";
  id: string;
  pid: number;
  command: string;
  connection: Connection;
  protocol: HttpProtocol;
  state: ExchangeEvent["state"];
  method: string | null;
  target: string | null;
  authority: string | null;
  status: number | null;
  requestSize: number;
  responseSize: number;
  /** Media type of the response, without parameters. */
  contentType: string | null;
  startedAt: string;
  durationMs: number | null;
  problem?: Reason;
  grpcStatus?: number;
  source?: SourceLocation;
}

export interface MessageRow {
  type: "message";
  id: string;
  pid: number;
  command: string;
  connection: Connection;
  protocol: string | null;
  direction: MessageEvent["direction"];
  size: number;
  startedAt: string;
  preview: BodyView;
}

/** A TLS connection of which the network shows only metadata: its hello, and later how much it carried. */
export interface ConnectionRow {
  type: "connection";
  id: string;
  /** Null where it is not known whose connection it is. */
  pid: number | null;
  command: string | null;
  connection: Connection;
  serverName: string | null;
  /** What follows is of the hello, and null where none was seen. */
  transport: HelloEvent["transport"] | null;
  alpn: string[] | null;
  versions: string[] | null;
  ja3: string | null;
  ja4: string | null;
  encryptedClientHello: boolean | null;
  interface: string | null;
  startedAt: string;
  /** Null until the connection has ended, or the trace. */
  durationMs: number | null;
  bytesOut: number | null;
  bytesIn: number | null;
  state: "open" | "closed" | "blocked";
  /** The rule that blocked it. */
  rule?: string;
  /** `connection.id` of the rows that are its content; told when it ends. */
  decrypted?: string;
  problem?: Reason;
}
