// Pairs HTTP/1 responses with requests: in order (RFC 9112, section 9.3), and after a loss only where that is certain.
// It is told of heads, body bytes and ends by the two streams that http1.ts holds, and gathers the events.
import type { Reason } from "../../protocol/coverage.ts";
import type { Direction, Header } from "../../protocol/traffic.ts";
import { responseFraming, requestFraming } from "./http1-framing.ts";
import { fieldTokens, type RequestLine, type StatusLine } from "./http1-head.ts";
import { Http1Exchange, newHalf } from "./http1-exchange.ts";
import { type BodyPlan, bytesLost, type Head } from "./http1-stream.ts";
import type { ParsedEvent } from "./parsed.ts";
import { plainMessage } from "./plain-messages.ts";

/** Memory of responses that may wait for a request not yet seen, and of what follows a request to switch protocols. */
const holdLimit = 1024 * 1024;
/** Requests without a response that are remembered. */
const outstandingLimit = 1024;

export class Http1Pairing {
  readonly #bodyLimit: number;
  #events: ParsedEvent[] = [];
  #nextKey = 0;
  /** Requests whose response has not ended, oldest first. */
  #outstanding: Http1Exchange[] = [];
  /** Whose request, and whose response, is being read. */
  #asking: Http1Exchange | null = null;
  #answering: Http1Exchange | null = null;
  /** The exchange that asked for another protocol: what follows its request waits for the answer. */
  #upgrading: Http1Exchange | null = null;
  /** What the connection switched to: an upgrade token, or `connect`; null where nobody said. */
  switchedTo: string | null = null;
  /** Every request since the connection's start was seen, so a response must have one. */
  #everyRequestSeen: boolean;
  /** An unseen request may be unanswered; until an exchange is seen whole. */
  #gap: boolean;
  /** Bytes of a request were lost before its head was read, and no response to it was seen. */
  #lostRequest = false;
  /** A request came while another was unanswered: then order alone tells which response is whose. */
  #pipelined = false;
  /** Bytes were not seen on a pipelined connection: nothing can tell any more. */
  #pairingLost = false;
  #switched = false;

  /** @param fromStart the connection's first byte was seen */
  constructor(bodyLimit: number, fromStart: boolean) {
    this.#bodyLimit = bodyLimit;
    this.#everyRequestSeen = fromStart;
    this.#gap = !fromStart;
  }

  /** True once a head was read. */
  get recognised(): boolean {
    return this.#nextKey > 0;
  }

  takeEvents(): ParsedEvent[] {
    const answering = this.#answering;
    if (answering !== null && !answering.responseTold) {
      answering.responseTold = true;
      this.#events.push(answering.tell("pending"));
    }
    const events = this.#events;
    this.#events = [];
    return events;
  }

