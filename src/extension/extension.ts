// Where the editor begins: makes the features and gives them to each other, and names their commands. Nothing starts
// the analyzer before a feature needs it.
import { dirname } from "node:path";
import { commands, env, window, type ExtensionContext } from "vscode";
import { Analyzer } from "./analyzer.ts";
import type { CoverageNode } from "./coverage-model.ts";
import { CoverageView, workspaceFolders } from "./coverage-view.ts";
import { DebugSessions } from "./debug-sessions.ts";
import { LiveTrafficPanel } from "./live-traffic-panel.ts";
import { NetworkCommands } from "./network-commands.ts";
import { UncoveredOffer } from "./uncovered-offer.ts";
import { Obstacle } from "./obstacle.ts";
import { evidenceMarkdown } from "./process-text.ts";
import { ProxyCommands } from "./proxy-commands.ts";
import { ServiceStatus } from "./service-status.ts";
import { StatusBar } from "./status-bar.ts";
import { SupportMatrix } from "./support-matrix.ts";
import { keepTracingContext, TraceCommands } from "./trace-commands.ts";

let running: Analyzer | undefined;

export function activate(context: ExtensionContext): void {
  const output = window.createOutputChannel("Plainsight", { log: true });
  const analyzer = new Analyzer(context.asAbsolutePath("dist/cli.js"), output);
  running = analyzer;
  const obstacle = new Obstacle(analyzer);
  const statusBar = new StatusBar(analyzer, obstacle);
  const panel = new LiveTrafficPanel(analyzer, context.extensionUri, output);
  const editorFolders = [env.appRoot, dirname(context.extensionPath)];
  const facts = () => ({ folders: workspaceFolders(), debuggedPids: debugSessions.pids, editorFolders });
  const trace = new TraceCommands({ analyzer, panel, obstacle, facts });
  const isChosen = (pid: number): boolean => trace.isChosen(pid);
  const debugSessions = new DebugSessions({ analyzer, panel, statusBar, output, isChosen });
  const coverage = new CoverageView(analyzer, obstacle, facts);
  const serviceStatus = new ServiceStatus(analyzer, facts);
  const matrix = new SupportMatrix(analyzer, obstacle, context.extensionUri);

  const choose = (pid: number): void => {
    trace.choose(pid);
  };
  const proxy = new ProxyCommands({ analyzer, panel, obstacle, choose });

  const network = new NetworkCommands({ analyzer, panel, obstacle });
  const offer = new UncoveredOffer(analyzer);

  const actions: Record<string, (node?: CoverageNode) => unknown> = {
    "plainsight.trace": (node) => trace.trace(node),
    "plainsight.traceThroughProxy": () => proxy.trace(),
    "plainsight.watchNetwork": () => network.watch(),
    "plainsight.unwatchNetwork": () => network.unwatch(),
    "plainsight.stop": (node) => trace.stop(node),
    "plainsight.stopAll": () => trace.stopAll(),
    "plainsight.showLiveTraffic": () => {
      panel.show({ takeFocus: true });
    },
    "plainsight.showCoverage": () => commands.executeCommand("plainsight.coverage.focus"),
    "plainsight.refresh": () => coverage.refresh(),
    "plainsight.checkService": () => coverage.showService(true),
    "plainsight.showAllProcesses": () => coverage.showService(false),
    "plainsight.generateMatrix": () => matrix.generate(),
    "plainsight.saveMatrix": () => matrix.save(),
    "plainsight.copyEvidence": (node = coverage.selected) =>
      node?.kind === "process" && env.clipboard.writeText(evidenceMarkdown(node.process)),
    "plainsight.copyRemedy": () => obstacle.copyRemedy(),
    "plainsight.showProblem": () => {
      if (obstacle.problem) return obstacle.show();
      output.show();
    },
    "plainsight.showOutput": () => {
      output.show();
    },
  };
  const registrations = Object.entries(actions).map(([name, action]) =>
    commands.registerCommand(name, action),
  );
  context.subscriptions.push(
    output,
    analyzer,
    obstacle,
    statusBar,
    panel,
    network,
    offer,
    coverage,
    serviceStatus,
    matrix,
    debugSessions,
    keepTracingContext(analyzer),
    ...registrations,
  );
}

/** The editor waits for this: every probe is detached before the window closes. */
export async function deactivate(): Promise<void> {
  await running?.stop();
}
