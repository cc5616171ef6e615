// Bounded reads of one open file, with a small cache of blocks: the analyzer asks for many small pieces of large
// files, and never for a whole one.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { BigIntStats } from "node:fs";
import type { ByteReader } from "../bytes.ts";

const blockBytes = 32 * 1024;
const cachedBlocks = 64;
/**
 * Blocks of readers that were closed, for the next ones. A scan opens some thousand files: without these, the memory
 * that it asked for would wait for the collector, which does not count it, and come back in pieces.
 */
const spareBlocks: Uint8Array[] = [];

/** What tells one state of one file from all others. */
export interface FileIdentity {
  /** `major:minor` in hex, as /proc/PID/maps prints it. */
  device: string;
  inode: number;
  size: number;
  modifiedNs: bigint;
}

/** A file that stays open until `close`, which ends what was read of it, too. A file that shrinks or fails while it is read ends early. */
export class FileReader implements ByteReader {
  readonly size: number;
  readonly identity: FileIdentity;
  readonly #descriptor: number;
  readonly #blocks = new Map<number, Uint8Array>();

  private constructor(descriptor: number, stats: BigIntStats) {
    this.#descriptor = descriptor;
    this.size = Number(stats.size);
    this.identity = {
      device: deviceName(stats.dev),
      inode: Number(stats.ino),
      size: this.size,
      modifiedNs: stats.mtimeNs,
    };
  }

  /** Throws the system's error when it cannot be opened, and an error of its own when it is no regular file. */
  static open(path: string): FileReader {
    // Without O_NONBLOCK, a path that has become a FIFO would wait for its writer.
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = fstatSync(descriptor, { bigint: true });
      if (!stats.isFile()) throw new Error(`open ${path}: not a regular file`);
      return new FileReader(descriptor, stats);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
  }

  read(offset: number, length: number, room?: Uint8Array): Uint8Array {
    if (!Number.isSafeInteger(offset) || offset < 0 || !(length > 0) || offset >= this.size) {
      return new Uint8Array(0);
    }
    const end = Math.min(this.size, offset + Math.floor(length));
    const first = Math.floor(offset / blockBytes);
    const last = Math.floor((end - 1) / blockBytes);
    if (last - first > 1) return this.#readDirectly(offset, end - offset, room);
    const head = this.#block(first).subarray(offset - first * blockBytes, end - first * blockBytes);
    if (first === last || head.length < blockBytes * last - offset) return head;
    return Buffer.concat([head, this.#block(last).subarray(0, end - last * blockBytes)]);
  }

  /** Whether the file was written to since it was opened; one that cannot be asked any more was. */
  get hasChanged(): boolean {
    try {
      const { size, mtimeNs } = fstatSync(this.#descriptor, { bigint: true });
      return Number(size) !== this.size || mtimeNs !== this.identity.modifiedNs;
    } catch {
      return true;
    }
  }

  close(): void {
    closeSync(this.#descriptor);
    for (const { buffer } of this.#blocks.values()) {
      if (spareBlocks.length < cachedBlocks) spareBlocks.push(new Uint8Array(buffer));
    }
    this.#blocks.clear();
  }

  #block(index: number): Uint8Array {
    const known = this.#blocks.get(index);
    if (known !== undefined) return known;
    const oldest = this.#blocks.keys().next();
    if (this.#blocks.size >= cachedBlocks && oldest.done !== true) this.#blocks.delete(oldest.value);
    const room = spareBlocks.pop() ?? new Uint8Array(blockBytes);
    const block = this.#readDirectly(index * blockBytes, blockBytes, room);
    this.#blocks.set(index, block);
    return block;
  }

  #readDirectly(offset: number, length: number, room?: Uint8Array): Uint8Array {
    const bytes = room === undefined || room.length < length ? new Uint8Array(length) : room;
    let filled = 0;
    try {
      while (filled < length) {
        const count = readSync(this.#descriptor, bytes, filled, length - filled, offset + filled);
        if (count === 0) break;
        filled += count;
      }
    } catch {
      // A medium that fails ends the file here: what needs more bytes says so as a problem of the file.
    }
    return bytes.subarray(0, filled);
  }
}

/** Null when it cannot be opened; the caller closes the reader. */
export function openIfThere(path: string): FileReader | null {
  try {
    return FileReader.open(path);
  } catch {
    return null;
  }
}

/** The encoding of new_encode_dev in linux/kdev_t.h, as stat(2) gives it, in the form /proc/PID/maps prints. */
function deviceName(device: bigint): string {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  return [major, minor].map((part) => part.toString(16).padStart(2, "0")).join(":");
}
