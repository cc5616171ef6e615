// The streams of one HTTP/2 connection (RFC 9113, section 5 and 8) as exchanges: opened by a request's or a pushed
// response's header block, over when the response ends. Frames and header blocks are read before this, in http2.ts.
import type { Reason } from "../../protocol/coverage.ts";
import type { HeaderBlock } from "./http2-blocks.ts";
import type { Half, Http2Exchange } from "./http2-exchange.ts";
import { endHalf, newHalf, tellExchange } from "./http2-exchange.ts";
import { errorName } from "./http2-frames.ts";
import type { ResponseHead, Sender } from "./http2-heads.ts";
import { areTrailers, requestHead, responseHead, senderOfFields, trailers } from "./http2-heads.ts";
import type { ParsedEvent } from "./parsed.ts";

/** Streams followed at once, and ended ones remembered: late frames of those open nothing. */
const streamLimit = 10_000;
/** A stream whose end may have been lost is given up when it was silent for this long. */
const doubtMs = 30_000;

const bytesLost: Reason = { code: "bytes-lost", text: "bytes of this connection were lost" };
const requestNotSeen: Reason = {
  code: "request-not-seen",
  text: "tracing began, or bytes were lost, after the request",
};
const connectionClosed: Reason = {
  code: "connection-closed",
  text: "the connection was closed before the end",
};
const tracingEnded: Reason = { code: "tracing-ended", text: "tracing ended before the exchange" };
const tooManyStreams: Reason = {
  code: "too-many-streams",
  text: `more than ${streamLimit} streams were open at once, and this was the oldest`,
};

export class Http2Streams {
  /** The traced process's; null until it is known, and nothing is told before. */
  role: "client" | "server" | null;
  readonly #bodyLimit: number;
  /** By stream id, oldest first. */
  readonly #open = new Map<number, Http2Exchange>();
  /** Those in doubt, the longest silent first. */
  readonly #doubted = new Set<Http2Exchange>();
  readonly #ended = new Set<number>();
  readonly #newestId = { client: 0, server: 0 };
  /** Whether header blocks of this sender may have been missed since the connection's start. */
  readonly #missed: Record<Sender, boolean>;
  /** The error of a GOAWAY, for the text of what the connection's end cuts short. */
  #goAwayError: string | null = null;
  #events: ParsedEvent[] = [];
  #nextKey = 0;

  constructor(bodyLimit: number, fromStart: boolean, role: "client" | "server" | null) {
    this.#bodyLimit = bodyLimit;
    this.role = role;
    this.#missed = { client: !fromStart, server: !fromStart };
  }

  takeEvents(): ParsedEvent[] {
    const events = this.#events;
    this.#events = [];
    return events;
  }

  headers(sender: Sender, block: HeaderBlock, atMs: number): void {
    if (block.isPromise) this.#promise(block, atMs);
    else if (sender === "client") this.#requestHeaders(block, atMs);
    else this.#responseHeaders(block, atMs);
  }

  body(sender: Sender, streamId: number, bytes: Uint8Array, atMs: number): void {
    const exchange = this.#touch(streamId, atMs);
    if (exchange !== undefined) this.#half(sender, exchange)?.body.add(bytes);
  }

