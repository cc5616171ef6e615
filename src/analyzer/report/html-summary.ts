// The first thing of the HTML report: how much can be read, as a sentence, a bar and a legend, and what was found silent.
import type { CoverageReport, ProcessReport, Verdict } from "../../protocol/coverage.ts";
import { escapeHtml, icon } from "./html-text.ts";
import {
  basisOfReport,
  byVerdict,
  capital,
  headline,
  networkSentence,
  processTitle,
  tlsVerdicts,
  withoutTls,
} from "./wording.ts";

export function summarySection(report: CoverageReport): string {
  const groups = byVerdict(report.processes);
  const legend = groups.map(
    ({ verdict, members }) =>
      `<li>${icon(verdict)} <b>${members.length}</b> ${verdict} <span class="quiet">${meaningOf(verdict)}</span></li>`,
  );
  const none = withoutTls(report.processes).length;
  return `<section class="summary" aria-label="Summary">
<p class="headline">${escapeHtml(capital(headline(report)))}</p>
<p class="quiet">${escapeHtml([basisOfReport(report), networkSentence(report)].filter((text) => text !== null).join(". "))}</p>
${bar(groups)}
<ul class="legend">${legend.join("")}<li>${icon("no-tls")} <b>${none}</b> without TLS</li></ul>
${findings(report.processes)}
</section>`;
}

/** Width of the bar in its own units. */
const barWidth = 1000;

/** A pattern for each verdict besides its colour; sizes are attributes, for the page allows no style but its sheet. */
function bar(groups: readonly { verdict: Verdict; members: readonly ProcessReport[] }[]): string {
  const all = groups.reduce((sum, { members }) => sum + members.length, 0);
  if (all === 0) return "";
  let x = 0;
  const parts = groups.map(({ verdict, members }) => {
    const width = (barWidth * members.length) / all;
    const at = `x="${x.toFixed(1)}" width="${Math.max(1, width - 4).toFixed(1)}" height="12"`;
    x += width;
    const title = `<title>${verdict}: ${members.length}</title>`;
    const pattern = patterns[verdict] === undefined ? "" : `<rect ${at} fill="url(#pattern-${verdict})"/>`;
    return `<g><rect class="fill ${verdict}" ${at}/>${pattern}${title}</g>`;
  });
  return `<svg class="bar" viewBox="0 0 ${barWidth} 12" preserveAspectRatio="none" aria-hidden="true"><defs>${definitions}</defs>${parts.join("")}</svg>`;
}

/** Drawn over the colour in the ground's; the traceable part stays plain. */
const patterns: Partial<Record<Verdict, string>> = {
  proxy: '<path d="M0 0L12 12"/>',
  metadata: '<path d="M0 6H12"/>',
  dark: '<path d="M0 0L12 12M12 0L0 12"/>',
  unknown: '<path d="M6 0V12"/>',
};
const definitions = Object.entries(patterns)
  .map(
    ([verdict, path]) =>
      `<pattern id="pattern-${verdict}" class="hatch" width="12" height="12" patternUnits="userSpaceOnUse">${path}</pattern>`,
  )
  .join("");

/** A silent process is a finding of its own: symbols promised what was not kept. */
function findings(processes: readonly ProcessReport[]): string {
  const silent = processes.filter(({ measured }) => measured?.state === "silent");
  if (silent.length === 0) return "";
  const items = silent.map(
    (process) =>
      `<li><b>${escapeHtml(processTitle(process))}</b> ${process.pid}: ${escapeHtml(process.reason.text)}</li>`,
  );
  return `<div class="findings"><h2>${silent.length === 1 ? "A silent process" : `${silent.length} silent processes`}</h2><ul>${items.join("")}</ul></div>`;
}

export function meaningOf(verdict: Verdict): string {
  return tlsVerdicts.find((known) => known.verdict === verdict)?.meaning ?? "";
}
