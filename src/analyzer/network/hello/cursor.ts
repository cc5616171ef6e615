// Reads bytes from front to back, in network order. What is not there reads as zero or empty and is remembered, so
// that a parser looks once, at its end, whether all that it read was there.

/** Bytes of a stranger, read from the front. It never throws, and never reads past the end. */
export class Cursor {
  readonly #bytes: Buffer;
  #at = 0;
  #isShort = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Whether more was asked for than there was. */
  get isShort(): boolean {
    return this.#isShort;
  }

  /** Bytes read so far. */
  get at(): number {
    return this.#at;
  }

  /** Bytes not yet read; none are left once it was short. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** The next `length` bytes, not copied; empty when there are fewer. */
  take(length: number): Buffer {
    if (length > this.left) {
      this.#isShort = true;
      this.#at = this.#bytes.length;
    }
    const from = this.#at;
    if (!this.#isShort) this.#at += length;
    return this.#bytes.subarray(from, this.#at);
  }

  /** An unsigned number of 1 to 6 bytes. */
  number(length: number): number {
    const bytes = this.take(length);
    return bytes.length === length ? bytes.readUIntBE(0, length) : 0;
  }

  /** Bytes that a length of `lengthBytes` goes before: a vector of RFC 8446 3.4. */
  block(lengthBytes: number): Buffer {
    return this.take(this.number(lengthBytes));
  }

  /** A number of RFC 9000 16: the first two bits say how long it is. Inexact above 2^53, where no length can be. */
  varint(): number {
    const first = this.number(1);
    const high = first & 0x3f;
    switch (first >> 6) {
      case 0:
        return high;
      case 1:
        return high * 2 ** 8 + this.number(1);
      case 2:
        return high * 2 ** 24 + this.number(3);
      default:
        return high * 2 ** 56 + this.number(1) * 2 ** 48 + this.number(6);
    }
  }
}
