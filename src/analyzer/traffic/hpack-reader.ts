// The primitives of HPACK (RFC 7541, section 5): integers and strings, read one after the other from a header block.
import { decodeHuffman } from "./hpack-huffman.ts";

export class HpackReader {
  readonly #bytes: Uint8Array;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  peek(): number | undefined {
    return this.#bytes[this.#position];
  }

  /** Null when it is cut short, or longer than five bytes after the prefix: no index, length or size needs more. */
  integer(prefixBits: number): number | null {
    const prefixMax = 2 ** prefixBits - 1;
    let value = (this.#bytes[this.#position++] ?? 0) & prefixMax;
    if (value < prefixMax) return value;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.#bytes[this.#position++];
      if (byte === undefined) return null;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return null;
  }

  /** Each byte as one character (ISO 8859-1), so that lengths stay those of the wire. Undefined when not readable. */
  string(): string | undefined {
    const isHuffman = ((this.peek() ?? 0) & 0x80) !== 0;
    const length = this.#position < this.#bytes.length ? this.integer(7) : null;
    if (length === null || length > this.#bytes.length - this.#position) return undefined;
    const raw = this.#bytes.subarray(this.#position, this.#position + length);
    this.#position += length;
    const bytes = isHuffman ? decodeHuffman(raw) : raw;
    return bytes === null
      ? undefined
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  }
}
