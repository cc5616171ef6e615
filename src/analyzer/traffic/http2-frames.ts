// HTTP/2 frame headers (RFC 9113, section 4.1 and 6): reading one, judging whether it can be one, and finding the first
// in the middle of a connection. Payloads and the order of frames are http2-framer.ts's and http2.ts's.

export const clientPreface: Uint8Array = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");

export const frameHeaderSize = 9;
/** SETTINGS_MAX_FRAME_SIZE before any SETTINGS. */
export const defaultMaxFrameSize = 16_384;
export const largestFrameSize = 2 ** 24 - 1;

export const frameType = {
  data: 0x0,
  headers: 0x1,
  priority: 0x2,
  rstStream: 0x3,
  settings: 0x4,
  pushPromise: 0x5,
  ping: 0x6,
  goAway: 0x7,
  windowUpdate: 0x8,
  continuation: 0x9,
} as const;

export const frameFlag = { ack: 0x1, endStream: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

export interface FrameHeader {
  /** Bytes of payload. */
  length: number;
  type: number;
  flags: number;
  /** The bit before the stream id, zero in every frame that is sent. */
  reservedBit: number;
  streamId: number;
}

/** What one frame type allows. */
interface FrameRule {
  stream: "zero" | "nonzero" | "any";
  flags: number;
  minLength: number;
  maxLength: number;
}

/** By type; section 6.1 to 6.10. */
const rules: readonly FrameRule[] = [
  { stream: "nonzero", flags: 0x09, minLength: 0, maxLength: largestFrameSize },
  { stream: "nonzero", flags: 0x2d, minLength: 0, maxLength: largestFrameSize },
  { stream: "nonzero", flags: 0x00, minLength: 5, maxLength: 5 },
  { stream: "nonzero", flags: 0x00, minLength: 4, maxLength: 4 },
  { stream: "zero", flags: 0x01, minLength: 0, maxLength: largestFrameSize },
  { stream: "nonzero", flags: 0x0c, minLength: 4, maxLength: largestFrameSize },
  { stream: "zero", flags: 0x01, minLength: 8, maxLength: 8 },
  { stream: "zero", flags: 0x00, minLength: 8, maxLength: largestFrameSize },
  { stream: "any", flags: 0x00, minLength: 4, maxLength: 4 },
  { stream: "nonzero", flags: 0x04, minLength: 0, maxLength: largestFrameSize },
];

/** Bound of a frame other than DATA where the receiver's SETTINGS were not seen. */
const likelyMaxFrameSize = 65_536;

/** The frame header at `offset`; the nine bytes must be there. */
export function readFrameHeader(bytes: Uint8Array, offset: number): FrameHeader {
  const at = (index: number): number => bytes[offset + index] ?? 0;
  return {
    length: at(0) * 65_536 + at(1) * 256 + at(2),
    type: at(3),
    flags: at(4),
    reservedBit: at(5) >> 7,
    streamId: (at(5) & 0x7f) * 2 ** 24 + at(6) * 65_536 + at(7) * 256 + at(8),
  };
}

/**
 * True for a header that a conforming peer may send: undefined flags and unknown types are to be ignored (section 4.1).
 * `maxFrameSize` is what the receiver allowed, null where that is not known.
 */
export function isLegalFrame(header: FrameHeader, maxFrameSize: number | null): boolean {
  const { length, type, flags, streamId } = header;
  const likelyMax = type === frameType.data ? largestFrameSize : likelyMaxFrameSize;
  if (length > (maxFrameSize ?? likelyMax)) return false;
  const rule = rules[type];
  if (rule === undefined) return true;
  if (rule.stream !== "any" && (rule.stream === "zero") !== (streamId === 0)) return false;
  if (type === frameType.settings) return (flags & frameFlag.ack) !== 0 ? length === 0 : length % 6 === 0;
  return length >= rule.minLength && length <= rule.maxLength;
}

/** True for a header that is legal, of a known type and without anything unusual: what a search takes as a sign. */
function isTypicalFrame(header: FrameHeader): boolean {
  const rule = rules[header.type];
  if (rule === undefined || (header.flags & ~rule.flags) !== 0 || header.reservedBit !== 0) return false;
  return isLegalFrame(header, null);
}

/**
 * Stricter still, for a search's first frame: a default frame size, a client's stream, and no empty DATA that ends
 * nothing, for rows of small integers look like those.
 */
function isFirstFrame(header: FrameHeader): boolean {
  const { length, type, flags, streamId } = header;
  if (length > defaultMaxFrameSize || (streamId !== 0 && streamId % 2 === 0)) return false;
  const carriesPayload =
    type === frameType.data || type === frameType.headers || type === frameType.continuation;
  if (carriesPayload && length === 0 && (type !== frameType.data || flags !== frameFlag.endStream))
    return false;
  return isTypicalFrame(header);
}

/** Where frames begin: `found` there, `wait` for more bytes that decide about `offset`, or nothing before `offset`. */
export interface FrameSearch {
  verdict: "found" | "wait";
  offset: number;
}

/**
 * Finds the first offset at which two plausible frames follow each other. One is enough where nothing follows yet: at
 * offset 0 when `startsAtCall`, a whole frame that ends with the bytes, as one write call often holds.
 */
export function findFrames(bytes: Uint8Array, startsAtCall: boolean): FrameSearch {
  for (let offset = 0; ; offset++) {
    if (offset + frameHeaderSize > bytes.length) return { verdict: "wait", offset };
    // Nearly every offset fails by the length's first byte or the type alone.
    if (bytes[offset] !== 0 || (bytes[offset + 3] ?? 0) >= rules.length) continue;
    const first = readFrameHeader(bytes, offset);
    if (!isFirstFrame(first)) continue;
    const next = offset + frameHeaderSize + first.length;
    if (startsAtCall && offset === 0 && next === bytes.length) return { verdict: "found", offset };
    if (next + frameHeaderSize > bytes.length) return { verdict: "wait", offset };
    if (isTypicalFrame(readFrameHeader(bytes, next))) return { verdict: "found", offset };
  }
}

/** Error codes of section 7, by number. */
const errorNames: readonly string[] = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
  "INADEQUATE_SECURITY",
  "HTTP_1_1_REQUIRED",
];

export function errorName(code: number): string {
  return errorNames[code] ?? `0x${code.toString(16)}`;
}
