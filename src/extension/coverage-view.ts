// The Coverage tree: shows coverage-model.ts, scans while it can be seen, and says what stands in the way of tracing.
import {
  commands,
  EventEmitter,
  MarkdownString,
  ThemeColor,
  ThemeIcon,
  TreeItem,
  TreeItemCollapsibleState,
  window,
  workspace,
  type Disposable,
  type TreeDataProvider,
  type TreeView,
} from "vscode";
import type { CoverageReport } from "../protocol/coverage.ts";
import { messageOf } from "./analyzer-link.ts";
import type { Analyzer } from "./analyzer.ts";
import {
  coverageTree,
  problemItem,
  type CoverageGroup,
  type CoverageNode,
  type ItemIcon,
  renewTree,
  type ProblemItem,
  type TopNode,
} from "./coverage-model.ts";
import type { Obstacle } from "./obstacle.ts";
import { evidenceMarkdown } from "./process-text.ts";
import { ownerOf, serviceReport, serviceSentence, type WorkspaceFacts } from "./workspace-service.ts";

const viewId = "plainsight.coverage";

export class CoverageView implements TreeDataProvider<CoverageNode>, Disposable {
  readonly #changed = new EventEmitter<CoverageNode[] | undefined>();
  readonly onDidChangeTreeData = this.#changed.event;
  readonly #analyzer: Analyzer;
  readonly #obstacle: Obstacle;
  readonly #view: TreeView<CoverageNode>;
  readonly #subscriptions: readonly { dispose(): unknown }[];
  #report: CoverageReport | null = null;
  /** Why the last scan failed. */
  #failure: string | null = null;
  #tree: TopNode[] = [];
  #tracedPids: ReadonlySet<number> = new Set();

  readonly #facts: () => WorkspaceFacts;
  /** Only the processes of the workspace's service are shown. */
  #isServiceOnly = false;

