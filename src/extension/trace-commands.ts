// Starting and stopping a trace by hand: from the tree, or by choosing in a list. A failure is told to the user, who
// asked for it.
import { commands, QuickPickItemKind, window, type QuickPickItem } from "vscode";
import type { ProcessReport, Skipped } from "../protocol/coverage.ts";
import { messageOf } from "./analyzer-link.ts";
import type { Analyzer } from "./analyzer.ts";
import type { CoverageNode } from "./coverage-model.ts";
import type { LiveTrafficPanel } from "./live-traffic-panel.ts";
import type { Obstacle } from "./obstacle.ts";
import { pickerSections } from "./process-picker.ts";
import { remedyOf } from "./remedies.ts";
import { readSettings } from "./settings.ts";
import type { WorkspaceFacts } from "./workspace-service.ts";

export interface TraceCommandsParts {
  analyzer: Analyzer;
  panel: LiveTrafficPanel;
  obstacle: Obstacle;
  facts: () => WorkspaceFacts;
}

export class TraceCommands {
  readonly #parts: TraceCommandsParts;
  readonly #chosenPids = new Set<number>();

  constructor(parts: TraceCommandsParts) {
    this.#parts = parts;
  }

  /** True for a process that the user chose to trace, so that a debug session does not stop it. */
  isChosen(pid: number): boolean {
    return this.#chosenPids.has(pid);
  }

  /** From now on `isChosen`. */
  choose(pid: number): void {
    this.#chosenPids.add(pid);
  }

  /** Traces the process of a tree node, else those that the user picks. */
  async trace(node: CoverageNode | undefined): Promise<void> {
    const { analyzer, panel, obstacle } = this.#parts;
    const { followChildren, openLiveTrafficOnTrace } = readSettings();
    try {
      const pids = node?.kind === "process" ? [node.process.pid] : await this.#pick();
      if (pids.length === 0) return;
      const { attached, skipped, problem } = await analyzer.startTrace({ pids, followChildren });
      for (const pid of attached) this.#chosenPids.add(pid);
      if (problem) await obstacle.show(problem);
      else if (skipped.length > 0) void window.showWarningMessage(skippedText(skipped));
      if (attached.length > 0 && openLiveTrafficOnTrace) panel.show({ takeFocus: false });
    } catch (error) {
      void window.showErrorMessage(`Plainsight: the trace could not start: ${messageOf(error)}`);
    }
  }

  /** Stops the process of a tree node, else one that the user picks of those being traced. */
  async stop(node: CoverageNode | undefined): Promise<void> {
    const pid = node?.kind === "process" ? node.process.pid : await this.#pickTraced();
    if (pid !== undefined) await this.#stop([pid]);
  }

  async stopAll(): Promise<void> {
    await this.#stop(this.#parts.analyzer.state.tracing.map(({ pid }) => pid));
  }

  async #stop(pids: number[]): Promise<void> {
    for (const pid of pids) this.#chosenPids.delete(pid);
    await this.#parts.analyzer.stopTrace({ pids });
  }

  async #pick(): Promise<number[]> {
    const { analyzer, obstacle, facts } = this.#parts;
    const traced = new Set(analyzer.state.tracing.map(({ pid }) => pid));
    const candidates = (await analyzer.scan()).processes.filter(({ pid }) => !traced.has(pid));
    const sections = pickerSections(candidates, facts());
    if (sections.length === 0) {
      if (obstacle.problem) await obstacle.show();
      else await sayNothingToTrace(candidates);
      return [];
    }
    const choices = sections.flatMap(({ title, choices }): (QuickPickItem & { pid?: number })[] => [
      { label: title, kind: QuickPickItemKind.Separator },
      ...choices,
    ]);
    const picked = await window.showQuickPick(choices, {
      title: "Trace Processes",
      placeHolder: "Choose the processes whose TLS traffic to show",
      canPickMany: true,
      matchOnDescription: true,
      matchOnDetail: true,
    });
    return (picked ?? []).flatMap(({ pid }) => (pid === undefined ? [] : [pid]));
  }

  async #pickTraced(): Promise<number | undefined> {
    const { tracing } = this.#parts.analyzer.state;
    const [only] = tracing;
    if (tracing.length <= 1) return only?.pid;
    const choices = tracing.map(({ pid, command }) => ({ label: command, description: String(pid), pid }));
    return (await window.showQuickPick(choices, { title: "Stop Tracing" }))?.pid;
  }
}

/** Where some would be seen through the proxy, that is offered. */
async function sayNothingToTrace(candidates: ProcessReport[]): Promise<void> {
  const text = "Plainsight: no other process can be traced now";
  const throughProxy = candidates.filter((process) => remedyOf(process)?.action === "proxy").length;
  if (throughProxy === 0) void window.showInformationMessage(`${text}.`);
  else {
    const title = "Trace Through the Proxy";
    const chosen = await window.showInformationMessage(
      `${text}; ${throughProxy} would be seen when started through the proxy.`,
      title,
    );
    if (chosen === title) await commands.executeCommand("plainsight.traceThroughProxy");
  }
}

function skippedText(skipped: Skipped[]): string {
  return `Plainsight: not traced: ${skipped.map(({ pid, reason }) => `${pid}: ${reason.text}`).join("; ")}`;
}

/** Keeps the context key by which menus know whether anything is traced. */
export function keepTracingContext(analyzer: Analyzer) {
  let isTracing: boolean | null = null;
  return analyzer.onState(({ tracing }) => {
    if (isTracing === tracing.length > 0) return;
    isTracing = tracing.length > 0;
    void commands.executeCommand("setContext", "plainsight.isTracing", isTracing);
  });
}
