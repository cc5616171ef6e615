// Turns trace events into the rows of the editor's list: what fits on a line, without headers and bodies. What the
// network tells of a connection is connection-rows.ts's.
import type { ExchangeRow, MessageRow } from "../../protocol/editor.ts";
import type { ExchangeEvent, Header, MessageEvent } from "../../protocol/traffic.ts";

/** The list's row for an exchange or a message. */
export function rowOf(event: ExchangeEvent | MessageEvent): ExchangeRow | MessageRow {
  return event.type === "exchange" ? exchangeRow(event) : messageRow(event);
}

function exchangeRow(event: ExchangeEvent): ExchangeRow {
  const { id, pid, command, connection, protocol, state, request, response, startedAt, durationMs } = event;
  return {
    type: "exchange",
    id,
    pid,
    command,
    connection,
    protocol,
    state,
    method: request?.method ?? null,
    target: request?.target ?? null,
    authority: request?.authority ?? null,
    status: response?.status ?? null,
    requestSize: request?.bodySize ?? 0,
    responseSize: response?.bodySize ?? 0,
    contentType: response ? mediaType(response.headers) : null,
    startedAt,
    durationMs,
    ...(event.problem && { problem: event.problem }),
    ...(event.grpcStatus !== undefined && { grpcStatus: event.grpcStatus }),
    ...(event.source && { source: event.source }),
  };
}

function messageRow(event: MessageEvent): MessageRow {
  const { id, pid, command, connection, protocol, direction, size, at, preview } = event;
  return { type: "message", id, pid, command, connection, protocol, direction, size, startedAt: at, preview };
}

/** The media type of a `content-type` header without its parameters (RFC 9110, 8.3.1), in lower case. */
function mediaType(headers: Header[]): string | null {
  const value = headers.find(([name]) => name?.toLowerCase() === "content-type")?.[1];
  return value?.split(";", 1)[0]?.trim().toLowerCase() ?? null;
}
