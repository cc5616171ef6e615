// Scans again while an editor looks: only when processes came or went, and never so often that it costs more than a
// small part of a processor.
import { readdirSync } from "node:fs";

export interface CoverageWatchOptions {
  /** Scans the host and sends the result. */
  scan(): void;
  /** Names what is there now; a different answer is a reason to scan. Defaults to the pids of /proc. */
  fingerprint?: () => string;
  intervalMs: number;
}

/** A scan may take a twentieth of the time between scans. */
const costFactor = 20;

export class CoverageWatch {
  readonly #options: CoverageWatchOptions;
  readonly #fingerprint: () => string;
  #seen = "";
  #costMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: CoverageWatchOptions) {
    this.#options = options;
    this.#fingerprint = options.fingerprint ?? pidsOfProc;
  }

  /** Notes that a whole scan has just been made and what it cost. */
  scanned(costMs: number): void {
    this.#costMs = costMs;
    this.#seen = this.#fingerprint();
  }

  start(): void {
    if (!this.#timer) this.#schedule();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(): void {
    const delayMs = Math.max(this.#options.intervalMs, this.#costMs * costFactor);
    this.#timer = setTimeout(() => {
      if (this.#fingerprint() !== this.#seen) this.#options.scan();
      this.#schedule();
    }, delayMs);
  }
}

function pidsOfProc(): string {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .join(" ");
}