  constructor(analyzer: Analyzer, obstacle: Obstacle, facts: () => WorkspaceFacts) {
    this.#analyzer = analyzer;
    this.#facts = facts;
    this.#obstacle = obstacle;
    this.#view = window.createTreeView(viewId, { treeDataProvider: this, showCollapseAll: true });
    this.#subscriptions = [
      this.#view,
      this.#changed,
      this.#view.onDidChangeVisibility(({ visible }) => {
        this.#showed(visible);
      }),
      analyzer.onCoverage((report) => {
        this.#show(report);
      }),
      analyzer.onState(({ tracing }) => {
        this.#markTraced(new Set(tracing.map(({ pid }) => pid)));
      }),
      obstacle.onChange(() => {
        if (obstacle.isUnavailable) this.#show(null);
        else this.#update();
      }),
    ];
    if (this.#view.visible) this.#showed(true);
  }

  /** The selected node, for commands that the keyboard starts. */
  get selected(): CoverageNode | undefined {
    return this.#view.selection[0];
  }

  /** Scans now, under the view's progress bar. */
  async refresh(): Promise<void> {
    let message: string | null = null;
    try {
      await window.withProgress({ location: { viewId } }, () => this.#analyzer.scan());
    } catch (error) {
      // An analyzer that does not run has its welcome content, which a message would hide.
      if (!this.#obstacle.isUnavailable) message = `The scan failed: ${messageOf(error)}`;
    }
    this.#failure = message;
    this.#update();
  }

  /** Scans, and shows the workspace's service alone until all processes are asked for. */
  async showService(isServiceOnly: boolean): Promise<void> {
    this.#isServiceOnly = isServiceOnly;
    this.#view.description = isServiceOnly ? "this workspace" : "";
    void commands.executeCommand("setContext", "plainsight.isServiceOnly", isServiceOnly);
    await commands.executeCommand(`${viewId}.focus`);
    await this.refresh();
    this.#update();
  }

  getChildren(node?: CoverageNode): CoverageNode[] {
    if (!node) return this.#tree;
    return node.kind === "group" ? node.items : [];
  }

  getTreeItem(node: CoverageNode): TreeItem {
    if (node.kind === "group") return groupItem(node);
    if (node.kind === "problem") return problemTreeItem(node);
    const item = new TreeItem(node.label);
    item.id = node.id;
    item.description = node.description;
    item.contextValue = node.kind === "process" ? ["process", ...node.offers].join(".") : "skipped";
    if (node.kind === "process") {
      item.iconPath = themeIcon(node.icon);
      item.accessibilityInformation = { label: node.accessibleLabel, role: "treeitem" };
    } else {
      item.iconPath = new ThemeIcon("circle-slash");
      item.tooltip = `${node.label}: ${node.description}`;
    }
    return item;
  }

  /** Tooltips are made when they are asked for: a host may have hundreds of processes. */
  resolveTreeItem(item: TreeItem, node: CoverageNode): TreeItem {
    if (node.kind === "process") item.tooltip = new MarkdownString(evidenceMarkdown(node.process));
    return item;
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #showed(isVisible: boolean): void {
    this.#analyzer.watch(isVisible);
    if (isVisible) void this.refresh();
  }

  #show(report: CoverageReport | null): void {
    this.#report = report;
    void commands.executeCommand("setContext", "plainsight.isScanned", report !== null);
    this.#update();
  }

  #markTraced(pids: ReadonlySet<number>): void {
    const isSame = pids.size === this.#tracedPids.size && [...pids].every((pid) => this.#tracedPids.has(pid));
    if (isSame) return;
    this.#tracedPids = pids;
    this.#update();
    // What is traced belongs in the tree, also when it began after the last scan.
    const known = new Set(this.#report?.processes.map(({ pid }) => pid));
    if (this.#view.visible && [...pids].some((pid) => !known.has(pid))) void this.refresh();
  }

  #update(): void {
    this.#view.message = this.#failure ?? this.#sentence();
    const next = this.#nodes();
    const changed = renewTree(this.#tree, next);
    if (changed === null) this.#tree = next;
    if (changed?.length !== 0) this.#changed.fire(changed ?? undefined);
  }

  #shown(): CoverageReport | null {
    return this.#report && this.#isServiceOnly ? serviceReport(this.#report, this.#facts()) : this.#report;
  }

  #sentence(): string {
    const report = this.#shown();
    return report && this.#isServiceOnly ? serviceSentence(report, workspaceFolders()) : "";
  }

  #nodes(): TopNode[] {
    const report = this.#shown();
    if (!report) return [];
    const facts = this.#facts();
    const groups = coverageTree({
      report,
      tracedPids: this.#tracedPids,
      isOwn: (process) => ownerOf(process, facts) === "workspace",
    });
    const { problem } = this.#obstacle;
    // An empty view says itself what to do.
    return problem && groups.length > 0 ? [problemItem(problem), ...groups] : groups;
  }
}

/** Absolute paths of the workspace's folders on this machine. */
export function workspaceFolders(): string[] {
  return (workspace.workspaceFolders ?? [])
    .filter(({ uri }) => uri.scheme === "file")
    .map(({ uri }) => uri.fsPath);
}

function problemTreeItem(node: ProblemItem): TreeItem {
  const item = new TreeItem(node.label);
  item.id = node.id;
  item.description = node.description;
  item.tooltip = node.tooltip;
  item.iconPath = new ThemeIcon("warning", new ThemeColor("problemsWarningIcon.foreground"));
  item.contextValue = "problem";
  item.command = { command: "plainsight.showProblem", title: "Show What Is Missing" };
  item.accessibilityInformation = { label: node.tooltip, role: "treeitem" };
  return item;
}

function groupItem(group: CoverageGroup): TreeItem {
  const state = group.isExpanded ? TreeItemCollapsibleState.Expanded : TreeItemCollapsibleState.Collapsed;
  const item = new TreeItem(group.label, state);
  item.id = group.id;
  item.description = group.description;
  item.tooltip = group.tooltip;
  item.contextValue = "group";
  const noun = group.items.length === 1 ? "process" : "processes";
  item.accessibilityInformation = {
    label: `${group.label}, ${group.items.length} ${noun}`,
    role: "treeitem",
  };
  return item;
}

function themeIcon({ id, color }: ItemIcon): ThemeIcon {
  return color ? new ThemeIcon(id, new ThemeColor(color)) : new ThemeIcon(id);
}
