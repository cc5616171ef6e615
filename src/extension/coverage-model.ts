// The Coverage tree as data: processes in groups by verdict, those of the workspace and those being traced first. Pure;
// coverage-view.ts shows it.
import type { CoverageReport, ProcessReport, Skipped, Verdict } from "../protocol/coverage.ts";
import type { Problem } from "../protocol/editor.ts";
import { problemSentences } from "./problem-text.ts";
import { canBeTraced } from "./probe-reach.ts";
import { accessibleLabel, processDescription, processLabel } from "./process-text.ts";
import { remedyOf } from "./remedies.ts";

/** A codicon and, where it says something, a theme colour. */
export interface ItemIcon {
  id: string;
  color?: string;
}

/**
 * What can be done about a process: `trace` by probes, of all its TLS or a part; `rights` and `proxy` would show what
 * probes do not, and `watch` tells whom it talks to.
 */
export type Offer = "stop" | "trace" | "rights" | "proxy" | "watch";

export interface ProcessItem {
  kind: "process";
  id: string;
  process: ProcessReport;
  label: string;
  description: string;
  icon: ItemIcon;
  /** What the menus of package.json ask. */
  offers: Offer[];
  accessibleLabel: string;
}

export interface SkippedItem {
  kind: "skipped";
  id: string;
  skipped: Skipped;
  label: string;
  description: string;
}

export interface CoverageGroup {
  kind: "group";
  id: string;
  label: string;
  /** The number of processes. */
  description: string;
  isExpanded: boolean;
  tooltip: string;
  items: (ProcessItem | SkippedItem)[];
}

/** What stands in the way of live traffic, above the groups. */
export interface ProblemItem {
  kind: "problem";
  id: "problem";
  label: string;
  description: string;
  tooltip: string;
}

/** What the tree shows at its top level. */
export type TopNode = ProblemItem | CoverageGroup;
export type CoverageNode = TopNode | ProcessItem | SkippedItem;

export interface CoverageModelInput {
  report: CoverageReport;
  tracedPids: ReadonlySet<number>;
  /** Whether a process is the workspace's. */
  isOwn: (process: ProcessReport) => boolean;
}

interface GroupStyle {
  label: string;
  icon: ItemIcon;
  tooltip: string;
}

/** In the order of the tree. */
const groups: Record<Verdict, GroupStyle> = {
  traceable: {
    label: "Traceable",
    icon: { id: "eye", color: "charts.green" },
    tooltip: "Their plaintext can be read as it is, with nothing to change",
  },
  proxy: {
    label: "Through the Proxy",
    icon: { id: "arrow-swap", color: "charts.blue" },
    tooltip: "Their plaintext can be read if you let it through the local proxy",
  },
  metadata: {
    label: "Metadata Only",
    icon: { id: "tag", color: "charts.yellow" },
    tooltip: "Only names and sizes can be seen",
  },
  dark: {
    label: "Dark",
    icon: { id: "eye-closed", color: "problemsWarningIcon.foreground" },
    tooltip: "Nothing of their TLS can be seen",
  },
  unknown: { label: "Unknown", icon: { id: "question" }, tooltip: "What they use could not be found out" },
  "no-tls": { label: "No TLS", icon: { id: "circle-outline" }, tooltip: "They carry no TLS stack" },
};

/** Codes of problems after which tracing can begin again at once. */
const endings: ReadonlySet<string> = new Set(["tracer-ended", "analyzer-ended"]);

/** The item for a problem. */
export function problemItem({ code, text, remedy }: Problem): ProblemItem {
  const label = endings.has(code) ? "Tracing has ended" : "Running processes cannot be traced";
  return {
    kind: "problem",
    id: "problem",
    label,
    description: text,
    tooltip: `${label}: ${problemSentences({ text, remedy })}`,
  };
}

