// The processes of the HTML report as a table that is complete by itself. The attributes `data-…` are what the page's
// script draws, sorts and filters by: webview/report/rows.ts reads them.
import type { ProcessReport } from "../../protocol/coverage.ts";
import { escapeHtml, icon, list } from "./html-text.ts";
import {
  basisInShort,
  byVerdict,
  capital,
  processTitle,
  readableTime,
  reasonInFull,
  stackInFull,
  stacksInShort,
  withoutTls,
} from "./wording.ts";

const columns = ["Verdict", "Process", "PID", "Class", "Stack", "Path", "Why"];

export function processSection(processes: readonly ProcessReport[]): string {
  const shown = byVerdict(processes).flatMap(({ members }) => members);
  if (shown.length === 0) return "";
  const heads = columns.map((title) => `<th scope="col" class="${title.toLowerCase()}">${title}</th>`);
  return `<section aria-labelledby="processes">
<h2 id="processes">Processes with TLS <span class="quiet">${shown.length}</span></h2>
<table id="table">
<thead><tr>${heads.join("")}</tr></thead>
<tbody>
${shown.map(row).join("\n")}
</tbody>
</table>
</section>`;
}

function row(process: ProcessReport, index: number): string {
  const { pid, verdict, path } = process;
  const title = processTitle(process);
  const data = [
    ["verdict", verdict],
    ["rank", String(index)],
    ["title", title],
    ["group", groupOf(process)],
    ["basis", basisInShort(process)],
  ].map(([name = "", value = ""]) => `data-${name}="${escapeHtml(value)}"`);
  return `<tr ${data.join(" ")}>
<td>${icon(verdict)} <b>${verdict}</b><span class="basis">${basisInShort(process)}</span></td>
<th scope="row">${escapeHtml(title)}${place(process)}</th>
<td data-label="PID">${pid}</td>
<td data-label="Class">${process.class}</td>
<td data-label="Stack">${escapeHtml(stacksInShort(process))}</td>
<td data-label="Path">${path}</td>
<td>${escapeHtml(capital(reasonInFull(process)))}${evidence(process)}</td>
</tr>`;
}

/** Where the picture puts it, below the host. */
function groupOf({ service, container, user }: ProcessReport): string {
  if (container !== null) return `container ${container.slice(0, 12)}`;
  return service ?? (user === null ? "no service" : `user ${user}`);
}

function place({ service, container, user }: ProcessReport): string {
  const parts = [service, container === null ? null : `container ${container.slice(0, 12)}`, user];
  const known = parts.filter((part) => part !== null);
  return known.length === 0 ? "" : `<span class="place">${escapeHtml(known.join(" · "))}</span>`;
}

function evidence(process: ProcessReport): string {
  const facts: [string, string][] = [["Command line", process.arguments.join(" ")]];
  if (process.executable !== null) facts.push(["Executable", process.executable]);
  if (process.startedAt !== null) facts.push(["Started", readableTime(process.startedAt)]);
  const stacks = process.stacks.map(
    (stack) => `<p>${escapeHtml(stackInFull(stack))}</p>${list(stack.evidence)}`,
  );
  const probes = process.probes.map((probe) => `${probe.function} at ${probe.offset} in ${probe.file}`);
  return `<details><summary>Evidence</summary>
<dl>${facts.map(([name, value]) => `<dt>${name}</dt><dd>${escapeHtml(value)}</dd>`).join("")}</dl>
${stacks.join("\n")}
${probes.length === 0 ? "" : `<p>Probes</p>${list(probes)}`}</details>`;
}

export function withoutTlsSection(processes: readonly ProcessReport[]): string {
  const none = withoutTls(processes);
  if (none.length === 0) return "";
  const rows = none.map(
    (process) =>
      `<tr><th scope="row">${escapeHtml(processTitle(process))}${place(process)}</th><td data-label="PID">${process.pid}</td><td>${escapeHtml(capital(process.reason.text))}</td></tr>`,
  );
  return `<section><details class="block"><summary><h2>Without TLS <span class="quiet">${none.length}</span></h2></summary>
<table class="plain"><thead><tr><th scope="col" class="process">Process</th><th scope="col" class="pid">PID</th><th scope="col">Why</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table></details></section>`;
}
