// The coverage as GitHub-flavoured Markdown, for a pull request or a wiki.
import type { CoverageReport, ProcessReport } from "../../protocol/coverage.ts";
import { evidenceByFile } from "./evidence.ts";
import {
  basisInShort,
  basisOfReport,
  byVerdict,
  capital,
  headline,
  networkSentence,
  otherCounts,
  processTitle,
  reasonInFull,
  skippedByReason,
  stackName,
  stacksInShort,
  tlsVerdicts,
  withoutTls,
} from "./wording.ts";

/** Text that Markdown takes as text, on one line: names and paths come from strangers. */
export function escapeMarkdown(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- control characters are what is taken out here
      .replace(/[\u0000-\u001f\u007f]+/g, " ")
      .replace(/[\\`*[\]<>#|~@&]|_(?![a-z0-9])|(?<![a-z0-9])_/gi, "\\$&")
      // A bare link would be made clickable.
      .replace(/:\/\//g, ":\\//")
  );
}

export function markdownReport(report: CoverageReport): string {
  const { host, generatedAt, summary } = report;
  const counts = [...otherCounts(summary), `${withoutTls(report.processes).length} without TLS`];
  const blocks = [
    "# TLS coverage",
    `**${capital(headline(report))}** · ${counts.join(" · ")}`,
    `${escapeMarkdown(host.hostname)}, Linux ${escapeMarkdown(host.kernel)}, ${escapeMarkdown(host.arch)}, ${generatedAt}`,
    `${escapeMarkdown([basisOfReport(report), networkSentence(report)].filter((text) => text !== null).join(". "))}.`,
    processTable(report.processes),
    meanings(report.processes),
    evidence(report.processes),
    skipped(report),
  ];
  return `${blocks.filter((block) => block !== "").join("\n\n")}\n`;
}

/** Processes of which all the same is said share a row. */
function processTable(processes: readonly ProcessReport[]): string {
  const alike = new Map<string, { process: ProcessReport; why: string; pids: number[] }>();
  for (const process of byVerdict(processes).flatMap(({ members }) => members)) {
    const why = reasonInFull(process);
    const said = [basisInShort(process), processTitle(process), process.class, stacksInShort(process), why];
    const key = JSON.stringify([process.verdict, process.path, ...said]);
    const known = alike.get(key);
    if (known === undefined) alike.set(key, { process, why, pids: [process.pid] });
    else known.pids.push(process.pid);
  }
  const rows = [...alike.values()].map(({ process, why, pids }) => {
    const cells = [
      `${process.verdict} (${basisInShort(process)})`,
      shortList(pids),
      pids.length === 1 ? processTitle(process) : `${processTitle(process)} ×${pids.length}`,
      process.class,
      stacksInShort(process),
      process.path,
      why,
    ];
    return `| ${cells.map(escapeMarkdown).join(" | ")} |`;
  });
  if (rows.length === 0) return "";
  const head = ["Verdict", "PID", "Process", "Class", "Stack", "Path", "Reason"];
  return [`| ${head.join(" | ")} |`, `|${" --- |".repeat(head.length)}`, ...rows].join("\n");
}

/** The evidence below the table lists all that have a stack. */
function shortList(pids: readonly number[]): string {
  const most = 4;
  const first = pids.slice(0, most).join(", ");
  return pids.length > most ? `${first} and ${pids.length - most} more` : first;
}

function meanings(processes: readonly ProcessReport[]): string {
  return tlsVerdicts
    .filter(({ verdict }) => processes.some((process) => process.verdict === verdict))
    .map(({ verdict, meaning }) => `*${verdict}*: ${meaning}`)
    .join(" · ");
}

/** Each file once, with the processes that have it. */
function evidence(processes: readonly ProcessReport[]): string {
  const files = evidenceByFile(processes);
  if (files.length === 0) return "";
  const items = files.map(({ stack, processes: having }) => {
    const name = [stackName(stack), stack.file, stack.buildId].filter((part) => part !== null).join(", ");
    const head = `- ${escapeMarkdown(name)} (${having.map(({ pid }) => pid).join(", ")})`;
    return [head, ...stack.evidence.map((line) => `  - ${escapeMarkdown(line)}`)].join("\n");
  });
  return ["<details><summary>Evidence</summary>", "", ...items, "", "</details>"].join("\n");
}

function skipped(report: CoverageReport): string {
  const items = skippedByReason(report.skipped).map(
    ({ text, pids }) => `- ${pids.join(", ")}: ${escapeMarkdown(text)}`,
  );
  return items.length === 0 ? "" : ["Skipped:", "", ...items].join("\n");
}
