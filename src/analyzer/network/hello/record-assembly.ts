// The beginning of one TCP connection -> its ClientHello: TLS records (RFC 8446 5.1) out of segments in any order, the
// handshake message out of the records. What the hello says is client-hello.ts's.
import { type Assembled, FirstMessage, maximumHelloBytes, tooLong } from "./assembled.ts";
import { OrderedBytes } from "./ordered-bytes.ts";

export type { Assembled };

const headerBytes = 5;
const handshakeRecord = 22;
const tlsMajorVersion = 3;
const maximumFragmentBytes = 2 ** 14;
/** The headers of the records may take as much again as the hello; a client that needs more is not followed. */
const maximumStreamBytes = 2 * maximumHelloBytes;

/**
 * Holds the hello and at most 64 pieces of the 128 KiB behind it, and nothing once it has told that the hello is whole,
 * no hello, or a problem: `hello-too-long` or `hello-malformed`. Every later push gives the same. A stream whose
 * beginning was not seen is not told from one that is not TLS.
 */
export class RecordAssembly {
  #segments = new OrderedBytes(maximumStreamBytes);
  /** Of the current record; empty when its fragment is being read. */
  #header: number[] = [];
  #fragmentLeft = 0;
  #isFirstRecord = true;
  #message = new FirstMessage();
  #result: Assembled = { state: "incomplete" };

  /** Whether the first byte of a ClientHello has come. */
  get isBegun(): boolean {
    return this.#message.isBegun;
  }

  get heldBytes(): number {
    return this.#segments.heldBytes + this.#message.heldBytes;
  }

  /**
   * @param offset of the segment's first byte, from the first byte of the first record; one that cannot be (negative,
   * beyond 128 KiB) makes the segment noise, which changes nothing
   */
  push(offset: number, bytes: Uint8Array): Assembled {
    for (const part of this.#result.state === "incomplete" ? this.#segments.push(offset, bytes) : []) {
      this.#result = this.#read(part);
      if (this.#result.state !== "incomplete") break;
    }
    if (this.#result.state === "incomplete" && this.#segments.isExhausted) {
      this.#result = this.isBegun ? tooLong : { state: "not-tls" };
    }
    if (this.#result.state !== "incomplete") {
      this.#segments = new OrderedBytes(0);
      this.#message = new FirstMessage();
    }
    return this.#result;
  }

  #read(bytes: Uint8Array): Assembled {
    for (let at = 0; at < bytes.length;) {
      if (this.#fragmentLeft === 0) {
        this.#header.push(bytes[at] ?? 0);
        at += 1;
        if (!isHandshakeHeader(this.#header)) return this.#isFirstRecord ? { state: "not-tls" } : interrupted;
        if (this.#header.length < headerBytes) continue;
        this.#fragmentLeft = fragmentBytes(this.#header);
        this.#isFirstRecord = false;
        this.#header = [];
      } else {
        const part = bytes.subarray(at, at + this.#fragmentLeft);
        at += part.length;
        this.#fragmentLeft -= part.length;
        const message = this.#message.push(part);
        if (message.state !== "incomplete") return message;
      }
    }
    return { state: "incomplete" };
  }
}

const interrupted: Assembled = {
  state: "problem",
  reason: {
    code: "hello-malformed",
    text: "the ClientHello is interrupted by something that is no part of it",
  },
};

const fragmentBytes = (header: number[]): number => ((header[3] ?? 0) << 8) + (header[4] ?? 0);

/** Whether what there is of a record's header may be a handshake record's, which is never empty. */
function isHandshakeHeader(header: number[]): boolean {
  const [type, major = tlsMajorVersion] = header;
  if (type !== handshakeRecord || major !== tlsMajorVersion) return false;
  if (header.length < headerBytes) return true;
  const length = fragmentBytes(header);
  return length > 0 && length <= maximumFragmentBytes;
}
