// Collects one body: counts every byte and keeps the first ones, up to a limit. Decoding is left to body-view.ts.
import type { ParsedBody } from "./parsed.ts";
import { GrowingBytes } from "./growing-bytes.ts";

export class BodyBuffer {
  readonly #limit: number;
  readonly #kept = new GrowingBytes();
  #size = 0;
  #holed = false;
  #ended = false;

  /** @param limit bytes kept at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  add(bytes: Uint8Array): void {
    this.#size += bytes.length;
    const room = this.#limit - this.#kept.length;
    if (room > 0 && !this.#holed) this.#kept.append(bytes.length > room ? bytes.subarray(0, room) : bytes);
  }

  /** `byteCount` bytes of the body were lost (null: nobody knows how many). What follows is counted, not kept. */
  lose(byteCount: number | null): void {
    this.#size += byteCount ?? 0;
    this.#holed = true;
  }

  /** The body's last byte was seen. */
  end(): void {
    this.#ended = true;
  }

  get complete(): boolean {
    return this.#ended && !this.#holed;
  }

  /** What is known now, unchanged by what comes later. */
  snapshot(): ParsedBody {
    return { size: this.#size, kept: this.#kept.copy(), complete: this.complete };
  }
}
