// Cuts the bytes of one direction into HTTP/2 frames (RFC 9113, section 4): DATA as it comes, other frames whole. Keeps
// its place across lost bytes where the frame's length tells it, and else finds the next frames.
import { GrowingBytes } from "./growing-bytes.ts";
import type { FrameHeader } from "./http2-frames.ts";
import {
  clientPreface,
  defaultMaxFrameSize,
  findFrames,
  frameFlag,
  frameHeaderSize,
  frameType,
  isLegalFrame,
  readFrameHeader,
} from "./http2-frames.ts";

/** Receives the frames of one direction, in order. */
export interface FrameSink {
  preface(): void;
  /** A frame other than DATA whose payload matters; null when bytes of it were lost or are more than is kept. */
  frame(header: FrameHeader, payload: Uint8Array | null, startedMs: number): void;
  /** Bytes of a body, without padding. */
  body(streamId: number, bytes: Uint8Array): void;
  /** `byteCount` bytes of a body were lost. */
  bodyHole(streamId: number, byteCount: number): void;
  /** A DATA frame is over. */
  bodyFrameEnd(header: FrameHeader): void;
  /** An unknown number of frames is missed here. */
  framesLost(): void;
}

/** Bytes of a frame other than DATA that are kept; SETTINGS_MAX_FRAME_SIZE allows sixteen times as much. */
const keptFrameLimit = 1024 * 1024;
/** Bytes a search takes at a time behind those that wait: more than decides about any first frame. */
const searchStep = 32 * 1024;

const keptTypes: ReadonlySet<number> = new Set([
  frameType.headers,
  frameType.rstStream,
  frameType.settings,
  frameType.pushPromise,
  frameType.goAway,
  frameType.continuation,
]);

export class Framer {
  readonly #sink: FrameSink;
  readonly #fromStart: boolean;
  #phase: "preface" | "header" | "payload" | "search" = "preface";
  /** The largest frame that the receiver ever allowed; null where its SETTINGS may have been missed. */
  #maxFrameSize: number | null;
  #prefaceSize = 0;
  #mustBeSettings = false;

  readonly #headerBytes = new Uint8Array(frameHeaderSize);
  #headerSize = 0;
  #startedMs = 0;
  #header: FrameHeader = readFrameHeader(this.#headerBytes, 0);

  /** Bytes of the payload still to come. */
  #remaining = 0;
  /** Bytes at the end of a DATA payload that are padding; null until its length was read. */
  #padding: number | null = 0;
  /** What came of a payload that is kept; null when it is not. */
  #payload: Uint8Array | null = null;

  /** Bytes that a search passed over: the rest of frames whose beginning was missed. */
  skippedBytes = 0;
  #window = new GrowingBytes();
  #searchStartsAtCall = true;

  constructor(sink: FrameSink, fromStart: boolean) {
    this.#sink = sink;
    this.#fromStart = fromStart;
    this.#maxFrameSize = fromStart ? defaultMaxFrameSize : null;
  }

