// Parses one connection, whatever it speaks: lets detection.ts find the protocol, follows switches to another one
// (upgrades, tunnels), and numbers the events of all of them in one row. The protocols have their own files.
import type { Direction } from "../../protocol/traffic.ts";
import { MidwayDetector, type PassingParser, StartDetector, type Successor } from "./detection.ts";
import { Http1Parser, type Switch } from "./http1.ts";
import { createHttp2Parser } from "./http2.ts";
import type { ConnectionParser, ParsedEvent, ParserOptions } from "./parsed.ts";
import { createPlainMessages } from "./plain-messages.ts";
import { createWebSocketParser } from "./websocket.ts";

/** A parser for one connection: HTTP/1.x, HTTP/2, WebSocket, or messages. Never throws, whatever the bytes. */
export function createConnectionParser(options: ParserOptions): ConnectionParser {
  return new FollowingParser(options);
}

/** Switches that are followed on one connection: bytes that only say so must not cost a stack of parsers. */
const switchLimit = 8;

class FollowingParser implements ConnectionParser {
  readonly #options: ParserOptions;
  #current: ConnectionParser;
  /** Added to the current parser's keys, which begin at 0. */
  #firstKey = 0;
  #nextKey = 0;
  #switches = 0;

  constructor(options: ParserOptions) {
    this.#options = options;
    this.#current = options.fromStart ? new StartDetector(options) : new MidwayDetector(options);
  }

  data(direction: Direction, bytes: Uint8Array, atMs: number): ParsedEvent[] {
    if (bytes.length === 0) return [];
    return this.#follow(this.#current.data(direction, bytes, atMs));
  }

  lost(direction: Direction, byteCount: number | null, atMs: number): ParsedEvent[] {
    if (byteCount === 0) return [];
    return this.#follow(this.#current.lost(direction, byteCount, atMs));
  }

  end(cause: "closed" | "untraced", atMs: number): ParsedEvent[] {
    const ending = this.#current;
    const events = this.#follow(ending.end(cause, atMs));
    // What an undecided parser held went to another one, which has to end as well.
    return this.#current === ending ? events : [...events, ...this.end(cause, atMs)];
  }

  #follow(told: ParsedEvent[]): ParsedEvent[] {
    const events = this.#number(told);
    const successor = this.#successor();
    if (successor === null) return events;
    this.#current = successor.parser;
    this.#firstKey = this.#nextKey;
    const all = [events, this.#number(successor.events)];
    for (const piece of successor.rest) {
      all.push(
        "bytes" in piece
          ? this.data(piece.direction, piece.bytes, piece.atMs)
          : this.lost(piece.direction, piece.lost, piece.atMs),
      );
    }
    return all.flat();
  }

  #number(events: ParsedEvent[]): ParsedEvent[] {
    return events.map((event) => {
      const key = this.#firstKey + event.key;
      this.#nextKey = Math.max(this.#nextKey, key + 1);
      return { ...event, key };
    });
  }

  #successor(): Successor | null {
    if (isPassing(this.#current)) return this.#current.takeSuccessor();
    const taken = this.#current instanceof Http1Parser ? this.#current.takeSwitch() : null;
    return taken === null ? null : { parser: this.#switched(taken), events: [], rest: taken.rest };
  }

  #switched({ to, role }: Switch): ConnectionParser {
    const options = { ...this.#options, fromStart: true };
    if (++this.#switches > switchLimit) return createPlainMessages(null);
    if (to === "websocket") return createWebSocketParser();
    if (to === "h2c") return createHttp2Parser({ ...options, role });
    return to === "connect" ? new StartDetector(options) : createPlainMessages(to);
  }
}

function isPassing(parser: ConnectionParser): parser is PassingParser {
  return "takeSuccessor" in parser;
}
