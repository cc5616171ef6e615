// Looks at the host again and again while an editor shows it, and has scanned what came, went or loaded other code; never
// so often that it costs more than a small part of a processor.
import { HostChanges } from "../processes/host-changes.ts";

export interface CoverageWatchOptions {
  /** Scans these processes, of which there is at least one, and sends the result. */
  scan(changed: ReadonlySet<number>): void;
  /** Names the processes that changed since it was last asked. Defaults to {@link HostChanges}. */
  look?: () => ReadonlySet<number>;
  intervalMs: number;
}

/** A look and the scan that it led to may take a hundredth of the time to the next look. */
const costFactor = 100;

export class CoverageWatch {
  readonly #options: CoverageWatchOptions;
  readonly #look: () => ReadonlySet<number>;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: CoverageWatchOptions) {
    this.#options = options;
    const changes = new HostChanges();
    this.#look = options.look ?? (() => changes.look());
  }

  /** Notes that the whole host is about to be scanned: what changes from now on is news. */
  scanning(): void {
    this.#look();
  }

  start(): void {
    if (!this.#timer) this.#schedule(0);
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(costMs: number): void {
    const delayMs = Math.max(this.#options.intervalMs, costMs * costFactor);
    this.#timer = setTimeout(() => {
      const startedMs = performance.now();
      const changed = this.#look();
      if (changed.size > 0) this.#options.scan(changed);
      this.#schedule(performance.now() - startedMs);
    }, delayMs);
  }
}
