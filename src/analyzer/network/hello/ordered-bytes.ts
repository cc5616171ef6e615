// Bytes of a stream that come as pieces in any order, twice, overlapping: each byte is given once and in order, those
// behind a gap are kept aside within bounds.

interface Aside {
  start: number;
  bytes: Uint8Array;
}

const maximumAside = 64;

/** The beginning of a stream, up to `limit` bytes; what lies beyond is not kept. */
export class OrderedBytes {
  readonly #limit: number;
  /** Given so far, in bytes from the start of the stream. */
  #given = 0;
  /** By position; behind a gap, and without overlap. */
  #aside: Aside[] = [];
  #isOverfull = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get heldBytes(): number {
    return this.#aside.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  /** All up to the limit was given, or more pieces were behind gaps than are kept: nothing can follow. */
  get isExhausted(): boolean {
    return this.#isOverfull || this.#given === this.#limit;
  }

  /**
   * Of bytes that came before, the first ones count.
   * @param offset of its first byte in the stream; a piece that lies outside of the stream changes nothing
   * @returns what is in order now and was not given before, copied
   */
  push(offset: number, bytes: Uint8Array): Uint8Array[] {
    if (!Number.isSafeInteger(offset) || offset < 0 || this.#isOverfull) return [];
    this.#aside = [...this.#aside, ...this.#newPartsOf(offset, bytes)].sort((a, b) => a.start - b.start);
    const inOrder: Uint8Array[] = [];
    for (const part of this.#aside) {
      if (part.start !== this.#given) break;
      inOrder.push(part.bytes);
      this.#given += part.bytes.length;
    }
    this.#aside.splice(0, inOrder.length);
    if (this.#aside.length > maximumAside) {
      this.#isOverfull = true;
      this.#aside = [];
    }
    return inOrder;
  }

  #newPartsOf(offset: number, bytes: Uint8Array): Aside[] {
    const end = Math.min(offset + bytes.length, this.#limit);
    const parts: Aside[] = [];
    let at = Math.max(offset, this.#given);
    const addUntil = (stop: number) => {
      if (stop > at) {
        parts.push({ start: at, bytes: new Uint8Array(bytes.subarray(at - offset, stop - offset)) });
      }
    };
    for (const { start, bytes: known } of this.#aside) {
      if (start >= end) break;
      addUntil(start);
      at = Math.max(at, start + known.length);
    }
    addUntil(end);
    return parts;
  }
}
