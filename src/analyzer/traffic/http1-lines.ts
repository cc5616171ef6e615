// Lines of HTTP/1 as they come, in any pieces, and the sections that they make: a head's fields, a body's trailers. What
// a line says is http1-head.ts's.
import type { Reason } from "../../protocol/coverage.ts";
import type { Header } from "../../protocol/traffic.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import { addHeaderLine, latin1 } from "./http1-head.ts";

/** The line that is being read. */
export class LineBuffer {
  readonly #bytes = new GrowingBytes();

  /** Of the line so far. */
  get length(): number {
    return this.#bytes.length;
  }

  /** Takes the bytes up to the first LF, and with it. Gives their number, and the line without its end if it has one. */
  add(bytes: Uint8Array): { byteCount: number; line: string | null } {
    const newline = bytes.indexOf(0x0a);
    const part = newline === -1 ? bytes : bytes.subarray(0, newline + 1);
    this.#bytes.append(part);
    return { byteCount: part.length, line: newline === -1 ? null : lineText(this.#bytes.take()) };
  }

  /** A copy that no later change reaches. */
  copy(): Uint8Array {
    return this.#bytes.copy();
  }

  clear(): void {
    this.#bytes.take();
  }

  /** Forgets all but the last bytes. */
  keepLast(byteCount: number): void {
    this.#bytes.keepLast(byteCount);
  }
}

/** A line without its LF or CRLF. */
function lineText(line: Uint8Array): string {
  let end = line.length - 1;
  while (end > 0 && line[end - 1] === 0x0d) end--;
  return latin1(line.subarray(0, end));
}

/** Bytes of one head, or of one trailer section. */
export const sectionLimit = 256 * 1024;
export const sectionTooLarge: Reason = {
  code: "head-too-large",
  text: "the head is larger than 256 KiB",
};

/** Field lines up to the empty one. */
export class FieldSection {
  readonly headers: Header[] = [];
  /** Some of its lines were no fields; they were left out. */
  malformed = false;
  #byteCount: number;

  /** @param byteCount of what precedes the fields and counts with them */
  constructor(byteCount = 0) {
    this.#byteCount = byteCount;
  }

  /** False when the section is too large to be one. */
  grow(byteCount: number): boolean {
    this.#byteCount += byteCount;
    return this.#byteCount <= sectionLimit;
  }

  /** False for a line that is no field. */
  add(line: string): boolean {
    const isField = addHeaderLine(this.headers, line);
    if (!isField) this.malformed = true;
    return isField;
  }
}
