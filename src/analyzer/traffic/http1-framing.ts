// Where the body of an HTTP/1 message ends (RFC 9112, section 6.3), from its head and the request it answers.
import type { Header } from "../../protocol/traffic.ts";
import { fieldTokens, fieldValue } from "./http1-head.ts";

export type Framing =
  | { kind: "none" }
  | { kind: "length"; byteCount: number }
  | { kind: "chunked" }
  /** Everything until the connection closes. */
  | { kind: "close" }
  /** No body, and what follows belongs to another protocol. */
  | { kind: "switch" }
  /** The head contradicts itself: where the body ends cannot be known. */
  | { kind: "invalid" };

export function requestFraming(headers: readonly Header[]): Framing {
  const codings = fieldTokens(headers, "transfer-encoding");
  if (codings.length > 0) return { kind: codings.at(-1) === "chunked" ? "chunked" : "invalid" };
  return lengthFraming(headers) ?? { kind: "none" };
}

/** @param method the request's; null when the request was not seen */
export function responseFraming(status: number, headers: readonly Header[], method: string | null): Framing {
  if (status === 101 || (method === "CONNECT" && status >= 200 && status < 300)) return { kind: "switch" };
  if (status < 200 || status === 204 || status === 304 || method === "HEAD") return { kind: "none" };
  const codings = fieldTokens(headers, "transfer-encoding");
  if (codings.length > 0) return { kind: codings.at(-1) === "chunked" ? "chunked" : "close" };
  return lengthFraming(headers) ?? { kind: "close" };
}

/** Content-Length; a list of equal values counts as one of them. */
function lengthFraming(headers: readonly Header[]): Framing | null {
  const value = fieldValue(headers, "content-length");
  if (value === null) return null;
  const lengths = new Set(value.split(",").map((length) => length.trim()));
  const [length = ""] = lengths;
  const byteCount = /^\d{1,16}$/.test(length) ? Number(length) : Number.NaN;
  if (lengths.size !== 1 || !Number.isSafeInteger(byteCount)) return { kind: "invalid" };
  return byteCount === 0 ? { kind: "none" } : { kind: "length", byteCount };
}

/** The data bytes of a chunk, from its first line (RFC 9112, section 7.1); null when that is none. */
export function chunkSize(line: string): number | null {
  const digits = /^([0-9a-fA-F]{1,13})[ \t]*(?:;|$)/.exec(line)?.[1];
  return digits === undefined ? null : Number.parseInt(digits, 16);
}
