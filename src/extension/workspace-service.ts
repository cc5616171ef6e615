// The workspace's service: the processes that were started from its folders, or that are being debugged, and how much of
// their TLS can be traced, in words. Pure.
import { basename } from "node:path";
import type { CoverageReport, ProcessReport } from "../protocol/coverage.ts";
import { isOfWorkspace } from "./coverage-model.ts";
import { isTracedInPart } from "./probe-reach.ts";

export interface WorkspaceFacts {
  /** Absolute paths of the workspace's folders. */
  folders: readonly string[];
  debuggedPids: ReadonlySet<number>;
  /** Where the editor and its extensions are: language servers run in the workspace, and are not its service. */
  editorFolders: readonly string[];
}

/** The part of a report that is about the workspace's service; `skipped` of others is left out. */
export function serviceReport(report: CoverageReport, facts: WorkspaceFacts): CoverageReport {
  return {
    ...report,
    processes: report.processes.filter((process) => ownerOf(process, facts) === "workspace"),
    skipped: report.skipped.filter(({ pid }) => facts.debuggedPids.has(pid)),
  };
}

/** Whose a process is: the workspace's service, the editor with its extensions, or neither's. */
export function ownerOf(
  process: ProcessReport,
  { folders, debuggedPids, editorFolders }: WorkspaceFacts,
): "workspace" | "editor" | "other" {
  if (debuggedPids.has(process.pid)) return "workspace";
  if (isOfEditor(process, editorFolders)) return "editor";
  return isOfWorkspace(process, folders) ? "workspace" : "other";
}

function isOfEditor({ arguments: words }: ProcessReport, editorFolders: readonly string[]): boolean {
  return words.some((word) => editorFolders.some((folder) => word.startsWith(`${folder}/`)));
}

export interface ServiceFigure {
  /** Processes that carry TLS, or may. */
  withTls: number;
  traceable: number;
  /** Of the others, those of whose TLS probes show a part. */
  inPart: number;
}

export function serviceFigure({ processes }: CoverageReport): ServiceFigure {
  const withTls = processes.filter(({ verdict }) => verdict !== "no-tls");
  return {
    withTls: withTls.length,
    traceable: withTls.filter(({ verdict }) => verdict === "traceable").length,
    inPart: withTls.filter(isTracedInPart).length,
  };
}

/** One sentence for the view's head; empty where there is no process, which the view says in its own way. */
export function serviceSentence(
  { processes, ...report }: CoverageReport,
  folders: readonly string[],
): string {
  if (processes.length === 0) return "";
  const name = folders.map((folder) => basename(folder)).join(", ") || "the debugged program";
  const { withTls, traceable, inPart } = serviceFigure({ processes, ...report });
  const all = processes.length === 1 ? "its process" : `its ${processes.length} processes`;
  if (withTls === 0) return `${name}: no TLS in ${all} yet; look again once it has spoken`;
  const carriers = withTls === 1 ? "1 process" : `${withTls} processes`;
  if (withTls === 1 && inPart === 1) return `${name}: ${carriers} with TLS, a part of it can be traced`;
  const share = withTls === traceable ? (withTls === 1 ? "it" : "all") : `${traceable || "none"}`;
  const part = inPart === 0 ? "" : `, ${inPart} in part`;
  return `${name}: ${carriers} with TLS, ${share} can be traced${part}`;
}

export interface FigureText {
  text: string;
  tooltip: string;
  accessibleLabel: string;
}

/** What the status bar says of the service; null without TLS. */
export function figureText({ withTls, traceable, inPart }: ServiceFigure): FigureText | null {
  if (withTls === 0) return null;
  const of = `${traceable} of ${withTls} ${withTls === 1 ? "process" : "processes"} with TLS`;
  const part = inPart === 0 ? "" : `, ${inPart} in part`;
  return {
    text: `$(shield) TLS ${traceable}/${withTls}`,
    tooltip: `Of this workspace's service ${of} can be traced${part}. Select to see which.`,
    accessibleLabel: `TLS coverage of this workspace: ${of} can be traced${part}`,
  };
}
