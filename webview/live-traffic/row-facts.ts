// What the views say about one row of traffic: how it ended, and the words for its host, path and status.
// Unknown facts stay null; the views decide how "not known" looks.
import type { ConnectionRow, ExchangeRow, TrafficRow } from "../../src/protocol/editor.ts";
import { bytesBothWays, helloSummary } from "./connection-facts.ts";
import { formatBytes, shortMediaType } from "./format.ts";

/** How an exchange ended, or what else a row is, as colour and glyph tell it. */
export type Outcome =
  | "informational"
  | "success"
  | "redirect"
  | "client-error"
  | "server-error"
  | "pending"
  | "incomplete"
  | "message"
  | "metadata"
  | "blocked";

export function outcomeOf(row: TrafficRow): Outcome {
  if (row.type === "message") return "message";
  if (row.type === "connection") return row.state === "blocked" ? "blocked" : "metadata";
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
  metadata: "Metadata only",
  blocked: "Blocked",
};

/** `host` or `host:port` as the request or the connection names it. */
export function hostOf(row: TrafficRow): string | null {
  const named = row.type === "exchange" ? row.authority : row.type === "connection" ? row.serverName : null;
  return named ?? row.connection.serverName ?? row.connection.remote;
}

/** The request target, the beginning of a message, or what a connection's hello tells. */
export function pathOf(row: TrafficRow): string | null {
  if (row.type === "exchange") return row.target;
  if (row.type === "connection") return helloSummary(row);
  return row.preview.text ?? row.preview.hex?.replace(/(..)(?=.)/g, "$1 ") ?? null;
}

/** Short text of the status column; the glyph beside it tells the outcome. */
export function statusText(row: TrafficRow): string {
  if (row.type === "message") return row.direction;
  if (row.type === "connection") return protocolName(row);
  if (row.state === "complete" && row.grpcStatus !== undefined && row.grpcStatus !== 0) {
    return `grpc ${row.grpcStatus}`;
  }
  return row.status?.toString() ?? (row.state === "pending" ? "…" : "–");
}

function protocolName({ transport }: ConnectionRow): string {
  return transport === "quic" ? "QUIC" : "TLS";
}

/** Why the row is not a whole exchange, or a connection not understood or refused; else null. */
export function reasonOf(row: TrafficRow): string | null {
  if (row.type === "message") return null;
  if (row.type === "connection") {
    if (row.state === "blocked") return row.rule === undefined ? "blocked" : `blocked by ${row.rule}`;
    return row.problem?.text ?? null;
  }
  if (row.problem !== undefined) return row.problem.text;
  return row.state === "incomplete" ? "incomplete" : null;
}

/** One sentence that a screen reader can say and a tooltip can show for the status. */
export function statusTitle(row: TrafficRow): string {
  if (row.type === "message") {
    return `Message ${row.direction === "out" ? "sent" : "received"}, ${formatBytes(row.size)}`;
  }
  if (row.type === "connection") {
    const reason = reasonOf(row);
    if (row.state === "blocked") return `${protocolName(row)} connection ${reason ?? row.state}`;
    const seen = `${protocolName(row)} connection ${row.state}, only metadata seen`;
    return reason === null ? seen : `${seen}: ${reason}`;
  }
  const parts = [outcomeWords[outcomeOf(row)]];
  if (row.status !== null) parts.push(row.status.toString());
  if (row.grpcStatus !== undefined) parts.push(`grpc-status ${row.grpcStatus}`);
  const reason = reasonOf(row);
  return parts.join(" ") + (reason === null ? "" : `: ${reason}`);
}

/** Bytes; null where the network did not tell them. */
export function sizeOf(row: TrafficRow): number | null {
  if (row.type === "connection") return bytesBothWays(row);
  return row.type === "exchange" ? row.responseSize : row.size;
}

/** What the type column says: the response's media type, a message's protocol, or the protocol a hello offers first. */
export function typeOf(row: TrafficRow): string | null {
  if (row.type === "message") return row.protocol;
  // A hello that was understood and names none has no type; of any other it is not known.
  if (row.type === "connection") return row.alpn?.[0] ?? (row.alpn && !row.problem ? "" : null);
  return row.contentType === null ? null : shortMediaType(row.contentType);
}

export function processOf({ command, pid }: TrafficRow): string {
  if (pid === null) return command ?? "Process not known";
  return command === null ? pid.toString() : `${command} (${pid})`;
}

/** The URL as one would type it; everything Plainsight decrypts is TLS, hence `https`. Null without a host. */
export function urlOf(row: ExchangeRow): string | null {
  if (row.target !== null && /^[a-z][a-z0-9+.-]*:\/\//i.test(row.target)) return row.target;
  const host = hostOf(row);
  if (host === null) return null;
  return `https://${host}${row.target?.startsWith("/") === true ? row.target : ""}`;
}
