// One direction of an HTTP/1 connection (RFC 9112): bytes in, heads, body bytes and ends out, in linear time and bounded
// memory. Which response answers which request, and so how long a body is, is the owner's to say (http1.ts).
import type { Reason } from "../../protocol/coverage.ts";
import type { Header } from "../../protocol/traffic.ts";
import { chunkSize, type Framing } from "./http1-framing.ts";
import {
  addHeaderLine,
  findStartLine,
  latin1,
  readStartLine,
  type Side,
  type StartLine,
} from "./http1-head.ts";
import { GrowingBytes } from "./growing-bytes.ts";

/** Bytes of one head, or of one trailer section. */
export const headLimit = 256 * 1024;
const chunkLineLimit = 16 * 1024;
/** While looking for the next head, the start line must end within this many bytes. */
const seekWindow = 8 * 1024;

export const bytesLost: Reason = { code: "bytes-lost", text: "bytes of this connection were lost" };

export interface Head {
  start: StartLine;
  headers: Header[];
  /** Some of its lines were no fields; they were left out. */
  malformed: boolean;
  startedMs: number;
}

/** How a body is framed, and whether that rests on a request that was not seen (it may have been HEAD). */
export type BodyPlan = Framing & { unsure?: boolean };

export interface StreamOwner {
  /** Asked between messages: may the next one be read? About `heldBytes` of memory wait meanwhile. */
  mayStart(heldBytes: number): boolean;
  /** A head is complete. */
  head(head: Head): BodyPlan;
  body(bytes: Uint8Array): void;
  /** Bytes in the middle of the body were lost; its framing still holds. */
  bodyLost(byteCount: number | null): void;
  ended(trailers: Header[], atMs: number): void;
  /** The message in progress, or the next one, cannot be followed; the stream looks for a head further on. */
  broken(reason: Reason, atMs: number): void;
}

/** Bytes, or a hole of `lost` bytes (null: an unknown number). */
export type Piece = { bytes: Uint8Array; atMs: number } | { lost: number | null; atMs: number };

type State =
  | "start"
  | "headers"
  | "fixed"
  | "chunk-size"
  | "chunk-end"
  | "trailers"
  | "close"
  | "perhaps-head"
  | "switched";

const statusStart = Buffer.from("HTTP/1.");

/** What a waiting piece costs beside its bytes. */
const pieceCost = 64;

export class Http1Stream {
  readonly #owner: StreamOwner;
  #side: Side | null = null;
  #state: State = "start";
  /** False while looking for a head among bytes that are not understood. */
  #synced: boolean;
  #astray = false;
  #headCount = 0;
  readonly #line = new GrowingBytes();
  /** Bytes of the head or trailers so far. */
  #sectionBytes = 0;
  #start: StartLine | null = null;
  #headers: Header[] = [];
  #malformed = false;
  #startedMs = 0;
  /** Bytes still to come of the body, or of the current chunk. */
  #left = 0;
  #chunked = false;
  /** The plan that waits while the first bytes of a body may be the next head; and how many matched. */
  #plan: BodyPlan = { kind: "none" };
  #matched = 0;
  #waiting: Piece[] = [];
  #next = 0;
  #heldBytes = 0;

  constructor(owner: StreamOwner, synced: boolean) {
    this.#owner = owner;
    this.#synced = synced;
  }

  set side(side: Side) {
    this.#side = side;
  }

  /** True once the bytes that follow belong to another protocol. */
  get switched(): boolean {
    return this.#state === "switched";
  }

  /** True among bytes that are no HTTP where a message was due, and that no loss explains. */
  get astray(): boolean {
    return this.#astray && this.#state === "start";
  }

  /** The heads that were read. */
  get headCount(): number {
    return this.#headCount;
  }

  /** True while a start line that was seen waits for the rest of its head. */
  get inHead(): boolean {
    return this.#state === "headers";
  }

