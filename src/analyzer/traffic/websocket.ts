// WebSocket frames (RFC 6455, section 5) after their handshake: a message for each frame, its payload unmasked. Messages
// are not put together from fragments, and compressed payloads (RFC 7692) are shown as they are.
import type { Direction } from "../../protocol/traffic.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import type { ConnectionParser, ParsedMessage } from "./parsed.ts";
import { plainMessage, previewLimit } from "./plain-messages.ts";

interface Frame {
  mask: Uint8Array | null;
  /** Payload bytes in all, and still to come. */
  size: number;
  left: number;
  preview: GrowingBytes;
  /** Bytes inside it were lost: the preview ends there. */
  holed: boolean;
}

interface Stream {
  header: GrowingBytes;
  frame: Frame | null;
  /** The frames cannot be followed any more: bytes were lost, or these are none. */
  outOfStep: boolean;
}

const newStream = (): Stream => ({ header: new GrowingBytes(), frame: null, outOfStep: false });

export function createWebSocketParser(): ConnectionParser {
  const streams: Record<Direction, Stream> = { in: newStream(), out: newStream() };
  let nextKey = 0;

  /** The frame's message, with the bytes that came; the stream goes on with the next frame. */
  const takeMessage = (direction: Direction, atMs: number): ParsedMessage[] => {
    const { frame } = streams[direction];
    streams[direction].frame = null;
    if (frame === null) return [];
    const size = frame.size - frame.left;
    const preview = frame.preview.copy();
    return [{ type: "message", key: nextKey++, protocol: "websocket", direction, size, preview, atMs }];
  };

  return {
    data(direction, bytes, atMs) {
      const stream = streams[direction];
      const messages: ParsedMessage[] = [];
      let at = 0;
      while (at < bytes.length && !stream.outOfStep) {
        if (stream.frame !== null) {
          at += readPayload(stream.frame, bytes.subarray(at));
        } else {
          stream.header.append(bytes.subarray(at, ++at));
          const frame = readHeader(stream.header.view());
          if (frame === "none") {
            stream.outOfStep = true;
            messages.push(plainMessage(nextKey++, null, direction, stream.header.take(), atMs));
          } else if (frame !== "short") {
            stream.header.take();
            stream.frame = frame;
          }
        }
        if (stream.frame?.left === 0) messages.push(...takeMessage(direction, atMs));
      }
      if (at < bytes.length)
        messages.push(plainMessage(nextKey++, null, direction, bytes.subarray(at), atMs));
      return messages;
    },
    lost(direction, byteCount, atMs) {
      const stream = streams[direction];
      const { frame } = stream;
      if (byteCount === 0) return [];
      if (frame !== null && byteCount !== null && byteCount <= frame.left) {
        frame.holed = true;
        frame.left -= byteCount;
        return frame.left === 0 ? takeMessage(direction, atMs) : [];
      }
      stream.outOfStep = true;
      return takeMessage(direction, atMs);
    },
    end: (_cause, atMs) => [...takeMessage("out", atMs), ...takeMessage("in", atMs)],
  };
}

/** Reads a frame's header; `none` when these bytes cannot be one. */
function readHeader(header: Uint8Array): Frame | "short" | "none" {
  const [first = 0, second] = header;
  const opcode = first & 0x0f;
  const control = opcode >= 8;
  if ((first & 0x30) !== 0 || (opcode > 2 && opcode < 8) || opcode > 10) return "none";
  if (second === undefined) return "short";
  const short = second & 0x7f;
  if (control && (short > 125 || (first & 0x80) === 0)) return "none";
  const sizeBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
  const masked = (second & 0x80) !== 0;
  if (header.length < 2 + sizeBytes + (masked ? 4 : 0)) return "short";
  const size = header
    .subarray(2, 2 + sizeBytes)
    .reduce((sum, byte) => sum * 256 + byte, sizeBytes === 0 ? short : 0);
  if (!Number.isSafeInteger(size)) return "none";
  const mask = masked ? Uint8Array.from(header.subarray(2 + sizeBytes)) : null;
  return { mask, size, left: size, preview: new GrowingBytes(), holed: false };
}

/** Reads what belongs to the frame; the number of bytes read. */
function readPayload(frame: Frame, bytes: Uint8Array): number {
  const count = Math.min(frame.left, bytes.length);
  const room = frame.holed ? 0 : previewLimit - frame.preview.length;
  const offset = frame.size - frame.left;
  const { mask } = frame;
  const shown = bytes.subarray(0, Math.min(count, room));
  frame.preview.append(
    mask === null ? shown : shown.map((byte, index) => byte ^ (mask[(offset + index) % 4] ?? 0)),
  );
  frame.left -= count;
  return count;
}
