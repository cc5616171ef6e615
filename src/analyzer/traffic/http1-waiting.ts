// What was handed to one direction of a connection and is not read yet: a question waits for the answer before it.

/** Bytes, or a hole of `lost` bytes (null: an unknown number). */
export type Piece = { bytes: Uint8Array; atMs: number } | { lost: number | null; atMs: number };

/** What a waiting piece costs beside its bytes. */
const pieceCost = 64;

export class WaitingPieces {
  #pieces: Piece[] = [];
  #next = 0;
  #heldBytes = 0;

  /** About the memory that they take. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  get first(): Piece | undefined {
    return this.#pieces[this.#next];
  }

  push(piece: Piece): void {
    this.#pieces.push(piece);
    this.#heldBytes += pieceCost + ("bytes" in piece ? piece.bytes.length : 0);
  }

  /** Forgets the first bytes of the first piece, of a hole all of it. True when nothing of the piece is left. */
  drop(byteCount: number): boolean {
    const piece = this.first;
    if (piece === undefined) return false;
    if ("bytes" in piece) {
      this.#heldBytes -= byteCount;
      if (byteCount < piece.bytes.length) {
        this.#pieces[this.#next] = { bytes: piece.bytes.subarray(byteCount), atMs: piece.atMs };
        return false;
      }
    }
    this.#heldBytes -= pieceCost;
    this.#next++;
    if (this.#next === this.#pieces.length) {
      this.#pieces.length = 0;
      this.#next = 0;
    }
    return true;
  }

  /** All of them; none wait afterwards. */
  take(): Piece[] {
    const pieces = this.#pieces.slice(this.#next);
    this.#pieces = [];
    this.#next = 0;
    this.#heldBytes = 0;
    return pieces;
  }
}
