// The first handshake message of a connection, out of its bytes in order. Where these come from, TLS records or QUIC
// packets, is others' matter.
import type { Reason } from "../../../protocol/coverage.ts";

export type Assembled =
  | { state: "incomplete" }
  /** The handshake message, header and all, in memory of its own. */
  | { state: "whole"; handshake: Uint8Array }
  | { state: "not-tls" }
  | { state: "problem"; reason: Reason };

/** Largest ClientHello that is put together, with its header: today's are 0.2 to 2 KiB. */
export const maximumHelloBytes = 65_536;

const headerBytes = 4;
const clientHelloType = 1;

export const tooLong: Assembled = {
  state: "problem",
  reason: {
    code: "hello-too-long",
    text: `the ClientHello is longer than ${maximumHelloBytes / 1024} KiB or in too many pieces`,
  },
};

/** Holds no more than twice of what has come. */
export class FirstMessage {
  #room = new Uint8Array(0);
  #length = 0;

  /** Whether the first byte of a ClientHello has come. */
  get isBegun(): boolean {
    return this.#length > 0;
  }

  get heldBytes(): number {
    return this.#room.length;
  }

  /** @param bytes that follow those of the last push; it is over once the answer is not `incomplete` */
  push(bytes: Uint8Array): Assembled {
    const type = this.#room[0] ?? bytes[0];
    if (type !== undefined && type !== clientHelloType) return { state: "not-tls" };
    this.#append(bytes.subarray(0, maximumHelloBytes - this.#length));
    if (this.#length < headerBytes) return { state: "incomplete" };
    const [, high = 0, middle = 0, low = 0] = this.#room;
    const messageBytes = headerBytes + (high << 16) + (middle << 8) + low;
    if (messageBytes > maximumHelloBytes) return tooLong;
    return this.#length < messageBytes
      ? { state: "incomplete" }
      : { state: "whole", handshake: this.#room.slice(0, messageBytes) };
  }

  /** Room is doubled, so that a message in single bytes is not copied with each. */
  #append(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#room.length) {
      const room = new Uint8Array(Math.max(length, this.#room.length * 2));
      room.set(this.#room.subarray(0, this.#length));
      this.#room = room;
    }
    this.#room.set(bytes, this.#length);
    this.#length = length;
  }
}
