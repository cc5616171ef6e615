// Undoes content encodings (RFC 9110, section 8.4), also of a body whose end is missing, and never writes more than a
// bound, however much a few bytes claim to unpack to. What the bytes are is left to body-view.ts.
import * as zlib from "node:zlib";

export interface Decoded {
  bytes: Uint8Array;
  /** The encodings undone, in the order in which they had been applied. */
  undone: string[];
  problem: string | null;
}

/** Bytes that a body may unpack to. */
const decodedLimit = 1024 * 1024;

type Decode = (bytes: Uint8Array) => Uint8Array;

const flush = { finishFlush: zlib.constants.Z_SYNC_FLUSH, maxOutputLength: decodedLimit };
const brotliFlush = { finishFlush: zlib.constants.BROTLI_OPERATION_FLUSH, maxOutputLength: decodedLimit };

const gunzip: Decode = (bytes) => zlib.gunzipSync(bytes, flush);

/** `deflate` means zlib's format, but some servers send the raw one. */
const inflate: Decode = (bytes) => {
  const [first = 0, second = 0] = bytes;
  const hasHeader = (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0;
  return hasHeader ? zlib.inflateSync(bytes, flush) : zlib.inflateRawSync(bytes, flush);
};

const decoders = new Map<string, Decode>([
  ["gzip", gunzip],
  ["x-gzip", gunzip],
  ["deflate", inflate],
  ["br", (bytes) => zlib.brotliDecompressSync(bytes, brotliFlush)],
]);

/** Newer versions of Node have Zstandard. */
const { zstdDecompressSync, constants } = zlib as unknown as {
  zstdDecompressSync?: (bytes: Uint8Array, options: object) => Uint8Array;
  constants: { ZSTD_e_flush?: number };
};
if (zstdDecompressSync !== undefined) {
  const options = { finishFlush: constants.ZSTD_e_flush, maxOutputLength: decodedLimit };
  decoders.set("zstd", (bytes) => zstdDecompressSync(bytes, options));
}

/** @param encodings lower-case tokens in the order of the header: the last one was applied last */
export function decodeContent(bytes: Uint8Array, encodings: readonly string[]): Decoded {
  const decoded: Decoded = { bytes, undone: [], problem: null };
  for (const encoding of encodings.filter((name) => name !== "identity").reverse()) {
    const decode = decoders.get(encoding);
    if (decode === undefined) {
      decoded.problem = `its content encoding is not supported: ${encoding.slice(0, 32)}`;
      break;
    }
    const result = decodeBounded(decode, decoded.bytes);
    if (result === null) {
      decoded.problem = `it is not valid ${encoding}`;
      break;
    }
    decoded.bytes = result.bytes;
    decoded.undone.unshift(encoding);
    if (result.cut) decoded.problem = `it unpacks to more than ${decodedLimit} bytes; the rest is not shown`;
  }
  return decoded;
}

/** Zlib gives nothing at all when the output is too large: then less and less of the input is tried. */
function decodeBounded(decode: Decode, bytes: Uint8Array): { bytes: Uint8Array; cut: boolean } | null {
  for (let length = bytes.length; length > 0; length = Math.floor(length / 2)) {
    try {
      return { bytes: decode(bytes.subarray(0, length)), cut: length < bytes.length };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ERR_BUFFER_TOO_LARGE") return null;
    }
  }
  return { bytes: new Uint8Array(0), cut: bytes.length > 0 };
}
