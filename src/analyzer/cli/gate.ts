// The gate of `--fail-under`: whether a report, predicted or measured, has enough of its TLS traceable, and what has not.
import type { CoverageReport } from "../../protocol/coverage.ts";
import { coveredPercent } from "../coverage/summary.ts";
import { processTitle } from "../report/wording.ts";

/**
 * What falls short, as lines; none when the gate is met. A gate that found nothing to judge is not met. A process that
 * stayed silent in a measuring is not traceable, and one that was not exercised is what was predicted of it.
 */
export function shortfall({ summary, processes, skipped }: CoverageReport, leastPercent: number): string[] {
  const percent = coveredPercent(summary);
  if (percent !== null && percent >= leastPercent) return [];
  const short = processes.filter(({ verdict }) => !["traceable", "no-tls"].includes(verdict));
  const lines =
    percent === null
      ? [`no process with TLS was found, so ${leastPercent} % of them cannot be traceable`]
      : [
          `${Math.floor(percent * 10) / 10} % of the processes with TLS is traceable, which is under ${leastPercent} %`,
          ...short.map(
            (it) => `  ${it.pid} ${processTitle(it)}: ${it.verdict} (${it.basis}), ${it.reason.text}`,
          ),
        ];
  if (skipped.length > 0) lines.push(`  ${skipped.length} skipped`);
  return lines;
}
