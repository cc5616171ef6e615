// Random access to bytes that somebody else may truncate or replace at any time: how the pure rooms read files.

/** A source of bytes. Reading past the end gives what there is; it never throws for a bad offset or length. */
export interface ByteReader {
  /** Size in bytes when the reader was opened. */
  readonly size: number;
  /**
   * Up to `length` bytes from `offset`; shorter at the end, empty when nothing is there. They may be a view that holds
   * only while the reader is open.
   * @param room at least `length` bytes that may be used for the answer, so that a long scan needs no more memory
   */
  read(offset: number, length: number, room?: Uint8Array): Uint8Array;
}

/** A reader over bytes in memory. */
export function bytesReader(bytes: Uint8Array): ByteReader {
  return {
    size: bytes.length,
    read(offset, length) {
      if (!(offset >= 0) || !(length > 0)) return new Uint8Array(0);
      return bytes.subarray(offset, Math.min(bytes.length, offset + length));
    },
  };
}
