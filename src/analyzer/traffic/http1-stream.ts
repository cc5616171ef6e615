// One direction of an HTTP/1 connection (RFC 9112): bytes in, heads, body bytes and ends out, in linear time and bounded
// memory; it finds the next head where the bytes are not understood. Which response answers which request, and so how
// long a body is, is the owner's to say (http1.ts); the body itself is http1-body.ts's.
import type { Reason } from "../../protocol/coverage.ts";
import type { Header } from "../../protocol/traffic.ts";
import { Http1Body, type BodyOwner } from "./http1-body.ts";
import type { Framing } from "./http1-framing.ts";
import { findStartLine, readStartLine, type Side, type StartLine } from "./http1-head.ts";
import { FieldSection, LineBuffer, sectionLimit, sectionTooLarge } from "./http1-lines.ts";
import { WaitingPieces, type Piece } from "./http1-waiting.ts";

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

export interface StreamOwner extends BodyOwner {
  /** Asked between messages: may the next one be read? About `heldBytes` of memory wait meanwhile. */
  mayStart(heldBytes: number): boolean;
  /** A head is complete. */
  head(head: Head): BodyPlan;
  ended(trailers: Header[], atMs: number): void;
  /** The message in progress, or the next one, cannot be followed; the stream looks for a head further on. */
  broken(reason: Reason, atMs: number): void;
}

/** A head whose start line was read. */
interface HeadState {
  at: "head";
  start: StartLine;
  section: FieldSection;
}

/** The first bytes of what is a body of this plan, or the next head; so many of them matched. */
interface PerhapsHeadState {
  at: "perhaps-head";
  plan: BodyPlan;
  matched: number;
}

type State =
  /** Between messages, or looking for the next head. */
  { at: "start" } | HeadState | PerhapsHeadState | { at: "body"; body: Http1Body } | { at: "switched" };

const statusStart = Buffer.from("HTTP/1.");

export class Http1Stream {
  readonly #owner: StreamOwner;
  #side: Side | null = null;
  #state: State = { at: "start" };
  /** False while looking for a head among bytes that are not understood. */
  #synced: boolean;
  #astray = false;
  #headCount = 0;
  readonly #line = new LineBuffer();
  #startedMs = 0;
  readonly #waiting = new WaitingPieces();

  constructor(owner: StreamOwner, synced: boolean) {
    this.#owner = owner;
    this.#synced = synced;
  }

  set side(side: Side) {
    this.#side = side;
  }

  /** True once the bytes that follow belong to another protocol. */
  get switched(): boolean {
    return this.#state.at === "switched";
  }

  /** True among bytes that are no HTTP where a message was due, and that no loss explains. */
  get astray(): boolean {
    return this.#astray && this.#state.at === "start";
  }

  /** The heads that were read. */
  get headCount(): number {
    return this.#headCount;
  }

  /** True while a start line that was seen waits for the rest of its head. */
  get inHead(): boolean {
    return this.#state.at === "head";
  }

