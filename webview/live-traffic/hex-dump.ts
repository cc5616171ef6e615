// Bytes as lines of a hex dump: offset, hex digits, printable ASCII. A line at a time, so that the view draws only
// those in sight.

export interface HexLine {
  /** Eight hex digits. */
  offset: string;
  /** Two digits a byte, a space between, two in the middle; padded to the width of a full line. */
  hex: string;
  /** A dot for each byte that is not printable ASCII. */
  ascii: string;
}

export function hexLineCount(bytes: Uint8Array, bytesPerLine: number): number {
  return Math.ceil(bytes.length / bytesPerLine);
}

export function hexLine(bytes: Uint8Array, index: number, bytesPerLine: number): HexLine {
  const start = index * bytesPerLine;
  const slice = bytes.subarray(start, start + bytesPerLine);
  let hex = "";
  let ascii = "";
  for (let at = 0; at < bytesPerLine; at += 1) {
    const byte = slice[at];
    if (at > 0) hex += at * 2 === bytesPerLine ? "  " : " ";
    hex += byte === undefined ? "  " : byte.toString(16).padStart(2, "0");
    if (byte !== undefined) ascii += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".";
  }
  return { offset: start.toString(16).padStart(8, "0"), hex, ascii };
}

/** Bytes of a string of hex digits; an odd or foreign digit ends them. */
export function bytesFromHex(hex: string): Uint8Array {
  const digits = /^(?:[0-9a-f]{2})*/i.exec(hex)?.[0] ?? "";
  return Uint8Array.from({ length: digits.length / 2 }, (_, index) =>
    parseInt(digits.slice(index * 2, index * 2 + 2), 16),
  );
}
