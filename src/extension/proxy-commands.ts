// Trace Through the Proxy: starts a program so that it trusts the local proxy, by a launch configuration or in a new
// terminal. That its process is traced then follows as for any debugged process; the analyzer knows by which way.
import {
  debug,
  QuickPickItemKind,
  window,
  workspace,
  type QuickPickItem,
  type WorkspaceFolder,
} from "vscode";
import { messageOf } from "./analyzer-link.ts";
import type { Analyzer } from "./analyzer.ts";
import type { LiveTrafficPanel } from "./live-traffic-panel.ts";
import type { Obstacle } from "./obstacle.ts";
import { isLaunch, variablesOf, withVariables, type Launch } from "./proxied-launch.ts";

export interface ProxyCommandsParts {
  analyzer: Analyzer;
  panel: LiveTrafficPanel;
  obstacle: Obstacle;
  /** The user chose this process: no debug session's end stops its trace. */
  choose: (pid: number) => void;
}

interface Choice extends QuickPickItem {
  launch?: { folder: WorkspaceFolder; configuration: Launch };
}

export class ProxyCommands {
  readonly #parts: ProxyCommandsParts;

  constructor(parts: ProxyCommandsParts) {
    this.#parts = parts;
  }

  async trace(): Promise<void> {
    const choice = await window.showQuickPick(choices(), {
      title: "Trace Through the Proxy",
      placeHolder: "What to start so that it trusts the local proxy",
    });
    if (choice === undefined) return;
    try {
      if (choice.launch) await this.#debug(choice.launch.folder, choice.launch.configuration);
      else await this.#openTerminal();
    } catch (error) {
      void window.showErrorMessage(`Plainsight: the proxy could not be used: ${messageOf(error)}`);
    }
  }

  async #debug(folder: WorkspaceFolder, configuration: Launch): Promise<void> {
    const variables = await this.#variables(variablesOf(configuration));
    if (variables) await debug.startDebugging(folder, withVariables(configuration, variables));
  }

  async #openTerminal(): Promise<void> {
    const { analyzer, panel, choose } = this.#parts;
    const variables = await this.#variables({});
    if (!variables) return;
    const terminal = window.createTerminal({ name: "Through the Proxy", env: variables });
    terminal.show();
    const pid = await terminal.processId;
    if (pid === undefined) throw new Error("the terminal has no process");
    choose(pid);
    await analyzer.startTrace({ pids: [pid], followChildren: true });
    panel.show({ takeFocus: false });
  }

  /** Undefined, after the reason was shown, when there is no proxy. */
  async #variables(own: Record<string, string>): Promise<Record<string, string> | undefined> {
    const { variables, problem } = await this.#parts.analyzer.openProxy({ variables: own });
    const isOpen = Object.keys(variables).length > 0;
    if (problem && !isOpen) await this.#parts.obstacle.show(problem, { offersProxy: false });
    else if (problem) {
      window.setStatusBarMessage(
        `$(info) Only programs that honour HTTPS_PROXY are seen: ${problem.text}`,
        10_000,
      );
    }
    return isOpen ? variables : undefined;
  }
}

function choices(): Choice[] {
  const launches = (workspace.workspaceFolders ?? []).flatMap((folder) =>
    workspace
      .getConfiguration("launch", folder)
      .get<Launch[]>("configurations", [])
      .filter(isLaunch)
      .map((configuration) => ({
        label: `$(debug-alt) ${configuration.name}`,
        description: folder.name,
        launch: { folder, configuration },
      })),
  );
  const terminal = { label: "$(terminal) A New Terminal", description: "whatever is started in it" };
  if (launches.length === 0) return [terminal];
  return [
    { label: "Debug", kind: QuickPickItemKind.Separator },
    ...launches,
    { label: "Other", kind: QuickPickItemKind.Separator },
    terminal,
  ];
}