  /** The connection was closed: the end of a body that lasts until then. */
  close(atMs: number): void {
    if (this.#state === "close") this.#end([], atMs);
  }

  push(piece: Piece): void {
    this.#waiting.push(piece);
    this.#heldBytes += pieceCost + ("bytes" in piece ? piece.bytes.length : 0);
    this.resume();
  }

  /** Goes on with what waits, as far as the owner lets it. True when anything moved. */
  resume(): boolean {
    let moved = false;
    for (let piece = this.#waiting[this.#next]; piece !== undefined; piece = this.#waiting[this.#next]) {
      if (this.#blocked()) break;
      moved = true;
      if ("lost" in piece) {
        this.#lose(piece.lost, piece.atMs);
      } else {
        const used = this.#consume(piece.bytes, piece.atMs);
        this.#heldBytes -= used;
        if (used < piece.bytes.length) {
          this.#waiting[this.#next] = { bytes: piece.bytes.subarray(used), atMs: piece.atMs };
          break;
        }
      }
      this.#heldBytes -= pieceCost;
      this.#next++;
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting.length = 0;
      this.#next = 0;
    }
    return moved;
  }

  /** What was handed in and not read; it is forgotten here. */
  takeWaiting(): Piece[] {
    const pieces = this.#waiting.slice(this.#next);
    this.#waiting = [];
    this.#next = 0;
    this.#heldBytes = 0;
    return pieces;
  }

  #blocked(): boolean {
    if (this.#state === "switched") return true;
    const between = this.#state === "start" && this.#synced && this.#line.length === 0;
    return between && !this.#owner.mayStart(this.#heldBytes);
  }

  /** The number of bytes read: all of them, or those before the point where the owner wants it to wait. */
  #consume(bytes: Uint8Array, atMs: number): number {
    let at = 0;
    while (at < bytes.length && !this.#blocked()) at += this.#step(bytes.subarray(at), atMs);
    return at;
  }

  #step(bytes: Uint8Array, atMs: number): number {
    if (this.#state === "perhaps-head") return this.#matchHead(bytes, atMs);
    if (this.#state !== "fixed" && this.#state !== "close") return this.#readLine(bytes, atMs);
    const part = this.#state === "close" ? bytes : bytes.subarray(0, this.#left);
    this.#owner.body(part);
    if (this.#state === "fixed") this.#advance(part.length, atMs);
    return part.length;
  }

  #advance(byteCount: number, atMs: number): void {
    this.#left -= byteCount;
    if (this.#left > 0) return;
    if (this.#chunked) this.#state = "chunk-end";
    else this.#end([], atMs);
  }

  #readLine(bytes: Uint8Array, atMs: number): number {
    if (this.#state === "start" && !this.#synced && this.#line.length === 0) {
      const start = firstLineWithVersion(bytes);
      if (start > 0) return start;
    }
    const newline = bytes.indexOf(0x0a);
    const part = newline === -1 ? bytes : bytes.subarray(0, newline + 1);
    if (this.#state === "start" && this.#line.length === 0) this.#startedMs = atMs;
    this.#line.append(part);
    if (newline !== -1) this.#onLine(lineText(this.#line.take()), part.length, atMs);
    else this.#boundLine(part, atMs);
    return part.length;
  }

  /** A line without its end so far: given up when it is longer than any that makes sense, or binary at its start. */
  #boundLine(part: Uint8Array, atMs: number): void {
    if (this.#state === "start" && this.#synced && part.some((byte) => byte < 0x20 && byte !== 0x0d)) {
      // A head may still begin on this line.
      const line = this.#line.copy();
      this.#break(notHttp, atMs);
      this.#line.append(line);
    }
    if (this.#state === "start" && !this.#synced) {
      if (this.#line.length > 2 * seekWindow) this.#line.keepLast(seekWindow);
    } else if (this.#state === "chunk-end" && this.#line.length > 2) this.#break(badChunk, atMs);
    else if (this.#state === "chunk-size" && this.#line.length > chunkLineLimit) this.#break(badChunk, atMs);
    else this.#countSection(part.length, atMs);
  }

  /** False when the section is too large and was given up. */
  #countSection(more: number, atMs: number): boolean {
    this.#sectionBytes += more;
    if (this.#sectionBytes <= headLimit) return true;
    this.#break(headTooLarge, atMs);
    return false;
  }

  #onLine(line: string, more: number, atMs: number): void {
    switch (this.#state) {
      case "start":
        this.#onStartLine(line, atMs);
        break;
      case "chunk-size":
        this.#onChunkSize(line, atMs);
        break;
      case "chunk-end":
        if (line === "") this.#state = "chunk-size";
        else this.#break(badChunk, atMs);
        break;
      default:
        if (this.#countSection(more, atMs)) this.#onHeaderLine(line, atMs);
    }
  }

  #onStartLine(text: string, atMs: number): void {
    const line = text.trimEnd();
    if (this.#synced) {
      if (line === "") return;
      const start = readStartLine(line, this.#side);
      if (start !== null) {
        this.#beginHead(start, line);
        return;
      }
      this.#break(notHttp, atMs);
    }
    const start = findStartLine(line, this.#side);
    if (start !== null) this.#beginHead(start, line);
  }

  #beginHead(start: StartLine, line: string): void {
    this.#state = "headers";
    this.#start = start;
    this.#headers = [];
    this.#malformed = false;
    this.#sectionBytes = line.length;
  }

  #onHeaderLine(line: string, atMs: number): void {
    if (line !== "") {
      if (addHeaderLine(this.#headers, line)) return;
      this.#malformed = true;
      // A start line that was found among unknown bytes was no head after all.
      if (this.#state === "headers" && !this.#synced) {
        this.#state = "start";
        this.#onStartLine(line, atMs);
      }
      return;
    }
    const trailers = this.#headers;
    if (this.#state === "trailers" || this.#start === null) {
      this.#end(trailers, atMs);
      return;
    }
    this.#side = this.#start.side;
    this.#synced = true;
    this.#astray = false;
    this.#headCount++;
    this.#plan = this.#owner.head({
      start: this.#start,
      headers: this.#headers,
      malformed: this.#malformed,
      startedMs: this.#startedMs,
    });
    this.#matched = 0;
    if (this.#plan.unsure === true && this.#plan.kind !== "none") this.#state = "perhaps-head";
    else this.#beginBody(atMs);
  }

  #beginBody(atMs: number): void {
    const plan = this.#plan;
    this.#chunked = plan.kind === "chunked";
    if (plan.kind === "none") this.#end([], atMs);
    else if (plan.kind === "close") this.#state = "close";
    else if (plan.kind === "chunked") this.#state = "chunk-size";
    else if (plan.kind === "invalid") this.#break(invalidFraming, atMs);
    else if (plan.kind === "switch") {
      this.#owner.ended([], atMs);
      this.#state = "switched";
    } else {
      this.#left = plan.byteCount;
      this.#state = "fixed";
    }
  }

  /**
   * The request is not known and may have been HEAD: then the head is all there is, whatever it says of a body, and the
   * next head follows at once.
   */
  #matchHead(bytes: Uint8Array, atMs: number): number {
    let count = 0;
    while (this.#matched < statusStart.length && count < bytes.length) {
      if (bytes[count] !== statusStart[this.#matched]) {
        const matched = statusStart.subarray(0, this.#matched);
        this.#beginBody(atMs);
        this.#consume(matched, atMs);
        return count;
      }
      count++;
      this.#matched++;
    }
    if (this.#matched === statusStart.length) {
      this.#end([], atMs);
      this.#startedMs = atMs;
      this.#line.append(statusStart);
    }
    return count;
  }

  #onChunkSize(line: string, atMs: number): void {
    const size = chunkSize(line);
    if (size === null) {
      this.#break(badChunk, atMs);
    } else if (size > 0) {
      this.#left = size;
      this.#state = "fixed";
    } else {
      this.#headers = [];
      this.#sectionBytes = 0;
      this.#state = "trailers";
    }
  }

  #end(trailers: Header[], atMs: number): void {
    this.#state = "start";
    this.#sectionBytes = 0;
    this.#owner.ended(trailers, atMs);
  }

  #break(reason: Reason, atMs: number): void {
    this.#state = "start";
    this.#synced = false;
    this.#astray = reason === notHttp;
    this.#sectionBytes = 0;
    this.#line.take();
    this.#owner.broken(reason, atMs);
  }

  #lose(byteCount: number | null, atMs: number): void {
    if (byteCount === 0) return;
    if (this.#state === "perhaps-head" && this.#matched === 0) this.#beginBody(atMs);
    const within = this.#state === "fixed" && byteCount !== null && byteCount <= this.#left;
    if (!within && this.#state !== "close") {
      this.#break(bytesLost, atMs);
      return;
    }
    this.#owner.bodyLost(byteCount);
    if (this.#state === "fixed") this.#advance(byteCount ?? 0, atMs);
  }
}

/** Where the first line begins that names HTTP/1, or the last one, which goes on: the others are no start lines. */
function firstLineWithVersion(bytes: Uint8Array): number {
  const version = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(statusStart);
  return version === 0 ? 0 : bytes.lastIndexOf(0x0a, version === -1 ? bytes.length - 1 : version - 1) + 1;
}

/** A line without its LF or CRLF. */
function lineText(line: Uint8Array): string {
  let end = line.length - 1;
  while (end > 0 && line[end - 1] === 0x0d) end--;
  return latin1(line.subarray(0, end));
}

const notHttp: Reason = { code: "not-http", text: "bytes that are no HTTP message came in its place" };
const headTooLarge: Reason = { code: "head-too-large", text: "the head is larger than 256 KiB" };
const badChunk: Reason = { code: "bad-chunk", text: "the chunked body does not follow its format" };
const invalidFraming: Reason = {
  code: "invalid-framing",
  text: "the head does not say where the body ends",
};
