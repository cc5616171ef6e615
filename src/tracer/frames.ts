// Length-prefixed frames, as the analyzer and the tracer exchange them over a pipe: a 32-bit little-endian length of
// what follows, one byte of kind, the payload.

export type FrameKind = "json" | "records";
const kinds: readonly FrameKind[] = ["json", "records"];

/** Larger than any batch of records and any plan; a longer frame means that the other side is not a tracer. */
export const maxFrameBytes = 64 * 1024 * 1024;
const headBytes = 5;

export interface Frame {
  kind: FrameKind;
  payload: Buffer;
}

/** The bytes that go before a payload of this size. */
export function frameHead(kind: FrameKind, payloadBytes: number): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(payloadBytes + 1, 0);
  head.writeUInt8(kinds.indexOf(kind), 4);
  return head;
}

export function jsonFrame(value: unknown): Buffer {
  const payload = Buffer.from(JSON.stringify(value));
  return Buffer.concat([frameHead("json", payload.length), payload]);
}

/** Puts frames together from chunks of any size. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** The frames that this chunk completes. Throws on a length or kind that no frame has. */
  push(chunk: Buffer): Frame[] {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    const frames: Frame[] = [];
    for (;;) {
      if (this.#bytes < headBytes) return frames;
      const head = this.#peek(headBytes);
      const length = head.readUInt32LE(0);
      const kind = kinds[head.readUInt8(4)];
      if (length === 0 || length > maxFrameBytes || kind === undefined) {
        throw new Error(
          `read a frame: length ${length}, kind ${head.readUInt8(4)}: not the tracer's protocol`,
        );
      }
      if (this.#bytes < 4 + length) return frames;
      frames.push({ kind, payload: this.#take(4 + length).subarray(headBytes) });
    }
  }

  #peek(length: number): Buffer {
    const first = this.#chunks[0];
    if (first && first.length >= length) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #take(length: number): Buffer {
    const parts: Buffer[] = [];
    let missing = length;
    while (missing > 0) {
      const chunk = this.#chunks.shift();
      if (!chunk) throw new Error("read a frame: fewer bytes are held than were counted");
      if (chunk.length > missing) this.#chunks.unshift(chunk.subarray(missing));
      parts.push(chunk.subarray(0, missing));
      missing -= Math.min(missing, chunk.length);
    }
    this.#bytes -= length;
    return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts);
  }
}
