// The outcome of parsing one connection's plaintext: exchanges and messages as bytes and facts, before they are
// decoded, masked and shown (present.ts). A parser is pure: bytes in, these out.
import type { Direction, Header, HttpProtocol } from "../../protocol/traffic.ts";
import type { Reason } from "../../protocol/coverage.ts";

/** A body after transfer coding is undone and before content encoding is. */
export interface ParsedBody {
  /** Exact number of bytes, also of those not kept. */
  size: number;
  /** The first bytes, up to the body limit. */
  kept: Uint8Array;
  /** False when it was cut short by a close, a reset or lost bytes. */
  complete: boolean;
}

export interface ParsedRequest {
  method: string | null;
  target: string | null;
  authority: string | null;
  headers: Header[];
  trailers: Header[];
  body: ParsedBody;
}

export interface ParsedResponse {
  status: number | null;
  reason: string | null;
  headers: Header[];
  trailers: Header[];
  body: ParsedBody;
}

/** One request and its response. Given again, with the same key and a later state, as it goes on. */
export interface ParsedExchange {
  type: "exchange";
  /** Ordinal in its connection, from 0. */
  key: number;
  protocol: HttpProtocol;
  /** The role of the traced process: `client` when the request went out. */
  role: "client" | "server";
  /** `pending` when the request's head is complete; then `complete` or `incomplete`, once. */
  state: "pending" | "complete" | "incomplete";
  /** Null where tracing began after the request's head. */
  request: ParsedRequest | null;
  response: ParsedResponse | null;
  problem: Reason | null;
  /** Milliseconds since the epoch, fractions kept. */
  startedMs: number;
  /** When the response ended; null while pending. */
  endedMs: number | null;
}

/** Bytes of a protocol without exchanges (a WebSocket, SMTP, …), or of none that is known. */
export interface ParsedMessage {
  type: "message";
  key: number;
  protocol: string | null;
  direction: Direction;
  size: number;
  /** The first bytes, up to the preview limit (256). */
  preview: Uint8Array;
  atMs: number;
}

export type ParsedEvent = ParsedExchange | ParsedMessage;

/**
 * Parses one connection. Chunks of each direction come in order; no call throws, whatever the bytes.
 * The bytes handed in are never changed afterwards by the caller and may be kept.
 */
export interface ConnectionParser {
  data(direction: Direction, bytes: Uint8Array, atMs: number): ParsedEvent[];
  /** `byteCount` bytes of this direction were lost here (null: an unknown number). */
  lost(direction: Direction, byteCount: number | null, atMs: number): ParsedEvent[];
  /** The connection was closed, or tracing ended (`untraced`): what is pending becomes incomplete. */
  end(cause: "closed" | "untraced", atMs: number): ParsedEvent[];
}

export interface ParserOptions {
  /** Bytes kept of each body. */
  bodyLimit: number;
  /** True when the first byte seen is the connection's first; false after an attach in mid-connection. */
  fromStart: boolean;
}
