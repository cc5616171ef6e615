// What the views say about one row of traffic: how it ended, and the words for its host, path and status.
// Unknown facts stay null; the views decide how "not known" looks.
import type { ExchangeRow, TrafficRow } from "../../src/protocol/editor.ts";
import { formatBytes, shortMediaType } from "./format.ts";

/** How an exchange ended, as colour and glyph tell it. */
export type Outcome =
  | "informational"
  | "success"
  | "redirect"
  | "client-error"
  | "server-error"
  | "pending"
  | "incomplete"
  | "message";

export function outcomeOf(row: TrafficRow): Outcome {
  if (row.type === "message") return "message";
  if (row.state !== "complete") return row.state;
  // A gRPC call that failed answers 200 and says so in its trailer.
  if (row.grpcStatus !== undefined && row.grpcStatus !== 0) return "server-error";
  const status = row.status ?? 0;
  if (status >= 500) return "server-error";
  if (status >= 400) return "client-error";
  if (status >= 300) return "redirect";
  if (status >= 200) return "success";
  return status >= 100 ? "informational" : "incomplete";
}

/** The outcome in words, for titles and screen readers. */
export const outcomeWords: Record<Outcome, string> = {
  informational: "Informational",
  success: "Success",
  redirect: "Redirect",
  "client-error": "Client error",
  "server-error": "Server error",
  pending: "Pending",
  incomplete: "Incomplete",
  message: "Message",
};

/** `host` or `host:port` as the request or the connection names it. */
export function hostOf(row: TrafficRow): string | null {
  const authority = row.type === "exchange" ? row.authority : null;
  return authority ?? row.connection.serverName ?? row.connection.remote;
}

/** The request target, or the beginning of a message. */
export function pathOf(row: TrafficRow): string | null {
  if (row.type === "exchange") return row.target;
  return row.preview.text ?? row.preview.hex?.replace(/(..)(?=.)/g, "$1 ") ?? null;
}

/** Short text of the status column; the glyph beside it tells the outcome. */
export function statusText(row: TrafficRow): string {
  if (row.type === "message") return row.direction;
  if (row.state === "complete" && row.grpcStatus !== undefined && row.grpcStatus !== 0) {
    return `grpc ${row.grpcStatus}`;
  }
  return row.status?.toString() ?? (row.state === "pending" ? "…" : "–");
}

/** Why the row is not a whole exchange, or null when it is one. */
export function reasonOf(row: TrafficRow): string | null {
  if (row.type === "message") return null;
  if (row.problem !== undefined) return row.problem.text;
  return row.state === "incomplete" ? "incomplete" : null;
}

/** One sentence that a screen reader can say and a tooltip can show for the status. */
export function statusTitle(row: TrafficRow): string {
  if (row.type === "message") {
    return `Message ${row.direction === "out" ? "sent" : "received"}, ${formatBytes(row.size)}`;
  }
  const parts = [outcomeWords[outcomeOf(row)]];
  if (row.status !== null) parts.push(row.status.toString());
  if (row.grpcStatus !== undefined) parts.push(`grpc-status ${row.grpcStatus}`);
  const reason = reasonOf(row);
  return parts.join(" ") + (reason === null ? "" : `: ${reason}`);
}

export function sizeOf(row: TrafficRow): number {
  return row.type === "exchange" ? row.responseSize : row.size;
}

/** What the type column says: the response's media type, or a message's protocol. */
export function typeOf(row: TrafficRow): string | null {
  if (row.type === "message") return row.protocol;
  return row.contentType === null ? null : shortMediaType(row.contentType);
}

export function processOf(row: TrafficRow): string {
  return `${row.command} (${row.pid})`;
}

/** The URL as one would type it; everything Plainsight decrypts is TLS, hence `https`. Null without a host. */
export function urlOf(row: ExchangeRow): string | null {
  if (row.target !== null && /^[a-z][a-z0-9+.-]*:\/\//i.test(row.target)) return row.target;
  const host = hostOf(row);
  if (host === null) return null;
  return `https://${host}${row.target?.startsWith("/") === true ? row.target : ""}`;
}
