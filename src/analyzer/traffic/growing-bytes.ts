// A byte buffer that grows by doubling, so that bytes fed one at a time still cost linear time. It knows nothing of
// what the bytes mean.

/** Bytes appended at the end. A buffer that is taken starts again from nothing. */
export class GrowingBytes {
  #bytes: Uint8Array = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(more: Uint8Array): void {
    const needed = this.#length + more.length;
    if (needed > this.#bytes.length) {
      const grown = new Uint8Array(
        Math.max(needed, Math.min(this.#bytes.length * 2, needed + 0x10_0000), 32),
      );
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(more, this.#length);
    this.#length = needed;
  }

  /** The bytes in place: valid until the next change. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A copy that no later change reaches. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** The bytes in place, valid until the next change; the buffer is empty afterwards and keeps its memory. */
  take(): Uint8Array {
    const taken = this.view();
    this.#length = 0;
    return taken;
  }

  /** Forgets all but the last `count` bytes. */
  keepLast(count: number): void {
    if (this.#length <= count) return;
    this.#bytes.copyWithin(0, this.#length - count, this.#length);
    this.#length = count;
  }
}