  /** The connection was closed: the end of a body that lasts until then. */
  close(atMs: number): void {
    if (this.#state.at === "body" && this.#state.body.isUntilClose) this.#end([], atMs);
  }

  push(piece: Piece): void {
    this.#waiting.push(piece);
    this.resume();
  }

  /** Goes on with what waits, as far as the owner lets it. True when anything moved. */
  resume(): boolean {
    let moved = false;
    for (let piece = this.#waiting.first; piece !== undefined; piece = this.#waiting.first) {
      if (this.#blocked()) break;
      moved = true;
      if ("lost" in piece) this.#lose(piece.lost, piece.atMs);
      const used = "bytes" in piece ? this.#consume(piece.bytes, piece.atMs) : 0;
      if (!this.#waiting.drop(used)) break;
    }
    return moved;
  }

  /** What was handed in and not read; it is forgotten here. */
  takeWaiting(): Piece[] {
    return this.#waiting.take();
  }

  #blocked(): boolean {
    if (this.#state.at === "switched") return true;
    const between = this.#state.at === "start" && this.#synced && this.#line.length === 0;
    return between && !this.#owner.mayStart(this.#waiting.heldBytes);
  }

  /** The number of bytes read: all of them, or those before the point where the owner wants it to wait. */
  #consume(bytes: Uint8Array, atMs: number): number {
    let at = 0;
    while (at < bytes.length && !this.#blocked()) at += this.#step(bytes.subarray(at), atMs);
    return at;
  }

  #step(bytes: Uint8Array, atMs: number): number {
    const state = this.#state;
    switch (state.at) {
      case "head":
        return this.#readHead(state, bytes, atMs);
      case "perhaps-head":
        return this.#matchHead(state, bytes, atMs);
      case "body":
        return this.#readBody(state.body, bytes, atMs);
      default:
        return this.#readStart(bytes, atMs);
    }
  }

  #readStart(bytes: Uint8Array, atMs: number): number {
    if (this.#line.length === 0) {
      const start = this.#synced ? 0 : firstLineWithVersion(bytes);
      if (start > 0) return start;
      this.#startedMs = atMs;
    }
    const { byteCount, line } = this.#line.add(bytes);
    if (line === null) this.#boundStartLine(bytes, atMs);
    else this.#onStartLine(line, atMs);
    return byteCount;
  }

  /** A line without its end so far: given up when it is longer than any that makes sense, or binary at its start. */
  #boundStartLine(part: Uint8Array, atMs: number): void {
    if (this.#synced && part.some((byte) => byte < 0x20 && byte !== 0x0d)) {
      // A head may still begin on this line.
      const line = this.#line.copy();
      this.#break(notHttp, atMs);
      this.#line.add(line);
    }
    if (this.#synced) {
      if (this.#line.length > sectionLimit) this.#break(sectionTooLarge, atMs);
    } else if (this.#line.length > 2 * seekWindow) this.#line.keepLast(seekWindow);
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
    this.#state = { at: "head", start, section: new FieldSection(line.length) };
  }

  #readHead(head: HeadState, bytes: Uint8Array, atMs: number): number {
    const { byteCount, line } = this.#line.add(bytes);
    if (!head.section.grow(byteCount)) this.#break(sectionTooLarge, atMs);
    else if (line === "") this.#endHead(head, atMs);
    else if (line !== null && !head.section.add(line) && !this.#synced) {
      // A start line that was found among unknown bytes was no head after all.
      this.#state = { at: "start" };
      this.#onStartLine(line, atMs);
    }
    return byteCount;
  }

  #endHead({ start, section }: HeadState, atMs: number): void {
    this.#side = start.side;
    this.#synced = true;
    this.#astray = false;
    this.#headCount++;
    const { headers, malformed } = section;
    const plan = this.#owner.head({ start, headers, malformed, startedMs: this.#startedMs });
    if (plan.unsure === true && plan.kind !== "none") this.#state = { at: "perhaps-head", plan, matched: 0 };
    else this.#beginBody(plan, atMs);
  }

  #beginBody(plan: BodyPlan, atMs: number): void {
    if (plan.kind === "none") this.#end([], atMs);
    else if (plan.kind === "invalid") this.#break(invalidFraming, atMs);
    else if (plan.kind === "switch") {
      this.#owner.ended([], atMs);
      this.#state = { at: "switched" };
    } else {
      this.#state = { at: "body", body: new Http1Body(this.#owner, plan) };
    }
  }

  /**
   * The request is not known and may have been HEAD: then the head is all there is, whatever it says of a body, and the
   * next head follows at once.
   */
  #matchHead(state: PerhapsHeadState, bytes: Uint8Array, atMs: number): number {
    let count = 0;
    while (state.matched < statusStart.length && count < bytes.length) {
      if (bytes[count] !== statusStart[state.matched]) {
        this.#beginBody(state.plan, atMs);
        this.#consume(statusStart.subarray(0, state.matched), atMs);
        return count;
      }
      count++;
      state.matched++;
    }
    if (state.matched === statusStart.length) {
      this.#end([], atMs);
      this.#startedMs = atMs;
      this.#line.add(statusStart);
    }
    return count;
  }

  #readBody(body: Http1Body, bytes: Uint8Array, atMs: number): number {
    const byteCount = body.read(bytes);
    this.#endOf(body, atMs);
    return byteCount;
  }

  /** Goes on after a body that is over. */
  #endOf({ end }: Http1Body, atMs: number): void {
    if (end === null) return;
    if ("broken" in end) this.#break(end.broken, atMs);
    else this.#end(end.trailers, atMs);
  }

  #end(trailers: Header[], atMs: number): void {
    this.#state = { at: "start" };
    this.#owner.ended(trailers, atMs);
  }

  #break(reason: Reason, atMs: number): void {
    this.#state = { at: "start" };
    this.#synced = false;
    this.#astray = reason === notHttp;
    this.#line.clear();
    this.#owner.broken(reason, atMs);
  }

  #lose(byteCount: number | null, atMs: number): void {
    if (byteCount === 0) return;
    if (this.#state.at === "perhaps-head" && this.#state.matched === 0)
      this.#beginBody(this.#state.plan, atMs);
    const body = this.#state.at === "body" ? this.#state.body : null;
    if (body?.lose(byteCount) === true) this.#endOf(body, atMs);
    else this.#break(bytesLost, atMs);
  }
}

/** Where the first line begins that names HTTP/1, or the last one, which goes on: the others are no start lines. */
function firstLineWithVersion(bytes: Uint8Array): number {
  const version = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(statusStart);
  return version === 0 ? 0 : bytes.lastIndexOf(0x0a, version === -1 ? bytes.length - 1 : version - 1) + 1;
}

const notHttp: Reason = { code: "not-http", text: "bytes that are no HTTP message came in its place" };
const invalidFraming: Reason = {
  code: "invalid-framing",
  text: "the head does not say where the body ends",
};
