// The coverage as one self-contained HTML page, complete without its script: the script only draws the picture and lets
// the table be sorted and filtered. Nothing comes from the network; the style sheet and the script are allowed by hash.
import { createHash } from "node:crypto";
import type { CoverageReport, HostReport } from "../../protocol/coverage.ts";
import { summarySection } from "./html-summary.ts";
import { paperSection } from "./html-paper.ts";
import { processSection, withoutTlsSection } from "./html-table.ts";
import { escapeHtml, list } from "./html-text.ts";
import { readableTime, skippedByReason, states } from "./wording.ts";

/** What webview/report/ is built into. */
export interface PageAssets {
  script: string;
  style: string;
}

export function htmlReport(report: CoverageReport, assets: PageAssets): string {
  const { host, generatedAt, processes } = report;
  const title = `TLS coverage of ${escapeHtml(host.hostname)}`;
  const [script, style] = [safeScript(assets.script), assets.style];
  const policy = `default-src 'none'; style-src '${hashOf(style)}'; script-src '${hashOf(script)}'`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>${title}</title>
<style>${style}</style>
</head>
<body data-host="${escapeHtml(host.hostname)}">
<header>
<h1>${title}</h1>
<p class="where">Linux ${escapeHtml(host.kernel)} · ${escapeHtml(host.arch)} · <time datetime="${escapeHtml(generatedAt)}">${escapeHtml(readableTime(generatedAt))}</time></p>
</header>
<main>
${summarySection(report)}
<div id="picture"></div>
${processSection(processes)}
${withoutTlsSection(processes)}
${paperSection(processes)}
${skippedSection(report)}
${pathsSection(host.paths)}
</main>
<footer>${basisLegend}</footer>
<script>${script}</script>
</body>
</html>
`;
}

const basisLegend = [
  "Plainsight",
  "<b>predicted</b>: told from symbols",
  "<b>measured</b>: told by what was seen",
  ...Object.values(states).map(({ name, meaning }) => `<b>${name}</b>: ${meaning}`),
].join(" · ");

/** A bundle that had `</script` or `<!--` in a string would end or change the element (HTML, 4.12.1.3). */
function safeScript(script: string): string {
  return script.replace(/<(?=\/script|!--|script)/gi, "\\x3C");
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
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
