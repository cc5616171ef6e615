// A reader over bytes that fails the test when it is asked for anything outside of them, and counts what it is asked.
import assert from "node:assert/strict";
import type { ByteReader } from "../../../src/analyzer/bytes.ts";

export interface WatchedReader extends ByteReader {
  reads: number;
  bytesRead: number;
}

export function watchedReader(bytes: Uint8Array): WatchedReader {
  return {
    size: bytes.length,
    reads: 0,
    bytesRead: 0,
    read(offset, length) {
      assert.ok(Number.isSafeInteger(offset) && offset >= 0, `offset ${offset} is no offset`);
      assert.ok(Number.isSafeInteger(length) && length > 0, `length ${length} is no length`);
      assert.ok(offset + length <= bytes.length, `${offset}+${length} is past the end (${bytes.length})`);
      this.reads++;
      this.bytesRead += length;
      return bytes.subarray(offset, offset + length);
    },
  };
}