/** Of a process with TLS whose plaintext probes do not show, or not all. */
const isUnseen: ReadonlySet<Verdict> = new Set(["proxy", "metadata", "dark"]);

const tracedIcon: ItemIcon = { id: "record", color: "charts.red" };

/** The groups that have a process, in order. */
export function coverageTree({ report, tracedPids, isOwn }: CoverageModelInput): CoverageGroup[] {
  const tree = (Object.entries(groups) as [Verdict, GroupStyle][]).map(([verdict, style]): CoverageGroup => {
    const members = report.processes
      .filter((process) => process.verdict === verdict)
      .sort((a, b) => rank(b) - rank(a) || a.command.localeCompare(b.command) || a.pid - b.pid);
    return {
      kind: "group",
      id: `group:${verdict}`,
      label: style.label,
      description: String(members.length),
      isExpanded: verdict !== "no-tls",
      tooltip: style.tooltip,
      items: members.map((process) => processItem(process, tracedPids.has(process.pid), report.host.paths)),
    };
  });
  tree.push({
    kind: "group",
    id: "group:skipped",
    label: "Skipped",
    description: String(report.skipped.length),
    isExpanded: false,
    tooltip: "These processes could not be looked at",
    items: report.skipped.map(skippedItem),
  });
  return tree.filter(({ items }) => items.length > 0);

  /** Traced first, then the workspace's own. */
  function rank(process: ProcessReport): number {
    return (tracedPids.has(process.pid) ? 2 : 0) + (isOwn(process) ? 1 : 0);
  }
}

/**
 * Brings the nodes that the editor shows to what `next` says, and gives those that changed; null when nodes came or
 * went. The objects stay: while the editor asks for all nodes anew, it cannot tell on which one the user clicks.
 */
export function renewTree(shown: TopNode[], next: TopNode[]): TopNode[] | null {
  const isSameLevel = shown.length === next.length && shown.every(({ id }, at) => id === next[at]?.id);
  if (!isSameLevel) return null;
  return shown.filter((node, at) => {
    if (JSON.stringify(node) === JSON.stringify(next[at])) return false;
    Object.assign(node, next[at]);
    return true;
  });
}

/** True when it runs a program or script of the workspace, or in it. A tool that was given the folder does not count. */
export function isOfWorkspace(process: ProcessReport, folders: readonly string[]): boolean {
  const { executable, workingDirectory } = process;
  const paths = [executable, workingDirectory, ...process.arguments];
  return folders.some(
    (folder) => workingDirectory === folder || paths.some((path) => path?.startsWith(`${folder}/`)),
  );
}

function processItem(
  process: ProcessReport,
  isTraced: boolean,
  paths: CoverageReport["host"]["paths"],
): ProcessItem {
  return {
    kind: "process",
    id: `process:${process.pid}:${process.startedAt ?? ""}`,
    process,
    label: processLabel(process),
    description: processDescription(process),
    icon: isTraced ? tracedIcon : groups[process.verdict].icon,
    offers: isTraced ? ["stop"] : offersOf(process, paths),
    accessibleLabel: accessibleLabel(process, isTraced),
  };
}

function offersOf(process: ProcessReport, { xdp }: CoverageReport["host"]["paths"]): Offer[] {
  const action = remedyOf(process)?.action ?? null;
  return [
    ...(canBeTraced(process) ? (["trace"] as const) : []),
    ...(action === null ? [] : [action]),
    // The proxy needs no rights, and its authority is not trusted by NSS.
    ...(action === "rights" && process.stacks[0]?.stack !== "nss" ? (["proxy"] as const) : []),
    ...(isUnseen.has(process.verdict) && xdp.available ? (["watch"] as const) : []),
  ];
}

function skippedItem(skipped: Skipped): SkippedItem {
  return {
    kind: "skipped",
    id: `skipped:${skipped.pid}`,
    skipped,
    label: String(skipped.pid),
    description: skipped.reason.text,
  };
}
