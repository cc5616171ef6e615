// The coverage of a host as a table that reads at a glance: processes with TLS by verdict, the others as a count.
import type { CoverageReport, ProcessReport, Verdict } from "../../protocol/coverage.ts";
import {
  basisOfReport,
  byVerdict,
  capital,
  headline,
  networkSentence,
  otherCounts,
  processTitle,
  reasonInFull,
  skippedByReason,
  stacksInShort,
  withoutTls,
} from "../report/wording.ts";
import { displayWidth, fit, painter, printable, wrap } from "./terminal.ts";
import type { Paint, Style, Terminal } from "./terminal.ts";

const looks: Readonly<Record<Verdict, { mark: string; style: Style }>> = {
  traceable: { mark: "●", style: "green" },
  proxy: { mark: "◐", style: "cyan" },
  metadata: { mark: "◔", style: "yellow" },
  dark: { mark: "○", style: "red" },
  unknown: { mark: "?", style: "magenta" },
  "no-tls": { mark: "·", style: "dim" },
};

/** The reason has a column of its own where this much is left for it, else it stands under what is not traceable. */
const narrowestReason = 40;
const gap = "  ";

interface Column {
  title: string;
  cell: (process: ProcessReport) => string;
  align?: "right";
  /** Takes what the others leave, and is cut when that is too little. */
  flexible?: true;
}

const columns: readonly Column[] = [
  { title: "VERDICT", cell: ({ verdict }) => `${looks[verdict].mark} ${verdict}` },
  { title: "PID", cell: ({ pid }) => String(pid), align: "right" },
  { title: "PROCESS", cell: processTitle, flexible: true },
  { title: "CLASS", cell: (process) => process.class },
  { title: "STACK", cell: stacksInShort },
  { title: "PATH", cell: ({ path }) => path },
];

/** Widest cell of the flexible column; longer names help nobody. */
const widestProcess = 32;
const narrowestProcess = 8;
/** The same beside a column of reasons, for which a name is not cut short. */
const narrowestBesides = 16;

export interface TableChoices {
  /** Lists the processes without TLS, too. */
  all: boolean;
}

/** Lines without a line end at the last. */
export function coverageTable(report: CoverageReport, terminal: Terminal, { all }: TableChoices): string {
  const paint = painter(terminal);
  const none = withoutTls(report.processes);
  const groups = byVerdict(report.processes).map(({ members }) => members);
  if (all && none.length > 0) groups.push(none);
  const blocks: string[][] = [];
  if (groups.length > 0) blocks.push(table(groups, terminal, paint));
  blocks.push(footer(report, all ? 0 : none.length, terminal, paint));
  return blocks.map((lines) => lines.join("\n")).join("\n\n");
}

function table(groups: readonly ProcessReport[][], terminal: Terminal, paint: Paint): string[] {
  const rows = groups.flat();
  const besides = columnWidths(rows, terminal.width - gap.length - narrowestReason, narrowestBesides);
  const left = terminal.width - besides.reduce((sum, width) => sum + width + gap.length, 0);
  const reasonWidth = left >= narrowestReason ? left : 0;
  const widths = reasonWidth > 0 ? besides : columnWidths(rows, terminal.width, narrowestProcess);
  const used = terminal.width - left;
  const head = columns.map(({ title, align }, index) => fit(title, widths[index] ?? 0, align));
  if (reasonWidth > 0) head.push("REASON");
  const indent = (widths[0] ?? 0) + gap.length;
  const body = groups.flatMap((members, index) => [
    ...(index === 0 ? [] : [""]),
    ...members.flatMap((process) => row(process, widths, { used, reasonWidth, indent }, terminal, paint)),
  ]);
  return [paint("dim", head.join(gap).trimEnd()), ...body];
}

interface Layout {
  /** Columns before the reason. */
  used: number;
  /** 0 when the reason stands under the row. */
  reasonWidth: number;
  /** Where it stands then. */
  indent: number;
}

function row(
  process: ProcessReport,
  widths: readonly number[],
  { used, reasonWidth, indent }: Layout,
  terminal: Terminal,
  paint: Paint,
): string[] {
  const { style } = looks[process.verdict];
  const cells = columns.map(({ cell, align, title }, index) => {
    const text = fit(printable(cell(process)), widths[index] ?? 0, align);
    if (title === "VERDICT") return paint(style, text);
    return title === "PROCESS" ? paint("bold", text) : text;
  });
  const reason = printable(reasonInFull(process));
  if (reasonWidth > 0) {
    const [first = "", ...rest] = wrap(reason, reasonWidth);
    const more = rest.map((line) => " ".repeat(used) + paint("dim", line));
    return [[...cells, paint("dim", first)].join(gap), ...more];
  }
  const line = cells.join(gap).trimEnd();
  if (process.verdict === "traceable" || process.verdict === "no-tls") return [line];
  const under = wrap(reason, Math.max(20, terminal.width - indent));
  return [line, ...under.map((text) => " ".repeat(indent) + paint("dim", text))];
}

/** @param available columns for all of them */
function columnWidths(rows: readonly ProcessReport[], available: number, narrowest: number): number[] {
  const widths = columns.map(({ title, cell, flexible }) => {
    const widest = Math.max(title.length, ...rows.map((process) => displayWidth(printable(cell(process)))));
    return flexible === true ? Math.min(widest, widestProcess) : widest;
  });
  const over = widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - available;
  const index = columns.findIndex(({ flexible }) => flexible === true);
  if (over > 0)
    widths[index] = Math.max(Math.min(narrowest, widths[index] ?? 0), (widths[index] ?? 0) - over);
  return widths;
}

function footer(report: CoverageReport, hidden: number, terminal: Terminal, paint: Paint): string[] {
  const lines: string[] = [paint("bold", capital(headline(report)))];
  const add = (text: string): void => {
    lines.push(...wrap(text, terminal.width).map((line) => paint("dim", line)));
  };
  const counts = otherCounts(report.summary);
  if (hidden > 0) counts.push(`${hidden} without TLS (--all lists ${hidden === 1 ? "it" : "them"})`);
  if (counts.length > 0) add(counts.join(" · "));
  for (const { text, pids } of skippedByReason(report.skipped)) {
    add(`${skippedTitle(pids)}: ${printable(text)}`);
  }
  const { uprobe } = report.host.paths;
  if (!uprobe.available) add(`No capture on this host: ${uprobe.reason}`);
  if (report.summary.withTls > 0) {
    const isMeasured = report.processes.some(({ measured }) => measured !== null);
    add(`${basisOfReport(report)}${isMeasured ? "" : " (plainsight report --measure does that)"}`);
    const network = networkSentence(report);
    if (network !== null) add(network);
  }
  const first = report.processes.find(({ verdict }) => verdict === "traceable");
  if (first !== undefined) add(`Watch one: plainsight trace --pid ${first.pid}`);
  return lines;
}

function skippedTitle(pids: readonly number[]): string {
  if (pids.length > 3) return `Skipped ${pids.length} processes`;
  return `Skipped process${pids.length === 1 ? "" : "es"} ${pids.join(", ")}`;
}
