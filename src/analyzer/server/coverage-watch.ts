// Scans again while an editor looks: only when processes came, went or loaded other code, and never so often that
// looking and scanning cost more than a small part of a processor.
import { HostChanges } from "../processes/host-changes.ts";

export interface CoverageWatchOptions {
  /** Scans the host by {@link CoverageWatch.scanned} and sends the result. */
  scan(): void;
  /** Names what is there now; a different answer is a reason to scan. Defaults to {@link HostChanges}. */
  fingerprint?: () => string;
  intervalMs: number;
}

/** A scan may take a twentieth of the time between scans. */
const scanFactor = 20;
/** A look, which is taken whether or not anything happens, a two-hundredth. */
const lookFactor = 200;

export class CoverageWatch {
  readonly #options: CoverageWatchOptions;
  readonly #fingerprint: () => string;
  #seen = "";
  #scanMs = 0;
  #lookMs = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: CoverageWatchOptions) {
    this.#options = options;
    const changes = new HostChanges();
    this.#fingerprint = options.fingerprint ?? (() => changes.fingerprint());
  }

  /** Makes a whole scan, and notes what was there when it began and what it cost. */
  scanned<T>(scan: () => T): T {
    // Before the scan: what a process loads while it runs is a change to the next look.
    this.#seen = this.#fingerprint();
    const startedMs = performance.now();
    const result = scan();
    this.#scanMs = performance.now() - startedMs;
    return result;
  }

  start(): void {
    if (!this.#timer) this.#schedule();
  }

  stop(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #schedule(): void {
    const { intervalMs } = this.#options;
    const delayMs = Math.max(intervalMs, this.#scanMs * scanFactor, this.#lookMs * lookFactor);
    this.#timer = setTimeout(() => {
      if (this.#hasChanged()) this.#options.scan();
      this.#schedule();
    }, delayMs);
  }

  #hasChanged(): boolean {
    const startedMs = performance.now();
    const now = this.#fingerprint();
    this.#lookMs = performance.now() - startedMs;
    return now !== this.#seen;
  }
}
