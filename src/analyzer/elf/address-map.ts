// Virtual addresses to file offsets, by the loaded segments: the only mapping that the kernel uses too.
import type { ElfSegment } from "./table-entries.ts";

export class AddressMap {
  readonly #loaded: readonly ElfSegment[];
  readonly #fileSize: number;

  constructor(segments: readonly ElfSegment[], fileSize: number) {
    this.#loaded = segments.filter((segment) => segment.type === "load");
    this.#fileSize = fileSize;
  }

  /** The loaded segment that holds this address in its file part. */
  segmentOf(address: bigint): ElfSegment | null {
    const holds = ({ address: start, fileSize }: ElfSegment) =>
      address >= start && address < start + BigInt(fileSize);
    return this.#loaded.find(holds) ?? null;
  }

  fileOffsetOf(address: bigint): number | null {
    const segment = this.segmentOf(address);
    if (segment === null) return null;
    const fileOffset = segment.fileOffset + Number(address - segment.address);
    return fileOffset < this.#fileSize ? fileOffset : null;
  }
}
