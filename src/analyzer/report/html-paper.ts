// What the HTML report says on paper only, where nothing can be unfolded: the evidence of each file once, and the command
// lines. On the screen both are in the rows of the table.
import type { ProcessReport } from "../../protocol/coverage.ts";
import { evidenceByFile, type FileEvidence } from "./evidence.ts";
import { escapeHtml, list } from "./html-text.ts";
import { byVerdict, processTitle, readableTime, stackInFull } from "./wording.ts";

export function paperSection(processes: readonly ProcessReport[]): string {
  const shown = byVerdict(processes).flatMap(({ members }) => members);
  if (shown.length === 0) return "";
  const rows = shown.map(
    ({ pid, startedAt, executable, arguments: words }) =>
      `<tr><td>${pid}</td><td>${startedAt === null ? "" : escapeHtml(readableTime(startedAt))}</td><td>${escapeHtml(executable ?? "")}</td><td>${escapeHtml(words.join(" "))}</td></tr>`,
  );
  return `<div class="paper">
<section><h2>Evidence</h2>
${evidenceByFile(shown).map(fileEvidence).join("\n")}
</section>
<section><h2>Command lines</h2>
<table class="plain"><thead><tr><th scope="col" class="pid">PID</th><th scope="col" class="started">Started</th><th scope="col" class="executable">Executable</th><th scope="col">Command line</th></tr></thead><tbody>
${rows.join("\n")}
</tbody></table></section>
</div>`;
}

function fileEvidence({ stack, processes }: FileEvidence): string {
  const having = processes.map((process) => `${processTitle(process)} (${process.pid})`).join(", ");
  const probes = new Set(
    processes.flatMap((process) =>
      process.probes
        .filter(({ file }) => file === stack.file || file === stack.boundary)
        .map((probe) => `${probe.function} at ${probe.offset}`),
    ),
  );
  return `<div class="file"><h3>${escapeHtml(stackInFull(stack))}</h3>
<p>In ${escapeHtml(having)}</p>
${list(stack.evidence)}
${probes.size === 0 ? "" : `<p>Probes: ${escapeHtml([...probes].join(", "))}</p>`}</div>`;
}
