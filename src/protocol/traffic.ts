// The traffic contract: one object a line in `plainsight trace --json`; the same objects reach the editor.
import type { Path, Reason, StackName } from "./coverage.ts";

/** `out` leaves the traced process, `in` reaches it. */
export type Direction = "in" | "out";

/** What is not known is null: never an invented address or port. */
export interface Connection {
  id: string;
  role: "client" | "server" | null;
  /** `address:port`, IPv6 in brackets. */
  local: string | null;
  remote: string | null;
  serverName: string | null;
  /** Id of its HelloEvent, where the network is watched as well; that of its other end where only that one is told. */
  hello?: string;
}

/** Stands in place of a masked secret, alone or within a value (`Bearer ••••••`), in headers and bodies. */
export const maskedValue = "••••••";

/** A header as it was on the wire; null where a mid-connection attach left HPACK's dynamic table unknown. */
export type Header = [name: string | null, value: string | null];

/** A body as it is shown: text where it is text, else hex; decoded from its content encoding. */
export interface BodyView {
  text?: string;
  hex?: string;
  /** The content encoding that was undone, such as `gzip`. */
  decodedFrom?: string;
  /** Wire bytes beyond the body limit, which are not shown. */
  omittedBytes?: number;
  /** Why it could not be decoded or is not whole. */
  problem?: string;
}

export interface RequestView {
  method: string | null;
  target: string | null;
  authority: string | null;
  headers: Header[];
  trailers?: Header[];
  /** Bytes of the body after transfer coding is undone, before content encoding is. */
  bodySize: number;
  body: BodyView | null;
}

export interface ResponseView {
  status: number | null;
  reason: string | null;
  headers: Header[];
  trailers?: Header[];
  bodySize: number;
  body: BodyView | null;
}

export interface SourceLocation {
  file: string;
  line: number;
  column?: number;
  function?: string;
  confidence: "line" | "function" | "possible";
}

export type HttpProtocol = "http/1.0" | "http/1.1" | "h2";

export interface ExchangeEvent {
  type: "exchange";
  id: string;
  pid: number;
  command: string;
  connection: Connection;
  protocol: HttpProtocol;
  path: Path;
  /** `pending` until the response has ended; `trace --json` prints no pending exchange. */
  state: "pending" | "complete" | "incomplete";
  request: RequestView | null;
  response: ResponseView | null;
  /** Why the exchange is incomplete: connection closed, stream reset, bytes lost, attached in mid-stream. */
  problem?: Reason;
  /** From the `grpc-status` trailer. */
  grpcStatus?: number;
  /** ISO 8601. */
  startedAt: string;
  durationMs: number | null;
  source?: SourceLocation;
}

export interface MessageEvent {
  type: "message";
  id: string;
  pid: number;
  command: string;
  connection: Connection;
  /** Null when the protocol is not known. */
  protocol: string | null;
  direction: Direction;
  size: number;
  at: string;
  preview: { text: string } | { hex: string };
}

export interface AttachedEvent {
  type: "attached";
  pid: number;
  command: string;
  stack: StackName;
  file: string;
  functions: string[];
}

/** A ClientHello as it passed an interface: who begins TLS with whom. Each end on this host has one of its own. */
export interface HelloEvent {
  type: "hello";
  /** Of this end of the connection; its ConnectionEvent has the same. */
  id: string;
  at: string;
  direction: Direction;
  /** Null where no process of this host has the connection, or the kernel does not tell which. */
  pid: number | null;
  command: string | null;
  connection: Connection;
  transport: "tcp" | "quic";
  interface: string;
  serverName: string | null;
  /** In the client's order. */
  alpn: string[];
  /** `1.3`, `1.2`, … in the client's order. */
  versions: string[];
  ja3: string | null;
  ja4: string | null;
  encryptedClientHello: boolean;
  /** Why what it says is not known: malformed, too long, a part of it never came. */
  problem?: Reason;
}

/** How much a connection that began with a hello has carried; told when it ends, or when the trace does. */
export interface ConnectionEvent {
  type: "connection";
  id: string;
  pid: number | null;
  command: string | null;
  connection: Connection;
  state: "closed" | "open";
  /** Payload of TCP with what TLS adds, or of UDP with what QUIC does; null where the kernel does not tell. */
  bytesOut: number | null;
  bytesIn: number | null;
  /** Of TCP: whether the client has sent more than its handshake; absent where that is not known. */
  carriedData?: boolean;
  startedAt: string;
  durationMs: number;
  /** `connection.id` of its exchanges and messages, where it is decrypted as well: here, or at its other end. */
  decrypted?: string;
}

/** A connection that was refused for the server's name. */
export interface BlockedEvent {
  type: "blocked";
  id: string;
  at: string;
  direction: Direction;
  pid: number | null;
  command: string | null;
  connection: Connection;
  interface: string;
  serverName: string;
  /** The line of the list that names it: the name, or `*.suffix`. */
  rule: string;
}

export interface LostEvent {
  type: "lost";
  records: number;
  bytes: number;
  reason:
    | "ring-buffer-full"
    | "payload-not-readable"
    | "call-table-full"
    | "record-not-understood"
    | "display-limit";
}

export interface SkippedEvent {
  type: "skipped";
  pid: number;
  /** Where it is one connection that is not seen, rather than the process. */
  connection?: Connection;
  reason: Reason;
}

export interface ExitedEvent {
  type: "exited";
  pid: number;
  command: string;
}

export interface SummaryEvent {
  type: "summary";
  exchanges: number;
  messages: number;
  /** ClientHellos, where the network was watched. */
  hellos?: number;
  blocked?: number;
  /** Records lost. */
  lost: number;
  durationMs: number;
}

export type TraceEvent =
  | AttachedEvent
  | ExchangeEvent
  | MessageEvent
  | HelloEvent
  | ConnectionEvent
  | BlockedEvent
  | LostEvent
  | SkippedEvent
  | ExitedEvent
  | SummaryEvent;
