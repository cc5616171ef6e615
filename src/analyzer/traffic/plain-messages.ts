// A connection whose protocol has no exchanges, or is not known: every chunk is a message.
import type { Direction } from "../../protocol/traffic.ts";
import type { ConnectionParser, ParsedMessage } from "./parsed.ts";

/** Bytes of a message that are shown. */
export const previewLimit = 256;

/** @param protocol its name where something told it, such as an upgrade's token */
export function createPlainMessages(protocol: string | null): ConnectionParser {
  let nextKey = 0;
  return {
    data: (direction, bytes, atMs) =>
      bytes.length === 0 ? [] : [plainMessage(nextKey++, protocol, direction, bytes, atMs)],
    lost: () => [],
    end: () => [],
  };
}

export function plainMessage(
  key: number,
  protocol: string | null,
  direction: Direction,
  bytes: Uint8Array,
  atMs: number,
): ParsedMessage {
  const preview = Uint8Array.from(bytes.subarray(0, previewLimit));
  return { type: "message", key, protocol, direction, size: bytes.length, preview, atMs };
}