  bodyHole(sender: Sender, streamId: number, byteCount: number, atMs: number): void {
    const exchange = this.#touch(streamId, atMs);
    if (exchange !== undefined) loseBytes(exchange, this.#half(sender, exchange), byteCount);
  }

  /** END_STREAM. The response's ends the exchange, also where the request is still on its way. */
  streamEnd(sender: Sender, streamId: number, atMs: number): void {
    const exchange = this.#touch(streamId, atMs);
    if (exchange === undefined) return;
    const half = this.#half(sender, exchange);
    if (half !== null) endHalf(half);
    if (sender === "server") this.#finish(exchange, atMs);
  }

  reset(sender: Sender, streamId: number, errorCode: number, atMs: number): void {
    const text = `the ${sender} reset the stream: ${errorName(errorCode)}`;
    this.#interrupt(streamId, { code: "stream-reset", text }, atMs);
  }

  /** The sender will answer no stream of its peer's after `lastStreamId` (section 6.8). */
  goAway(sender: Sender, lastStreamId: number, errorCode: number, atMs: number): void {
    if (errorCode !== 0) this.#goAwayError = errorName(errorCode);
    const peerParity = sender === "server" ? 1 : 0;
    const text = `the ${sender} is going away and did not process this stream: ${errorName(errorCode)}`;
    for (const streamId of this.#open.keys()) {
      const isRefused = streamId % 2 === peerParity && streamId > lastStreamId;
      if (isRefused) this.#interrupt(streamId, { code: "going-away", text }, atMs);
    }
  }

  /** An unknown number of frames was lost: of this sender, or of one of the two where it is not known which. */
  framesLost(sender: Sender | null, atMs: number): void {
    if (sender !== "server") this.#missed.client = true;
    if (sender !== "client") this.#missed.server = true;
    for (const exchange of this.#open.values()) {
      loseBytes(exchange, sender === "client" ? exchange.request : exchange.response, null);
      exchange.doubtedMs = atMs;
      this.#doubted.add(exchange);
    }
  }

  /** Gives up streams in doubt that stayed silent. */
  giveUpSilent(nowMs: number): void {
    for (const { streamId, doubtedMs } of this.#doubted) {
      if (doubtedMs === null || nowMs - doubtedMs < doubtMs) return;
      this.#interrupt(streamId, bytesLost, nowMs);
    }
  }

  end(cause: "closed" | "untraced", atMs: number): void {
    let reason = cause === "closed" ? connectionClosed : tracingEnded;
    if (cause === "closed" && this.#goAwayError !== null) {
      reason = { ...reason, text: `${reason.text}: ${this.#goAwayError}` };
    }
    for (const { streamId, doubtedMs } of this.#open.values()) {
      this.#interrupt(streamId, doubtedMs === null ? reason : bytesLost, atMs);
    }
  }

  #requestHeaders(block: HeaderBlock, atMs: number): void {
    const { streamId } = block;
    const exchange = this.#touch(streamId, atMs);
    // Ids only grow (section 5.1.1): a block on an older stream is trailers, or its request was missed.
    const isNew = streamId > this.#newestId.client && !this.#ended.has(streamId);
    this.#newestId.client = Math.max(this.#newestId.client, streamId);
    if (exchange?.request) addTrailers(exchange, exchange.request, block);
    else if (isNew && this.#isRequestHead(block)) this.#openRequest(block, atMs);
  }

  #isRequestHead({ fields, problem }: HeaderBlock): boolean {
    return !this.#missed.client || problem !== null || senderOfFields(fields) === "client";
  }

  #promise(block: HeaderBlock, atMs: number): void {
    if (block.streamId <= this.#newestId.server) return;
    this.#newestId.server = block.streamId;
    this.#openRequest({ ...block, isStreamEnd: true }, atMs);
  }

  #openRequest(block: HeaderBlock, atMs: number): void {
    const exchange = this.#open.get(block.streamId) ?? this.#start(block, atMs);
    // Where a search held the request back, its response may have come first.
    if (exchange.problem === requestNotSeen) exchange.problem = null;
    exchange.problem ??= unreadable(block);
    exchange.request = newHalf(requestHead(block.fields), this.#bodyLimit);
    if (block.isStreamEnd) endHalf(exchange.request);
    this.#tellPending(exchange);
  }

