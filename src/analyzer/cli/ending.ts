// When a trace ends: at a signal, after its duration, with its command or its processes, or when its reader goes away.
import { setTimeout as sleep } from "node:timers/promises";
import type { Problem } from "../../protocol/editor.ts";

/** When the trace ends, whatever comes first, and what to say then. */
export class Ending {
  readonly reached: Promise<string | null>;
  problem: Problem | null = null;
  /**
   * A signal asked for the end. A terminal sends Ctrl-C to the tracer as well, which does not hold out against it before
   * it is open: that it cannot be had is then no failure.
   */
  isAsked = false;
  #resolve: (how: string | null) => void = () => undefined;
  #exitEnds = false;

  constructor() {
    this.reached = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.once(signal, () => {
        this.isAsked = true;
        this.#resolve(null);
      });
    }
    // A reader of our output that has seen enough ends the trace, not just the printing.
    process.stdout.once("close", () => {
      this.#resolve(null);
    });
  }

  after(durationMs: number): void {
    void sleep(durationMs, undefined, { ref: true }).then(() => {
      this.#resolve(null);
    });
  }

  /** Records of the command's last moments are still on their way; closing the session waits for them. */
  commandEnded(how: string): void {
    this.#resolve(how);
  }

  nothingToTrace(): void {
    this.#resolve("nothing to trace");
  }

  waitForProcesses(later: boolean): void {
    this.#exitEnds = !later;
  }

  processExited(left: number): void {
    if (this.#exitEnds && left === 0) this.#resolve("all traced processes have ended");
  }

  tracerEnded(problem: Problem): void {
    if (!this.isAsked) this.problem = problem;
    this.#resolve(null);
  }
}