  /** Bytes in place of a message, as a message of their own. */
  stray(direction: Direction, bytes: Uint8Array, atMs: number): ParsedEvent {
    return plainMessage(this.#nextKey++, null, direction, bytes, atMs);
  }

  mayAsk(heldBytes: number): boolean {
    return !this.#switched && (this.#upgrading === null || heldBytes > holdLimit);
  }

  mayAnswer(heldBytes: number): boolean {
    return this.#outstanding.length > 0 || !this.#everyRequestSeen || heldBytes > holdLimit;
  }

  request(line: RequestLine, head: Head, role: "client" | "server"): BodyPlan {
    const exchange = new Http1Exchange(this.#nextKey++, role, head);
    exchange.request = newHalf(line, head.headers, this.#bodyLimit);
    if (head.malformed) exchange.problem = malformedHead;
    if (this.#outstanding.length > 0 || this.#lostRequest) this.#pipelined = true;
    if (this.#pipelined && this.#gap) this.#losePairing(head.startedMs);
    this.#asking = exchange;
    if (!this.#pairingLost && this.#outstanding.length < outstandingLimit) this.#outstanding.push(exchange);
    if (line.method === "CONNECT" || fieldTokens(head.headers, "upgrade").length > 0)
      this.#upgrading = exchange;
    this.#events.push(exchange.tell("pending"));
    return requestFraming(head.headers);
  }

  requestBody(bytes: Uint8Array): void {
    this.#asking?.request?.body.add(bytes);
  }

  requestBodyLost(byteCount: number | null): void {
    if (this.#asking === null) return;
    this.#asking.problem ??= bytesLost;
    this.#asking.request?.body.lose(byteCount);
  }

  requestEnded(trailers: Header[], atMs: number): void {
    const exchange = this.#asking;
    this.#asking = null;
    if (exchange?.request == null) return;
    exchange.request.trailers = trailers;
    exchange.request.over = true;
    exchange.request.body.end();
    if (exchange.response?.over === true) this.#finish(exchange, null, null);
    else if (!this.#outstanding.includes(exchange)) this.#finish(exchange, pairingLost, atMs);
  }

  requestBroken(reason: Reason, atMs: number): void {
    const exchange = this.#asking;
    this.#asking = null;
    this.#everyRequestSeen = false;
    this.#gap = true;
    if (exchange === null && reason === bytesLost) this.#lostRequest = true;
    if (exchange?.request == null) return;
    exchange.problem ??= reason;
    exchange.request.over = true;
    if (exchange.response?.over === true || !this.#outstanding.includes(exchange))
      this.#finish(exchange, reason, atMs);
  }

  response(line: StatusLine, head: Head, role: "client" | "server"): BodyPlan {
    const exchange = this.#outstanding[0] ?? null;
    const method = exchange?.request?.line.method ?? null;
    const interim = line.status < 200 && line.status !== 101;
    if (interim) return { kind: "none" };
    if (exchange === null) this.#lostRequest = false;
    const framing = responseFraming(line.status, head.headers, method);
    if (framing.kind === "switch") {
      const asked = exchange?.request?.headers ?? [];
      const [token] = [...fieldTokens(head.headers, "upgrade"), ...fieldTokens(asked, "upgrade")];
      this.#switched = true;
      this.switchedTo = method === "CONNECT" && line.status !== 101 ? "connect" : (token ?? null);
    }
    const answering = exchange ?? new Http1Exchange(this.#nextKey++, role, head);
    answering.response = newHalf(line, head.headers, this.#bodyLimit);
    if (exchange === null) answering.problem = requestNotSeen;
    if (head.malformed) answering.problem ??= malformedHead;
    if (exchange === this.#upgrading) this.#upgrading = null;
    this.#answering = answering;
    return { ...framing, unsure: exchange === null };
  }

  responseBody(bytes: Uint8Array): void {
    this.#answering?.response?.body.add(bytes);
  }

  responseBodyLost(byteCount: number | null): void {
    if (this.#answering === null) return;
    this.#answering.problem ??= bytesLost;
    this.#answering.response?.body.lose(byteCount);
  }

  responseEnded(trailers: Header[], atMs: number): void {
    const exchange = this.#answering;
    this.#answering = null;
    // An interim response (1xx) has nothing of its own to end.
    if (exchange?.response == null) return;
    exchange.response.trailers = trailers;
    exchange.response.over = true;
    exchange.response.body.end();
    exchange.endedMs = atMs;
    if (this.#outstanding[0] === exchange) {
      this.#outstanding.shift();
      this.#gap = false;
    }
    if (exchange.request?.over !== false) this.#finish(exchange, null, null);
  }

  /** Every outstanding request may have lost its answer; on a pipelined connection the later ones too. */
  responseBroken(reason: Reason, atMs: number): void {
    const given = [this.#answering, ...this.#outstanding].filter((exchange) => exchange !== null);
    this.#answering = null;
    this.#everyRequestSeen = false;
    this.#lostRequest = false;
    if (this.#pipelined) this.#pairingLost = true;
    for (const exchange of given) this.#finish(exchange, reason, atMs);
  }

  /** Nothing more will come. */
  end(reason: Reason, atMs: number): void {
    const open = [...this.#outstanding, this.#asking, this.#answering].filter(
      (exchange) => exchange !== null,
    );
    this.#asking = null;
    this.#answering = null;
    for (const exchange of open) this.#finish(exchange, reason, atMs);
  }

  /** An unseen request on a pipelined connection: nothing can tell whose the next response is. */
  #losePairing(atMs: number): void {
    this.#pairingLost = true;
    for (const exchange of this.#outstanding)
      if (exchange !== this.#answering) this.#finish(exchange, pairingLost, atMs);
  }

  /** Tells the exchange for the last time; `reason` says why, where it is not whole. */
  #finish(exchange: Http1Exchange, reason: Reason | null, atMs: number | null): void {
    if (exchange.done) return;
    exchange.done = true;
    exchange.responseTold = true;
    exchange.problem ??= reason;
    if (exchange.response !== null) exchange.endedMs ??= atMs;
    if (this.#upgrading === exchange) this.#upgrading = null;
    this.#outstanding = this.#outstanding.filter((other) => other !== exchange);
    this.#events.push(exchange.tell(exchange.whole ? "complete" : "incomplete"));
  }
}

const requestNotSeen: Reason = {
  code: "request-not-seen",
  text: "tracing began, or bytes were lost, after the request",
};
const pairingLost: Reason = {
  code: "bytes-lost",
  text: "bytes of this pipelined connection were not seen, so its responses cannot be told apart",
};
const malformedHead: Reason = {
  code: "malformed-head",
  text: "lines of the head that are no fields were left out",
};
