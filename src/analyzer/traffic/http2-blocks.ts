// Header blocks of one direction: HEADERS or PUSH_PROMISE and its CONTINUATION frames (RFC 9113, section 6.2, 6.6 and
// 6.10) put together and decoded.
import type { Header } from "../../protocol/traffic.ts";
import { HpackDecoder } from "./hpack.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import type { FrameHeader } from "./http2-frames.ts";
import { frameFlag, frameType } from "./http2-frames.ts";

export interface HeaderBlock {
  /** The stream whose message it is: the promised one for PUSH_PROMISE. */
  streamId: number;
  isPromise: boolean;
  /** The sender's last on this stream, but for its CONTINUATION frames. */
  isStreamEnd: boolean;
  fields: Header[];
  /** Why `fields` is not all of it; null when it is. */
  problem: string | null;
  /** When its first byte came. */
  startedMs: number;
}

interface OpenBlock {
  frameStreamId: number;
  block: HeaderBlock;
  /** Null when the block cannot be decoded; then `block.problem` says why. */
  fragments: GrowingBytes | null;
}

/** Bytes of one header block that are kept. */
const blockLimit = 1024 * 1024;

export class HeaderBlocks {
  readonly decoder: HpackDecoder;
  #open: OpenBlock | null = null;

  constructor(fromStart: boolean) {
    this.decoder = new HpackDecoder(fromStart);
  }

  /** Takes HEADERS, PUSH_PROMISE and CONTINUATION; gives a block when it is over. `payload` null: lost or too large. */
  frame(header: FrameHeader, payload: Uint8Array | null, startedMs: number): HeaderBlock | null {
    if (header.type === frameType.continuation) {
      if (this.#open === null) {
        // The end of a block whose beginning was missed.
        this.decoder.forget();
        return null;
      }
      this.#add(this.#open, payload);
    } else {
      this.#open = openBlock(header, payload, startedMs);
    }
    return (header.flags & frameFlag.endHeaders) === 0 ? null : this.#close(this.#open);
  }

  /** To be called before every frame: a block that it interrupts is given as it is. */
  before(header: FrameHeader): HeaderBlock | null {
    const isNext = header.type === frameType.continuation && header.streamId === this.#open?.frameStreamId;
    return isNext ? null : this.interrupt();
  }

  /** Frames are missed or over: gives the block that is not whole, if there is one. */
  interrupt(): HeaderBlock | null {
    if (this.#open === null) return null;
    fail(this.#open, "the header block was interrupted");
    return this.#close(this.#open);
  }

  #add(open: OpenBlock, payload: Uint8Array | null): void {
    if (payload === null) fail(open, "part of the header block is missing");
    else if ((open.fragments?.length ?? 0) + payload.length > blockLimit)
      fail(open, "the header block is larger than 1 MiB");
    else open.fragments?.append(payload);
  }

  #close(open: OpenBlock): HeaderBlock {
    this.#open = null;
    if (open.fragments === null) {
      this.decoder.forget();
      return open.block;
    }
    return { ...open.block, ...this.decoder.decode(open.fragments.view()) };
  }
}

function fail(open: OpenBlock, problem: string): void {
  open.fragments = null;
  open.block.problem ??= problem;
}

function openBlock(header: FrameHeader, payload: Uint8Array | null, startedMs: number): OpenBlock {
  const isPromise = header.type === frameType.pushPromise;
  const open: OpenBlock = {
    frameStreamId: header.streamId,
    block: {
      streamId: isPromise ? 0 : header.streamId,
      isPromise,
      isStreamEnd: !isPromise && (header.flags & frameFlag.endStream) !== 0,
      fields: [],
      problem: null,
      startedMs,
    },
    fragments: new GrowingBytes(),
  };
  if (payload === null) {
    fail(open, "part of the header block is missing");
    return open;
  }

  let start = 0;
  let end = payload.length;
  if ((header.flags & frameFlag.padded) !== 0) {
    start = 1;
    end -= payload[0] ?? 0;
  }
  if (isPromise) {
    open.block.streamId = readUint32(payload, start) & 0x7fffffff;
    start += 4;
  } else if ((header.flags & frameFlag.priority) !== 0) {
    start += 5;
  }
  if (start > end) fail(open, "the padding is longer than the frame");
  else open.fragments?.append(payload.subarray(start, end));
  return open;
}

/** Big-endian; bytes past the end count as zero. */
export function readUint32(bytes: Uint8Array, offset: number): number {
  const at = (index: number): number => bytes[offset + index] ?? 0;
  return at(0) * 2 ** 24 + at(1) * 65_536 + at(2) * 256 + at(3);
}
