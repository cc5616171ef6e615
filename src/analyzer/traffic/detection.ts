// Finds out what a connection speaks, from its first bytes or in mid-connection; until then its bytes wait, bounded in
// number and time. What follows a decision, and switches later on, are left to connection-parser.ts.
import type { Direction } from "../../protocol/traffic.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import { judgeStart, latin1, longestStart } from "./http1-head.ts";
import { type DirectedPiece, Http1Parser } from "./http1.ts";
import { createHttp2Parser, looksLikeHttp2 } from "./http2.ts";
import type { ConnectionParser, ParsedEvent, ParserOptions } from "./parsed.ts";
import { createPlainMessages } from "./plain-messages.ts";

/** The parser that takes over: `events` are what it has told already, `rest` is what it has not seen. */
export interface Successor {
  parser: ConnectionParser;
  events: ParsedEvent[];
  rest: DirectedPiece[];
}

/** A parser that hands over to another; asked after each call. */
export interface PassingParser extends ConnectionParser {
  takeSuccessor(): Successor | null;
}

const roleOf = (requests: Direction) => (requests === "out" ? "client" : "server");
const other = (direction: Direction): Direction => (direction === "out" ? "in" : "out");

/** First line of the HTTP/2 preface, which no HTTP/1 request shares (RFC 9113, section 3.4). */
const preface = "PRI * HTTP/2.0\r\n";
/** The start of an HTTP/2 server's first frame, SETTINGS on stream 0; the third byte is its length. */
const settingsFrame = [0, 0, null, 4, 0, 0, 0, 0, 0];

/** Who sends what a connection begins with. */
type Verdict = "http1-request" | "http1-response" | "http2-client" | "http2-server" | "undecided" | "other";

function judge(bytes: Uint8Array): Verdict {
  const count = Math.min(bytes.length, settingsFrame.length);
  const settings = settingsFrame.slice(0, count).every((byte, at) => byte === null || byte === bytes[at]);
  if (settings && (bytes[2] ?? 0) % 6 === 0)
    return count < settingsFrame.length ? "undecided" : "http2-server";
  const text = latin1(bytes.subarray(0, preface.length));
  if (text === preface) return "http2-client";
  if (preface.startsWith(text)) return "undecided";
  const start = judgeStart(bytes);
  return start === "request" ? "http1-request" : start === "response" ? "http1-response" : start;
}

/** A connection seen from its first byte. */
export class StartDetector implements PassingParser {
  readonly #options: ParserOptions;
  readonly #starts: Record<Direction, GrowingBytes> = { in: new GrowingBytes(), out: new GrowingBytes() };
  #held: DirectedPiece[] = [];
  #successor: ConnectionParser | null = null;

  constructor(options: ParserOptions) {
    this.#options = options;
  }

  data(direction: Direction, bytes: Uint8Array, atMs: number): ParsedEvent[] {
    this.#held.push({ direction, bytes, atMs });
    const start = this.#starts[direction];
    start.append(bytes.subarray(0, Math.max(0, longestStart - start.length)));
    // A long line that comes in small pieces is judged at its end, not at every piece.
    if (start.length < 512 || start.length === longestStart || bytes.includes(0x0a)) this.#decide(direction);
    return [];
  }

  lost(direction: Direction, byteCount: number | null, atMs: number): ParsedEvent[] {
    this.#held.push({ direction, lost: byteCount, atMs });
    this.#successor = new MidwayDetector(this.#options);
    return [];
  }

  end(): ParsedEvent[] {
    this.#successor = createPlainMessages(null);
    return [];
  }

  takeSuccessor(): Successor | null {
    return this.#successor === null ? null : { parser: this.#successor, events: [], rest: this.#held };
  }

