// From what a parser found to what the screen and every export get: decoded, secrets masked, with the names of the
// contract (src/protocol/traffic.ts), and the rows of the editor's list.
import type { Path } from "../../protocol/coverage.ts";
import type { ExchangeRow, MessageRow } from "../../protocol/editor.ts";
import type { Connection, ExchangeEvent, Header, MessageEvent } from "../../protocol/traffic.ts";
import type { RequestView, ResponseView } from "../../protocol/traffic.ts";
import { bodyView, type Mask, shownBytes } from "./body-view.ts";
import { fieldTokens, fieldValue } from "./http1-head.ts";
import type { ParsedBody, ParsedExchange, ParsedMessage } from "./parsed.ts";
import { maskForm, maskHeaders, maskTarget, maskText } from "./redact.ts";

/** What the capture knows of an event beside its bytes. */
export interface EventContext {
  id: string;
  pid: number;
  command: string;
  connection: Connection;
  path: Path;
}

export interface PresentOptions {
  showSecrets: boolean;
}

const asItIs: Mask = (text) => text;

export function presentExchange(
  parsed: ParsedExchange,
  context: EventContext,
  { showSecrets }: PresentOptions,
): ExchangeEvent {
  const { request, response } = parsed;
  const headers = (list: Header[]) => (showSecrets ? list : maskHeaders(list));
  const rest = (half: { headers: Header[]; trailers: Header[]; body: ParsedBody }) => ({
    headers: headers(half.headers),
    ...(half.trailers.length > 0 && { trailers: headers(half.trailers) }),
    bodySize: half.body.size,
    body: bodyView(half.body, half.headers, showSecrets ? asItIs : maskFor(half.headers)),
  });
  const requestView: RequestView | null = request && {
    method: request.method,
    target: showSecrets || request.target === null ? request.target : maskTarget(request.target),
    authority: showSecrets ? request.authority : (request.authority?.replace(/^[^]*@/, "••••••@") ?? null),
    ...rest(request),
  };
  const responseView: ResponseView | null = response && {
    status: response.status,
    reason: showSecrets || response.reason === null ? response.reason : maskText(response.reason),
    ...rest(response),
  };
  const grpcStatus = grpcStatusOf(parsed);
  return {
    type: "exchange",
    id: context.id,
    pid: context.pid,
    command: context.command,
    connection: { ...context.connection, role: context.connection.role ?? parsed.role },
    protocol: parsed.protocol,
    path: context.path,
    state: parsed.state,
    request: requestView,
    response: responseView,
    ...(parsed.problem !== null && { problem: parsed.problem }),
    ...(grpcStatus !== null && { grpcStatus }),
    startedAt: new Date(parsed.startedMs).toISOString(),
    durationMs: request === null ? null : durationMs(parsed.startedMs, parsed.endedMs),
  };
}

export function presentMessage(
  parsed: ParsedMessage,
  context: Omit<EventContext, "path">,
  { showSecrets }: PresentOptions,
): MessageEvent {
  const cut = parsed.preview.length < parsed.size;
  return {
    type: "message",
    id: context.id,
    pid: context.pid,
    command: context.command,
    connection: context.connection,
    protocol: parsed.protocol,
    direction: parsed.direction,
    size: parsed.size,
    at: new Date(parsed.atMs).toISOString(),
    preview: shownBytes(parsed.preview, null, cut, showSecrets ? asItIs : maskText),
  };
}

export function exchangeRow(event: ExchangeEvent): ExchangeRow {
  const contentType =
    fieldValue(event.response?.headers ?? [], "content-type")
      ?.split(";")[0]
      ?.trim() ?? "";
  return {
    type: "exchange",
    id: event.id,
    pid: event.pid,
    command: event.command,
    connection: event.connection,
    protocol: event.protocol,
    state: event.state,
    method: event.request?.method ?? null,
    target: event.request?.target ?? null,
    authority: event.request?.authority ?? null,
    status: event.response?.status ?? null,
    requestSize: event.request?.bodySize ?? 0,
    responseSize: event.response?.bodySize ?? 0,
    contentType: contentType === "" ? null : contentType.toLowerCase(),
    startedAt: event.startedAt,
    durationMs: event.durationMs,
    ...(event.problem !== undefined && { problem: event.problem }),
    ...(event.grpcStatus !== undefined && { grpcStatus: event.grpcStatus }),
    ...(event.source !== undefined && { source: event.source }),
  };
}

export function messageRow(event: MessageEvent): MessageRow {
  return {
    type: "message",
    id: event.id,
    pid: event.pid,
    command: event.command,
    connection: event.connection,
    protocol: event.protocol,
    direction: event.direction,
    size: event.size,
    startedAt: event.at,
    preview: event.preview,
  };
}

function maskFor(headers: readonly Header[]): Mask {
  return fieldTokens(headers, "content-type")[0] === "application/x-www-form-urlencoded"
    ? maskForm
    : maskText;
}

/** Microseconds are what the clock is worth. */
function durationMs(startedMs: number, endedMs: number | null): number | null {
  return endedMs === null ? null : Math.max(0, Math.round((endedMs - startedMs) * 1000) / 1000);
}

/** From the trailers, or from the headers of a response that is nothing but trailers (gRPC over HTTP/2). */
function grpcStatusOf({ response }: ParsedExchange): number | null {
  const fields = [...(response?.trailers ?? []), ...(response?.headers ?? [])];
  const value = fields.find(([name]) => name?.toLowerCase() === "grpc-status")?.[1] ?? "";
  return /^\d{1,3}$/.test(value) ? Number(value) : null;
}
