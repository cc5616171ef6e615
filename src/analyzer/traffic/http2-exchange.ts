// One HTTP/2 stream as an exchange: what is known of its request and response, and how it is told as a ParsedExchange.
import type { Reason } from "../../protocol/coverage.ts";
import type { Header } from "../../protocol/traffic.ts";
import { BodyBuffer } from "./body-buffer.ts";
import type { RequestHead, ResponseHead } from "./http2-heads.ts";
import type { ParsedExchange } from "./parsed.ts";

/** One direction of a stream. */
export interface Half<Head> {
  head: Head;
  trailers: Header[];
  body: BodyBuffer;
  /** Its END_STREAM was seen. */
  isEnded: boolean;
}

export function newHalf<Head>(head: Head, bodyLimit: number): Half<Head> {
  return { head, trailers: [], body: new BodyBuffer(bodyLimit), isEnded: false };
}

export function endHalf(half: Half<unknown>): void {
  half.isEnded = true;
  half.body.end();
}

export interface Http2Exchange {
  readonly streamId: number;
  readonly key: number;
  readonly startedMs: number;
  request: Half<RequestHead> | null;
  response: Half<ResponseHead> | null;
  /** What keeps it from being complete, as far as that is known before its end. */
  problem: Reason | null;
  /** When frames that may be this stream's were lost, or its first frame after that came; null: none were. */
  doubtedMs: number | null;
}

export function tellExchange(
  { key, startedMs, request, response, problem }: Http2Exchange,
  role: "client" | "server",
  state: ParsedExchange["state"],
  endedMs: number | null,
): ParsedExchange {
  return {
    type: "exchange",
    key,
    protocol: "h2",
    role,
    state,
    request: request && { ...request.head, trailers: [...request.trailers], body: request.body.snapshot() },
    response: response && {
      ...response.head,
      reason: null,
      trailers: [...response.trailers],
      body: response.body.snapshot(),
    },
    problem,
    startedMs,
    endedMs,
  };
}
