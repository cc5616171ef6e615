// The body of an HTTP/1 message (RFC 9112, sections 6 and 7) as its framing has it: bytes in, content out, and how it
// ended. What the framing is, and what follows the body, is for others to say.
import type { Reason } from "../../protocol/coverage.ts";
import type { Header } from "../../protocol/traffic.ts";
import { chunkSize, type Framing } from "./http1-framing.ts";
import { FieldSection, LineBuffer, sectionTooLarge } from "./http1-lines.ts";

const chunkLineLimit = 16 * 1024;

/** The framings of a body of which there is something to read. */
export type BodyFraming = Extract<Framing, { kind: "length" | "chunked" | "close" }>;

export interface BodyOwner {
  body(bytes: Uint8Array): void;
  /** Bytes in the middle of the body were lost; its framing still holds. */
  bodyLost(byteCount: number | null): void;
}

/** Its last byte was read, or it does not follow its framing. */
export type BodyEnd = { trailers: Header[] } | { broken: Reason };

type Part = "content" | "chunk-size" | "chunk-end" | "trailers";

export class Http1Body {
  readonly #owner: BodyOwner;
  readonly #kind: BodyFraming["kind"];
  #part: Part;
  /** Bytes still to come of the content, or of the current chunk. */
  #left = 0;
  readonly #line = new LineBuffer();
  #trailers = new FieldSection();
  #end: BodyEnd | null = null;

  constructor(owner: BodyOwner, framing: BodyFraming) {
    this.#owner = owner;
    this.#kind = framing.kind;
    this.#part = framing.kind === "chunked" ? "chunk-size" : "content";
    if (framing.kind === "length") this.#left = framing.byteCount;
    if (framing.kind === "close") this.#left = Infinity;
  }

  /** Null while more is to come. */
  get end(): BodyEnd | null {
    return this.#end;
  }

  /** It lasts as long as the connection. */
  get isUntilClose(): boolean {
    return this.#kind === "close";
  }

  /** The number of bytes read, which may be some of them; after the end there is nothing to read. */
  read(bytes: Uint8Array): number {
    if (this.#part !== "content") return this.#readLine(bytes);
    const content = bytes.subarray(0, this.#left);
    this.#owner.body(content);
    this.#advance(content.length);
    return content.length;
  }

  /** False when the loss may reach beyond the content: then its framing is lost, too. */
  lose(byteCount: number | null): boolean {
    const isWithin = this.#part === "content" && byteCount !== null && byteCount <= this.#left;
    if (!isWithin && !this.isUntilClose) return false;
    this.#owner.bodyLost(byteCount);
    this.#advance(byteCount ?? 0);
    return true;
  }

  #advance(byteCount: number): void {
    this.#left -= byteCount;
    if (this.#left > 0) return;
    if (this.#kind === "chunked") this.#part = "chunk-end";
    else this.#end = { trailers: [] };
  }

  #readLine(bytes: Uint8Array): number {
    const { byteCount, line } = this.#line.add(bytes);
    if (this.#part === "trailers" && !this.#trailers.grow(byteCount)) this.#end = { broken: sectionTooLarge };
    else if (line !== null) this.#onLine(line);
    else if (this.#line.length > this.#longestLine) this.#end = { broken: badChunk };
    return byteCount;
  }

  /** Without its end: longer ones make no sense. */
  get #longestLine(): number {
    if (this.#part === "chunk-end") return 2;
    return this.#part === "chunk-size" ? chunkLineLimit : Infinity;
  }

  #onLine(line: string): void {
    if (this.#part === "trailers") {
      if (line === "") this.#end = { trailers: this.#trailers.headers };
      else this.#trailers.add(line);
    } else if (this.#part === "chunk-end") {
      if (line === "") this.#part = "chunk-size";
      else this.#end = { broken: badChunk };
    } else this.#onChunkSize(chunkSize(line));
  }

  #onChunkSize(size: number | null): void {
    if (size === null) {
      this.#end = { broken: badChunk };
    } else if (size > 0) {
      this.#left = size;
      this.#part = "content";
    } else {
      this.#trailers = new FieldSection();
      this.#part = "trailers";
    }
  }
}

const badChunk: Reason = { code: "bad-chunk", text: "the chunked body does not follow its format" };
