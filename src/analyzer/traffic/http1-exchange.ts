// One HTTP/1 exchange while it is being read: what is known of both halves, and how it is told as a ParsedExchange.
import type { Reason } from "../../protocol/coverage.ts";
import type { Header, HttpProtocol } from "../../protocol/traffic.ts";
import { BodyBuffer } from "./body-buffer.ts";
import { fieldValue, type RequestLine, type StatusLine } from "./http1-head.ts";
import type { Head } from "./http1-stream.ts";
import type { ParsedExchange, ParsedRequest, ParsedResponse } from "./parsed.ts";

interface Half<Line> {
  line: Line;
  headers: Header[];
  trailers: Header[];
  body: BodyBuffer;
  /** No more bytes of this half will come. */
  over: boolean;
}

export class Http1Exchange {
  readonly key: number;
  readonly role: "client" | "server";
  readonly protocol: HttpProtocol;
  readonly startedMs: number;
  request: Half<RequestLine> | null = null;
  response: Half<StatusLine> | null = null;
  problem: Reason | null = null;
  endedMs: number | null = null;
  /** It was told for the last time. */
  done = false;
  /** The response's head was told. */
  responseTold = false;

  constructor(key: number, role: "client" | "server", head: Head) {
    this.key = key;
    this.role = role;
    this.protocol = head.start.minor === 0 ? "http/1.0" : "http/1.1";
    this.startedMs = head.startedMs;
  }

  /** Both halves were seen from their first byte to their last. */
  get whole(): boolean {
    return this.request?.body.complete === true && this.response?.body.complete === true;
  }

  tell(state: ParsedExchange["state"]): ParsedExchange {
    return {
      type: "exchange",
      key: this.key,
      protocol: this.protocol,
      role: this.role,
      state,
      request: this.request === null ? null : tellRequest(this.request),
      response: this.response === null ? null : tellResponse(this.response),
      problem: this.problem,
      startedMs: this.startedMs,
      endedMs: state === "pending" ? null : this.endedMs,
    };
  }
}

export function newHalf<Line>(line: Line, headers: Header[], bodyLimit: number): Half<Line> {
  return { line, headers, trailers: [], body: new BodyBuffer(bodyLimit), over: false };
}

/** The authority of a request: from its target where that has one, else from Host (RFC 9112, section 3.2). */
function authorityOf({ method, target }: RequestLine, headers: readonly Header[]): string | null {
  if (method === "CONNECT") return target;
  const host = fieldValue(headers, "host");
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(target)?.[1] ?? (host === "" ? null : host);
}

function tellRequest(half: Half<RequestLine>): ParsedRequest {
  return {
    method: half.line.method,
    target: half.line.target,
    authority: authorityOf(half.line, half.headers),
    headers: half.headers,
    trailers: half.trailers,
    body: half.body.snapshot(),
  };
}

function tellResponse(half: Half<StatusLine>): ParsedResponse {
  return {
    status: half.line.status,
    reason: half.line.reason,
    headers: half.headers,
    trailers: half.trailers,
    body: half.body.snapshot(),
  };
}
