// HTTP/1.x on one connection: gives each direction its stream and finds out which of them carries the requests. Reading
// a direction is left to http1-stream.ts, pairing to http1-pairing.ts, recognising HTTP/1 to connection-parser.ts.
import type { Reason } from "../../protocol/coverage.ts";
import type { Direction } from "../../protocol/traffic.ts";
import { Http1Pairing } from "./http1-pairing.ts";
import { bytesLost, Http1Stream, type StreamOwner } from "./http1-stream.ts";
import type { Piece } from "./http1-waiting.ts";
import type { ConnectionParser, ParsedEvent, ParserOptions } from "./parsed.ts";

export interface Http1Options extends ParserOptions {
  /** The role of the traced process; null: the first head tells it. */
  role: "client" | "server" | null;
}

export type DirectedPiece = Piece & { direction: Direction };

/** What the connection speaks from here on, and what came after the switch. */
export interface Switch {
  /** The upgrade token in lower case, `connect` for a tunnel, or null where nobody said. */
  to: string | null;
  role: "client" | "server";
  rest: DirectedPiece[];
}

export class Http1Parser implements ConnectionParser {
  readonly #pairing: Http1Pairing;
  readonly #streams: Record<Direction, Http1Stream>;
  #role: "client" | "server" | null;
  #ending = false;
  /** Directions that lost bytes before it was known which of them carries the requests. */
  readonly #lostEarly = new Set<Direction>();

  constructor(options: Http1Options) {
    this.#pairing = new Http1Pairing(options.bodyLimit, options.fromStart);
    this.#role = options.role;
    this.#streams = {
      in: new Http1Stream(this.#owner("in"), options.fromStart),
      out: new Http1Stream(this.#owner("out"), options.fromStart),
    };
    if (options.role !== null) this.#setRole(options.role);
  }

  /** True once a head was read. */
  get recognised(): boolean {
    return this.#pairing.recognised;
  }

  /** True when this direction is in the middle of what may be a head. */
  inHead(direction: Direction): boolean {
    return this.#streams[direction].inHead;
  }

  data(direction: Direction, bytes: Uint8Array, atMs: number): ParsedEvent[] {
    const stream = this.#streams[direction];
    const { headCount } = stream;
    stream.push({ bytes, atMs });
    const events = this.#settle();
    // Bytes that are no HTTP are not passed over in silence.
    if (!stream.astray || stream.headCount > headCount) return events;
    return [...events, this.#pairing.stray(direction, bytes, atMs)];
  }

  lost(direction: Direction, byteCount: number | null, atMs: number): ParsedEvent[] {
    this.#streams[direction].push({ lost: byteCount, atMs });
    return this.#settle();
  }

  end(cause: "closed" | "untraced", atMs: number): ParsedEvent[] {
    this.#ending = true;
    const events = this.#settle();
    if (cause === "closed") for (const stream of Object.values(this.#streams)) stream.close(atMs);
    this.#pairing.end(cause === "closed" ? connectionClosed : tracingEnded, atMs);
    return [...events, ...this.#pairing.takeEvents()];
  }

  /** Not null once the connection has switched to another protocol: then this parser has done its part. */
  takeSwitch(): Switch | null {
    const { in: into, out } = this.#streams;
    if (this.#role === null || !(into.switched || out.switched)) return null;
    const rest = [
      ...out.takeWaiting().map((piece): DirectedPiece => ({ ...piece, direction: "out" })),
      ...into.takeWaiting().map((piece): DirectedPiece => ({ ...piece, direction: "in" })),
    ];
    return { to: this.#pairing.switchedTo, role: this.#role, rest: rest.sort((a, b) => a.atMs - b.atMs) };
  }

  /** What one direction has read may be what the other waited for. */
  #settle(): ParsedEvent[] {
    while (this.#streams.out.resume() || this.#streams.in.resume());
    return this.#pairing.takeEvents();
  }

  #setRole(role: "client" | "server"): void {
    this.#role = role;
    this.#streams.out.side = role === "client" ? "request" : "response";
    this.#streams.in.side = role === "client" ? "response" : "request";
  }

  #learnRole(role: "client" | "server", atMs: number): void {
    this.#setRole(role);
    for (const direction of this.#lostEarly) {
      if (this.#asks(direction)) this.#pairing.requestBroken(bytesLost, atMs);
      else this.#pairing.responseBroken(bytesLost, atMs);
    }
  }

  /** True for the direction that carries requests. False for both while the role is not known: no message began then. */
  #asks(direction: Direction): boolean {
    return this.#role !== null && (direction === "out") === (this.#role === "client");
  }

  #owner(direction: Direction): StreamOwner {
    const pairing = this.#pairing;
    return {
      mayStart: (heldBytes) =>
        this.#ending || (this.#asks(direction) ? pairing.mayAsk(heldBytes) : pairing.mayAnswer(heldBytes)),
      head: (head) => {
        const role =
          this.#role ?? ((direction === "out") === (head.start.side === "request") ? "client" : "server");
        if (this.#role === null) this.#learnRole(role, head.startedMs);
        return head.start.side === "request"
          ? pairing.request(head.start, head, role)
          : pairing.response(head.start, head, role);
      },
      body: (bytes) => {
        if (this.#asks(direction)) pairing.requestBody(bytes);
        else pairing.responseBody(bytes);
      },
      bodyLost: (byteCount) => {
        if (this.#asks(direction)) pairing.requestBodyLost(byteCount);
        else pairing.responseBodyLost(byteCount);
      },
      ended: (trailers, atMs) => {
        if (this.#asks(direction)) pairing.requestEnded(trailers, atMs);
        else pairing.responseEnded(trailers, atMs);
      },
      broken: (reason, atMs) => {
        if (this.#role === null) this.#lostEarly.add(direction);
        else if (this.#asks(direction)) pairing.requestBroken(reason, atMs);
        else pairing.responseBroken(reason, atMs);
      },
    };
  }
}

const connectionClosed: Reason = {
  code: "connection-closed",
  text: "the connection was closed before the end",
};
const tracingEnded: Reason = { code: "tracing-ended", text: "tracing ended before the exchange" };
