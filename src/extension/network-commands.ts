// Watch TLS Connections, and the end of it: who talks to whom, of all processes, as rows of Live traffic. It also tells
// the menus whether the network is watched, and the user when that has ended by itself.
import { commands, window, type Disposable } from "vscode";
import type { StateParams } from "../protocol/editor.ts";
import { messageOf } from "./analyzer-link.ts";
import type { Analyzer } from "./analyzer.ts";
import type { LiveTrafficPanel } from "./live-traffic-panel.ts";
import type { Obstacle } from "./obstacle.ts";

export interface NetworkCommandsParts {
  analyzer: Analyzer;
  panel: LiveTrafficPanel;
  obstacle: Obstacle;
}

export class NetworkCommands implements Disposable {
  readonly #parts: NetworkCommandsParts;
  readonly #subscription: Disposable;
  #isOn = false;

  constructor(parts: NetworkCommandsParts) {
    this.#parts = parts;
    this.#subscription = parts.analyzer.onState((state) => {
      this.#follow(state);
    });
  }

  async watch(): Promise<void> {
    const { analyzer, panel, obstacle } = this.#parts;
    try {
      const { problem } = await analyzer.watchNetwork();
      if (problem) await obstacle.show(problem, { offersProxy: false });
      else panel.show({ takeFocus: false });
    } catch (error) {
      void window.showErrorMessage(`Plainsight: the network could not be watched: ${messageOf(error)}`);
    }
  }

  async unwatch(): Promise<void> {
    await this.#parts.analyzer.unwatchNetwork();
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  #follow({ network, networkProblem }: StateParams): void {
    const isOn = network !== undefined;
    if (isOn === this.#isOn) return;
    this.#isOn = isOn;
    void commands.executeCommand("setContext", "plainsight.isWatchingNetwork", isOn);
    if (!isOn && networkProblem) void this.#parts.obstacle.show(networkProblem, { offersProxy: false });
  }
}
