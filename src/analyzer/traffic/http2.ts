// HTTP/2 (RFC 9113) from one connection's plaintext, from its preface or in mid-connection: frames of both directions
// into streams, streams into exchanges. Which connection speaks HTTP/2 is decided by connection-parser.ts.
import type { Direction } from "../../protocol/traffic.ts";
import { HeaderBlocks, type HeaderBlock, readUint32 } from "./http2-blocks.ts";
import { Framer, type FrameSink } from "./http2-framer.ts";
import type { FrameHeader } from "./http2-frames.ts";
import { clientPreface, findFrames, frameFlag, frameType } from "./http2-frames.ts";
import { type Sender, senderOfFields } from "./http2-heads.ts";
import { Http2Streams } from "./http2-streams.ts";
import type { ConnectionParser, ParsedEvent, ParserOptions } from "./parsed.ts";

/** Bytes of the preface that no HTTP/1 request shares: its first line. */
const tellingPrefaceSize = 16;

/**
 * True for the client preface (its first line is enough), or for two plausible frames one after the other; a single one
 * is enough where it is all there is. The frames may begin after the end of one that began before.
 */
export function looksLikeHttp2(bytes: Uint8Array): boolean {
  const prefix = bytes.subarray(0, clientPreface.length);
  if (prefix.length >= tellingPrefaceSize && prefix.every((byte, index) => byte === clientPreface[index]))
    return true;
  return findFrames(bytes, true).verdict === "found";
}

/**
 * A parser for one connection. `role` is the traced process's; null where it is not known, then the wire tells it.
 * `skippedBytes` counts those that belong to frames whose beginning was missed: they are in no exchange.
 */
export function createHttp2Parser(
  options: ParserOptions & { role: "client" | "server" | null },
): ConnectionParser & { readonly skippedBytes: number } {
  return new Http2Parser(options);
}

interface Side {
  framer: Framer;
  blocks: HeaderBlocks;
}

class Http2Parser implements ConnectionParser {
  readonly #streams: Http2Streams;
  readonly #sides: Record<Direction, Side>;
  #nowMs = 0;

  constructor({ bodyLimit, fromStart, role }: ParserOptions & { role: "client" | "server" | null }) {
    this.#streams = new Http2Streams(bodyLimit, fromStart, role);
    const side = (direction: Direction): Side => ({
      framer: new Framer(this.#sink(direction), fromStart),
      blocks: new HeaderBlocks(fromStart),
    });
    this.#sides = { in: side("in"), out: side("out") };
  }

  get skippedBytes(): number {
    return this.#sides.in.framer.skippedBytes + this.#sides.out.framer.skippedBytes;
  }

  data(direction: Direction, bytes: Uint8Array, atMs: number): ParsedEvent[] {
    this.#nowMs = atMs;
    this.#sides[direction].framer.push(bytes, atMs);
    this.#streams.giveUpSilent(atMs);
    return this.#streams.takeEvents();
  }

  lost(direction: Direction, byteCount: number | null, atMs: number): ParsedEvent[] {
    this.#nowMs = atMs;
    this.#sides[direction].framer.lose(byteCount);
    return this.#streams.takeEvents();
  }

  end(cause: "closed" | "untraced", atMs: number): ParsedEvent[] {
    this.#streams.end(cause, atMs);
    return this.#streams.takeEvents();
  }

  #sink(direction: Direction): FrameSink {
    const streams = this.#streams;
    const sender = (): Sender | null => this.#senderOf(direction);
    return {
      preface: () => {
        streams.role = direction === "out" ? "client" : "server";
      },
      frame: (header, payload, startedMs) => {
        this.#frame(direction, header, payload, startedMs);
      },
      body: (streamId, bytes) => {
        const from = sender();
        if (from !== null) streams.body(from, streamId, bytes, this.#nowMs);
      },
      bodyHole: (streamId, byteCount) => {
        const from = sender();
        if (from !== null) streams.bodyHole(from, streamId, byteCount, this.#nowMs);
      },
      bodyFrameEnd: (header) => {
        this.#block(direction, this.#sides[direction].blocks.before(header));
        const from = sender();
        const isEnd = (header.flags & frameFlag.endStream) !== 0;
        if (from !== null && isEnd) streams.streamEnd(from, header.streamId, this.#nowMs);
      },
      framesLost: () => {
        this.#framesLost(direction);
      },
    };
  }

  #frame(direction: Direction, header: FrameHeader, payload: Uint8Array | null, startedMs: number): void {
    const { blocks } = this.#sides[direction];
    this.#block(direction, blocks.before(header));
    switch (header.type) {
      case frameType.headers:
      case frameType.pushPromise:
      case frameType.continuation:
        this.#block(direction, blocks.frame(header, payload, startedMs));
        break;
      case frameType.settings:
        this.#settings(direction, payload);
        break;
      case frameType.rstStream: {
        const from = this.#senderOf(direction);
        if (from !== null && payload !== null) {
          this.#streams.reset(from, header.streamId, readUint32(payload, 0), this.#nowMs);
        }
        break;
      }
      case frameType.goAway: {
        const from = this.#senderOf(direction);
        if (from !== null && payload !== null) {
          const lastStreamId = readUint32(payload, 0) & 0x7fffffff;
          this.#streams.goAway(from, lastStreamId, readUint32(payload, 4), this.#nowMs);
        }
        break;
      }
    }
  }

  #block(direction: Direction, block: HeaderBlock | null): void {
    if (block === null) return;
    this.#streams.role ??= roleOf(direction, block.isPromise ? "server" : senderOfFields(block.fields));
    const from = this.#senderOf(direction);
    if (from !== null) this.#streams.headers(from, block, this.#nowMs);
  }

  /** SETTINGS of one direction's sender bind the other direction (section 6.5.2); null: they were lost. */
  #settings(direction: Direction, payload: Uint8Array | null): void {
    const { framer, blocks } = this.#sides[direction === "in" ? "out" : "in"];
    if (payload === null) {
      framer.forgetFrameSizeLimit();
      blocks.decoder.forgetTableSizeLimit();
      return;
    }
    for (let offset = 0; offset < payload.length; offset += 6) {
      const identifier = (payload[offset] ?? 0) * 256 + (payload[offset + 1] ?? 0);
      const value = readUint32(payload, offset + 2);
      if (identifier === settingId.headerTableSize) blocks.decoder.allowTableSize(value);
      if (identifier === settingId.maxFrameSize) framer.allowFrameSize(value);
    }
  }

  #framesLost(direction: Direction): void {
    const { blocks } = this.#sides[direction];
    this.#block(direction, blocks.interrupt());
    blocks.decoder.forget();
    this.#settings(direction, null);
    this.#streams.framesLost(this.#senderOf(direction), this.#nowMs);
  }

  #senderOf(direction: Direction): Sender | null {
    const { role } = this.#streams;
    if (role === null) return null;
    return (role === "client") === (direction === "out") ? "client" : "server";
  }
}

const settingId = { headerTableSize: 0x1, maxFrameSize: 0x5 } as const;

/** The traced process's role, when this sender's bytes go in that direction. */
function roleOf(direction: Direction, sender: Sender | null): "client" | "server" | null {
  if (sender === null) return null;
  return (sender === "client") === (direction === "out") ? "client" : "server";
}
