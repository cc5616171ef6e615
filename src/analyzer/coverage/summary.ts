// Counts a report, and says how much of its TLS can be read.
import type { CoverageSummary, ProcessReport } from "../../protocol/coverage.ts";

export function summarise(processes: readonly ProcessReport[]): CoverageSummary {
  const count = (...verdicts: ProcessReport["verdict"][]): number =>
    processes.filter(({ verdict }) => verdicts.includes(verdict)).length;
  return {
    processes: processes.length,
    withTls: count("traceable", "proxy", "metadata", "dark"),
    traceable: count("traceable"),
    proxy: count("proxy"),
    metadata: count("metadata"),
    dark: count("dark"),
    unknown: count("unknown"),
  };
}

/**
 * Traceable processes in percent of those that have TLS or may have it, or null when there is none: then there is
 * nothing of which a part could be covered.
 */
export function coveredPercent({ traceable, withTls, unknown }: CoverageSummary): number | null {
  const all = withTls + unknown;
  return all === 0 ? null : (100 * traceable) / all;
}