  #decide(direction: Direction): void {
    const options = this.#options;
    switch (judge(this.#starts[direction].view())) {
      case "http1-request":
        this.#successor = new Http1Parser({ ...options, role: roleOf(direction) });
        break;
      case "http1-response":
        this.#successor = new Http1Parser({ ...options, role: roleOf(other(direction)) });
        break;
      case "http2-client":
        this.#successor = createHttp2Parser({ ...options, role: roleOf(direction) });
        break;
      case "http2-server":
        this.#successor = createHttp2Parser({ ...options, role: roleOf(other(direction)) });
        break;
      case "other":
        this.#successor = createPlainMessages(null);
        break;
      case "undecided":
    }
  }
}

/** Bounds of what waits in mid-connection: the rest of a body may go on for long before a head tells that it is HTTP. */
const heldLimit = 1024 * 1024;
const heldMs = 2000;
const pieceCost = 64;
/** Bytes of a direction that are looked at together; later ones a chunk at a time. */
const sampleLimit = 4096;

/** A connection whose beginning was not seen. Also when it looks like neither HTTP, a later head is still recognised. */
export class MidwayDetector implements PassingParser {
  readonly #options: ParserOptions;
  readonly #http1: Http1Parser;
  readonly #messages = createPlainMessages(null);
  readonly #samples: Record<Direction, GrowingBytes> = { in: new GrowingBytes(), out: new GrowingBytes() };
  #held: DirectedPiece[] = [];
  #heldBytes = 0;
  /** It is taken for a protocol that is not known. */
  #unknown = false;
  #successor: Successor | null = null;

  constructor(options: ParserOptions) {
    this.#options = { ...options, fromStart: false };
    this.#http1 = new Http1Parser({ ...this.#options, role: null });
  }

  data(direction: Direction, bytes: Uint8Array, atMs: number): ParsedEvent[] {
    if (bytes.length === 0) return [];
    this.#hold({ direction, bytes, atMs }, bytes.length);
    const sample = this.#samples[direction];
    const early = sample.length < sampleLimit;
    if (early) sample.append(bytes.subarray(0, sampleLimit));
    const events = this.#http1.data(direction, bytes, atMs);
    if (this.#http1.recognised) {
      this.#successor = { parser: this.#http1, events, rest: [] };
    } else if (!this.#unknown && looksLikeHttp2(early ? sample.view() : bytes)) {
      const parser = createHttp2Parser({ ...this.#options, role: null });
      this.#successor = { parser, events: [], rest: this.#held };
    } else {
      this.#unknown ||= this.#waitedEnough(atMs);
      const perhapsHead = this.#http1.inHead("in") || this.#http1.inHead("out");
      if (this.#unknown && (!perhapsHead || this.#heldBytes > heldLimit)) return this.#release();
    }
    return [];
  }

  lost(direction: Direction, byteCount: number | null, atMs: number): ParsedEvent[] {
    this.#hold({ direction, lost: byteCount, atMs }, 0);
    this.#http1.lost(direction, byteCount, atMs);
    this.#samples[direction].take();
    return [];
  }

  end(): ParsedEvent[] {
    return this.#release();
  }

  takeSuccessor(): Successor | null {
    return this.#successor;
  }

  #hold(piece: DirectedPiece, byteCount: number): void {
    this.#held.push(piece);
    this.#heldBytes += byteCount + pieceCost;
  }

  #waitedEnough(atMs: number): boolean {
    const bothUnlike = this.#isUnlike("in") && this.#isUnlike("out");
    return bothUnlike || this.#heldBytes > heldLimit || atMs - (this.#held[0]?.atMs ?? atMs) > heldMs;
  }

  /** True for a direction whose bytes so far neither are a head nor may become one. */
  #isUnlike(direction: Direction): boolean {
    const sample = this.#samples[direction].view();
    return sample.length > 0 && !this.#http1.inHead(direction) && judge(sample) === "other";
  }

  #release(): ParsedEvent[] {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    return held.flatMap((piece) =>
      "bytes" in piece ? this.#messages.data(piece.direction, piece.bytes, piece.atMs) : [],
    );
  }
}