  #responseHeaders(block: HeaderBlock, atMs: number): void {
    if (this.#ended.has(block.streamId)) return;
    const head = responseHead(block.fields);
    // 100 Continue and the like announce the response, they are none.
    if (head.status !== null && head.status < 200) return;

    const exchange = this.#touch(block.streamId, atMs) ?? this.#startAtResponse(block, atMs);
    if (exchange === null) return;
    const isHead = head.status !== null || (!block.isStreamEnd && !areTrailers(block.fields));
    if (exchange.response === null && (isHead || exchange.doubtedMs === null)) {
      exchange.response = newHalf(head, this.#bodyLimit);
      exchange.problem ??= unreadable(block);
    } else if (exchange.response?.head.status === null && isHead) {
      // What came before was informational, of a status that is not known; or its head was lost.
      exchange.response.head = head;
    } else {
      addTrailers(exchange, this.#responseOf(exchange), block);
    }
    if (block.isStreamEnd) this.streamEnd("server", block.streamId, atMs);
    else this.#tellPending(exchange);
  }

  /** Null unless this is surely a response's head, of a request that may have been missed. */
  #startAtResponse(block: HeaderBlock, atMs: number): Http2Exchange | null {
    const { streamId, fields, isStreamEnd } = block;
    const isHead =
      senderOfFields(fields) === "server" || (!isStreamEnd && fields.length > 0 && !areTrailers(fields));
    if (!this.#missed[streamId % 2 === 1 ? "client" : "server"] || !isHead) return null;
    const exchange = this.#start(block, atMs);
    exchange.problem = requestNotSeen;
    return exchange;
  }

  #start({ streamId, startedMs }: HeaderBlock, atMs: number): Http2Exchange {
    if (this.#open.size >= streamLimit) {
      const [oldest] = this.#open.keys();
      if (oldest !== undefined) this.#interrupt(oldest, tooManyStreams, atMs);
    }
    const exchange: Http2Exchange = {
      streamId,
      key: this.#nextKey++,
      startedMs,
      request: null,
      response: null,
      problem: null,
      doubtedMs: null,
    };
    this.#open.set(streamId, exchange);
    return exchange;
  }

  /** The half that DATA of this sender belongs to; null when its request was missed. */
  #half(sender: Sender, exchange: Http2Exchange): Half<unknown> | null {
    return sender === "client" ? exchange.request : this.#responseOf(exchange);
  }

  /** The response, without a head where that was lost. */
  #responseOf(exchange: Http2Exchange): Half<ResponseHead> {
    if (exchange.response !== null) return exchange.response;
    exchange.problem ??= bytesLost;
    return (exchange.response = newHalf({ status: null, headers: [] }, this.#bodyLimit));
  }

  /** The open stream of this id, which is not silent now. */
  #touch(streamId: number, atMs: number): Http2Exchange | undefined {
    const exchange = this.#open.get(streamId);
    if (exchange !== undefined && this.#doubted.delete(exchange)) {
      exchange.doubtedMs = atMs;
      this.#doubted.add(exchange);
    }
    return exchange;
  }

  #interrupt(streamId: number, reason: Reason, atMs: number): void {
    const exchange = this.#open.get(streamId);
    if (exchange === undefined) return;
    exchange.problem = reason;
    this.#finish(exchange, atMs);
  }

  #finish(exchange: Http2Exchange, atMs: number): void {
    this.#open.delete(exchange.streamId);
    this.#doubted.delete(exchange);
    this.#ended.add(exchange.streamId);
    if (this.#ended.size > streamLimit) {
      const [oldest] = this.#ended;
      if (oldest !== undefined) this.#ended.delete(oldest);
    }
    if (this.role === null) return;
    const state = exchange.problem === null ? "complete" : "incomplete";
    this.#events.push(tellExchange(exchange, this.role, state, atMs));
  }

  #tellPending(exchange: Http2Exchange): void {
    if (this.role !== null) this.#events.push(tellExchange(exchange, this.role, "pending", null));
  }
}

function addTrailers(exchange: Http2Exchange, half: Half<unknown>, block: HeaderBlock): void {
  half.trailers.push(...trailers(block.fields));
  if (block.isStreamEnd) endHalf(half);
  exchange.problem ??= unreadable(block);
}

/** Notes a gap in a half that is not over. */
function loseBytes(exchange: Http2Exchange, half: Half<unknown> | null, byteCount: number | null): void {
  if (half === null || half.isEnded) return;
  half.body.lose(byteCount);
  exchange.problem ??= bytesLost;
}

function unreadable({ problem }: HeaderBlock): Reason | null {
  return problem === null ? null : { code: "headers-not-readable", text: problem };
}
