// The gate of `--fail-under`: whether a report, predicted or measured, has enough of its TLS traceable, and what has not.
import type { CoverageReport, ProcessReport } from "../../protocol/coverage.ts";
import { coveredPercent } from "../coverage/summary.ts";
import { processTitle, reasonInFull, skippedByReason } from "../report/wording.ts";

/**
 * What falls short, as lines; none when the gate is met. A gate that found nothing to judge is not met. A process that
 * stayed silent in a measuring is not traceable, and one that was not exercised is what was predicted of it.
 */
export function shortfall(report: CoverageReport, leastPercent: number): string[] {
  const { summary, processes, skipped } = report;
  const percent = coveredPercent(summary);
  if (percent !== null && percent >= leastPercent) return [];
  const short = processes.filter(({ verdict }) => !["traceable", "no-tls"].includes(verdict));
  const lines =
    percent === null
      ? [`no process with TLS was found, so ${leastPercent} % of them cannot be traceable`]
      : [
          `${Math.floor(percent * 10) / 10} % of the processes with TLS are traceable, which is under ${leastPercent} %`,
          ...wantOfProbes(report, short),
          ...short.map(
            (it) => `  ${it.pid} ${processTitle(it)}: ${it.verdict} (${it.basis}), ${reasonInFull(it)}`,
          ),
        ];
  for (const { text, pids } of skippedByReason(skipped)) {
    const which = pids.length > 3 ? `${pids.length} processes` : pids.join(", ");
    lines.push(`  not counted, for ${pids.length === 1 ? "it was" : "they were"} skipped: ${which}: ${text}`);
  }
  return lines;
}

/** Where it is this host, or whoever asks, that falls short rather than the processes. */
function wantOfProbes({ host }: CoverageReport, short: readonly ProcessReport[]): string[] {
  const { uprobe } = host.paths;
  const count = short.filter(({ reason }) => reason.code === "uprobe-unavailable").length;
  if (uprobe.available || count === 0) return [];
  return [
    `  ${count} of these would be traceable where probes are possible, but here they are not: ${uprobe.reason}`,
  ];
}
