// The coverage as one self-contained HTML page: no script, nothing from the network, readable in light, dark and print.
import type { CoverageReport, HostReport, ProcessReport, Verdict } from "../../protocol/coverage.ts";
import { styleSheet } from "./html-style.ts";
import {
  byVerdict,
  capital,
  headline,
  processTitle,
  skippedByReason,
  stackName,
  stacksInShort,
  tlsVerdicts,
  withoutTls,
} from "./wording.ts";

/** For text and for attribute values in double quotes: names and paths come from strangers. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

export function htmlReport(report: CoverageReport): string {
  const { host, generatedAt } = report;
  const title = `TLS coverage of ${escapeHtml(host.hostname)}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${styleSheet}</style>
</head>
<body>
<header>
<h1>${title}</h1>
<p class="where">Linux ${escapeHtml(host.kernel)} · ${escapeHtml(host.arch)} · <time datetime="${escapeHtml(generatedAt)}">${escapeHtml(readableTime(generatedAt))}</time></p>
</header>
<main>
${summary(report)}
${byVerdict(report.processes)
  .map(({ verdict, members }) => verdictSection(verdict, members))
  .join("\n")}
${withoutTlsSection(withoutTls(report.processes))}
${skippedSection(report)}
${pathsSection(host.paths)}
</main>
<footer>Plainsight · predicted: told from symbols · measured: plaintext was really seen</footer>
</body>
</html>
`;
}

function summary({ processes, ...report }: CoverageReport): string {
  const groups = byVerdict(processes);
  const bar = groups.map(
    ({ verdict, members }) =>
      `<span class="${verdict}" style="flex-grow:${members.length}" title="${verdict}: ${members.length}"></span>`,
  );
  const legend = groups.map(
    ({ verdict, members }) =>
      `<li><span class="dot ${verdict}"></span><b>${members.length}</b> ${verdict} <span class="quiet">${meaningOf(verdict)}</span></li>`,
  );
  const none = withoutTls(processes).length;
  return `<section class="summary">
<p class="headline">${escapeHtml(capital(headline({ processes, ...report })))}</p>
${bar.length === 0 ? "" : `<div class="bar" aria-hidden="true">${bar.join("")}</div>`}
<ul class="legend">${legend.join("")}<li><span class="dot no-tls"></span><b>${none}</b> without TLS</li></ul>
</section>`;
}

function verdictSection(verdict: Verdict, members: readonly ProcessReport[]): string {
  return `<section>
<h2><span class="dot ${verdict}"></span>${capital(verdict)} <span class="quiet">${members.length} · ${meaningOf(verdict)}</span></h2>
<div class="wide"><table>
<thead><tr><th scope="col" class="number">PID</th><th scope="col" class="process">Process</th><th scope="col" class="class">Class</th><th scope="col" class="stack">Stack</th><th scope="col" class="path">Path</th><th scope="col">Why</th></tr></thead>
<tbody>
${members.map(row).join("\n")}
</tbody>
</table></div>
</section>`;
}

function row(process: ProcessReport): string {
  return `<tr>
<td class="number">${process.pid}</td>
<th scope="row">${escapeHtml(processTitle(process))}${place(process)}</th>
<td>${process.class}</td>
<td>${escapeHtml(stacksInShort(process))}</td>
<td>${process.path}</td>
<td>${escapeHtml(process.reason.text)} <span class="basis">${process.basis}</span>${measured(process)}${evidence(process)}</td>
</tr>`;
}

function place({ service, container, user }: ProcessReport): string {
  const parts = [service, container === null ? null : `container ${container.slice(0, 12)}`, user];
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? "" : `<span class="place">${escapeHtml(known.join(" · "))}</span>`;
}

function measured({ measured }: ProcessReport): string {
  if (measured === null) return "";
  const { decrypted, connections, bytes, state } = measured;
  return ` <span class="basis">${state}: ${decrypted} of ${connections} connections, ${bytes} bytes</span>`;
}

function evidence(process: ProcessReport): string {
  const facts: [string, string][] = [["Command line", process.arguments.join(" ")]];
  if (process.executable !== null) facts.push(["Executable", process.executable]);
  if (process.startedAt !== null) facts.push(["Started", readableTime(process.startedAt)]);
  const stacks = process.stacks.map((stack) => {
    const told = [
      stackName(stack),
      stack.linkage,
      stack.file,
      stack.buildId === null ? null : `build ${stack.buildId}`,
    ];
    return `<p>${escapeHtml(told.filter((part) => part !== null).join(" · "))}</p>${list(stack.evidence)}`;
  });
  const probes = process.probes.map((probe) => `${probe.function} at ${probe.offset} in ${probe.file}`);
  return `<details><summary>Evidence</summary>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join("")}</dl>
${stacks.join("\n")}
${probes.length === 0 ? "" : `<p>Probes</p>${list(probes)}`}</details>`;
}

function withoutTlsSection(processes: readonly ProcessReport[]): string {
  if (processes.length === 0) return "";
  const rows = processes.map(
    (process) =>
      `<tr><td class="number">${process.pid}</td><th scope="row">${escapeHtml(processTitle(process))}${place(process)}</th><td>${escapeHtml(process.reason.text)}</td></tr>`,
  );
  return `<section><details class="block"><summary><h2>Without TLS <span class="quiet">${processes.length}</span></h2></summary>
<div class="wide"><table><thead><tr><th scope="col" class="number">PID</th><th scope="col" class="process">Process</th><th scope="col">Why</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table></div></details></section>`;
}

function skippedSection({ skipped }: CoverageReport): string {
  const groups = skippedByReason(skipped);
  if (groups.length === 0) return "";
  const items = groups.map(({ text, pids }) => `${pids.join(", ")}: ${text}`);
  return `<section><h2>Skipped <span class="quiet">${groups.flatMap(({ pids }) => pids).length}</span></h2>${list(items)}</section>`;
}

function pathsSection(paths: HostReport["paths"]): string {
  const items = Object.entries(paths).map(([path, availability]) =>
    availability.available ? `${path}: available` : `${path}: ${availability.reason}`,
  );
  return `<section><h2>Paths on this host</h2>${list(items)}</section>`;
}

function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
}

function meaningOf(verdict: Verdict): string {
  return tlsVerdicts.find((known) => known.verdict === verdict)?.meaning ?? "";
}

/** `2026-01-31 12:00:00 UTC`, or the text itself when it is no such time. */
function readableTime(iso: string): string {
  return iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, "$1 $2 UTC");
}
