// What `report --measure` shows while it watches: a line on standard error, and an early end by Ctrl-C that still gives
// the report.
import { measure, type MeasureProgress } from "../capture/measure.ts";
import type { CoverageReport } from "../../protocol/coverage.ts";
import type { Scanner } from "../scan.ts";

/** Rejects with TracerUnavailable when rights or kernel support are missing. */
export async function measureFromTerminal(
  report: CoverageReport,
  scanner: Scanner,
  durationMs: number,
): Promise<CoverageReport> {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    interrupted.abort();
  };
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  const line = new ProgressLine(durationMs);
  try {
    const { signal } = interrupted;
    const measured = await measure(report, {
      scanner,
      durationMs,
      signal,
      onProgress: (progress) => {
        line.show(progress);
      },
    });
    line.end(measured.lostRecords);
    return measured.report;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

/** One line that counts down on a terminal; elsewhere it is written once. */
class ProgressLine {
  readonly #durationMs: number;
  #last = "";

  constructor(durationMs: number) {
    this.#durationMs = durationMs;
  }

  show({ watched, confirmed, leftMs }: MeasureProgress): void {
    const animated = process.stderr.isTTY;
    if (watched === 0) {
      this.#write(animated, "Attaching the probes…");
      return;
    }
    const what = `Measuring ${watched} process${watched === 1 ? "" : "es"}`;
    const seconds = Math.ceil((animated ? leftMs : this.#durationMs) / 1000);
    const seen = animated ? `, ${confirmed} confirmed` : "";
    this.#write(animated, `${what} for ${seconds} s${animated ? " more" : ""}${seen}; Ctrl-C ends it early`);
  }

  end(lostRecords: number): void {
    if (process.stderr.isTTY && this.#last !== "") process.stderr.write("\r\u001b[K");
    if (lostRecords > 0) {
      process.stderr.write(
        `${lostRecords} records were lost: the bytes measured are fewer than those that passed\n`,
      );
    }
    if (this.#last === "") process.stderr.write("Nothing to measure: no process was found\n");
  }

  #write(animated: boolean, text: string): void {
    if (text === this.#last) return;
    this.#last = text;
    process.stderr.write(animated ? `\r\u001b[K${text}` : `${text}\n`);
  }
}