  /** The receiver's SETTINGS_MAX_FRAME_SIZE; the largest ever seen counts. */
  allowFrameSize(size: number): void {
    if (this.#maxFrameSize !== null) this.#maxFrameSize = Math.max(this.#maxFrameSize, size);
  }

  /** SETTINGS of the receiver may have been lost. */
  forgetFrameSizeLimit(): void {
    this.#maxFrameSize = null;
  }

  push(bytes: Uint8Array, atMs: number): void {
    // A stack, for bytes that were taken for something else are read again, before what follows them.
    const pending = [bytes];
    for (let chunk = pending.pop(); chunk !== undefined; chunk = pending.pop()) {
      let rest = chunk;
      while (rest.length > 0) {
        const again = this.#step(rest, atMs);
        rest = rest.subarray(again.used);
        if (again.bytes === null) continue;
        pending.push(rest);
        rest = again.bytes;
      }
    }
  }

  /** `byteCount` bytes were lost here; null: an unknown number. */
  lose(byteCount: number | null): void {
    if (byteCount === 0) return;
    if (this.#phase !== "payload" || byteCount === null || byteCount > this.#remaining) {
      this.#loseFrames(true);
      return;
    }
    if (this.#header.type === frameType.data) {
      const bodyBytes = Math.min(byteCount, Math.max(0, this.#remaining - (this.#padding ?? 0)));
      this.#padding ??= 0;
      this.#sink.bodyHole(this.#header.streamId, bodyBytes);
    }
    this.#payload = null;
    this.#advance(byteCount);
  }

  /** Takes bytes of one phase: how many were used, and earlier ones that must be read again before the others. */
  #step(bytes: Uint8Array, atMs: number): { used: number; bytes: Uint8Array | null } {
    switch (this.#phase) {
      case "preface":
        return this.#readPreface(bytes);
      case "header":
        return this.#readHeader(bytes, atMs);
      case "payload":
        return { used: this.#readPayload(bytes), bytes: null };
      case "search":
        return this.#search(bytes);
    }
  }

  #readPreface(bytes: Uint8Array): { used: number; bytes: Uint8Array | null } {
    let used = 0;
    while (used < bytes.length && bytes[used] === clientPreface[this.#prefaceSize]) {
      used++;
      if (++this.#prefaceSize < clientPreface.length) continue;
      this.#phase = "header";
      this.#mustBeSettings = true;
      this.#sink.preface();
      return { used, bytes: null };
    }
    if (used === bytes.length) return { used, bytes: null };
    this.#phase = this.#fromStart ? "header" : "search";
    this.#mustBeSettings = this.#fromStart;
    return { used, bytes: clientPreface.subarray(0, this.#prefaceSize) };
  }

  #readHeader(bytes: Uint8Array, atMs: number): { used: number; bytes: Uint8Array | null } {
    if (this.#headerSize === 0) this.#startedMs = atMs;
    const used = Math.min(bytes.length, frameHeaderSize - this.#headerSize);
    this.#headerBytes.set(bytes.subarray(0, used), this.#headerSize);
    this.#headerSize += used;
    if (this.#headerSize < frameHeaderSize) return { used, bytes: null };

    this.#headerSize = 0;
    const header = readFrameHeader(this.#headerBytes, 0);
    const isExpected = !this.#mustBeSettings || header.type === frameType.settings;
    if (!isExpected || !isLegalFrame(header, this.#maxFrameSize)) {
      this.#loseFrames(this.#mustBeSettings);
      return { used, bytes: this.#headerBytes.slice() };
    }
    this.#mustBeSettings = false;
    this.#header = header;
    this.#phase = "payload";
    this.#remaining = header.length;
    this.#padding = header.length > 0 && (header.flags & frameFlag.padded) !== 0 ? null : 0;
    const isKept = keptTypes.has(header.type) && header.length <= keptFrameLimit;
    this.#payload = isKept ? new Uint8Array(header.length) : null;
    this.#advance(0);
    return { used, bytes: null };
  }

  #readPayload(bytes: Uint8Array): number {
    const { type, length, streamId } = this.#header;
    if (type === frameType.data && this.#padding === null) {
      this.#padding = bytes[0] ?? 0;
      this.#advance(1);
      return 1;
    }
    const used = Math.min(bytes.length, this.#remaining);
    if (type === frameType.data) {
      const bodySize = Math.min(used, this.#remaining - (this.#padding ?? 0));
      if (bodySize > 0) this.#sink.body(streamId, bytes.subarray(0, bodySize));
    } else {
      this.#payload?.set(bytes.subarray(0, used), length - this.#remaining);
    }
    this.#advance(used);
    return used;
  }

  /** Goes on by this many bytes of payload, over the frame's end when it is reached. */
  #advance(byteCount: number): void {
    this.#remaining -= byteCount;
    if (this.#remaining > 0) return;
    this.#phase = "header";
    const { type } = this.#header;
    if (type === frameType.data) this.#sink.bodyFrameEnd(this.#header);
    else if (keptTypes.has(type)) this.#sink.frame(this.#header, this.#payload, this.#startedMs);
    this.#payload = null;
  }

  #search(bytes: Uint8Array): { used: number; bytes: Uint8Array | null } {
    if (this.#window.length === 0) {
      const { verdict, offset } = findFrames(bytes, this.#searchStartsAtCall);
      this.skippedBytes += offset;
      if (verdict === "found") {
        this.#phase = "header";
        return { used: offset, bytes: null };
      }
      this.#window.append(bytes.subarray(offset));
      if (offset > 0) this.#searchStartsAtCall = false;
      return { used: bytes.length, bytes: null };
    }
    const used = Math.min(bytes.length, searchStep);
    this.#window.append(bytes.subarray(0, used));
    const { verdict, offset } = findFrames(this.#window.view(), this.#searchStartsAtCall);
    this.skippedBytes += offset;
    this.#window.keepLast(this.#window.length - offset);
    if (offset > 0) this.#searchStartsAtCall = false;
    if (verdict === "wait") return { used, bytes: null };
    const found = this.#window.view();
    this.#window = new GrowingBytes();
    this.#phase = "header";
    return { used, bytes: found };
  }

  #loseFrames(startsAtCall: boolean): void {
    this.#phase = "search";
    this.skippedBytes += this.#window.length + this.#headerSize;
    this.#mustBeSettings = false;
    this.#headerSize = 0;
    this.#payload = null;
    this.#window = new GrowingBytes();
    this.#searchStartsAtCall = startsAtCall;
    this.#sink.framesLost();
  }
}
