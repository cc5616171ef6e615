// When a traced or debugged process turns out to have TLS that no probe shows: what would show it is offered, once.
import { commands, window, type Disposable } from "vscode";
import type { NotSeenParams } from "../protocol/editor.ts";
import type { Analyzer } from "./analyzer.ts";

const offers = {
  proxy: { title: "Trace Through the Proxy", command: "plainsight.traceThroughProxy" },
  network: { title: "Watch TLS Connections", command: "plainsight.watchNetwork" },
} as const;

export class UncoveredOffer implements Disposable {
  readonly #subscription: Disposable;
  /** A second program of the same kind is in the status bar and in the output, as all that is not seen. */
  #wasMade = false;

  constructor(analyzer: Analyzer) {
    this.#subscription = analyzer.onNotSeen((notSeen) => {
      void this.#offer(notSeen, analyzer.state.network !== undefined);
    });
  }

  dispose(): void {
    this.#subscription.dispose();
  }

  async #offer({ pid, reason, ways = [], isPartly }: NotSeenParams, isWatching: boolean): Promise<void> {
    const choices = ways.filter((way) => way !== "network" || !isWatching).map((way) => offers[way]);
    if (choices.length === 0 || this.#wasMade) return;
    this.#wasMade = true;
    const what = isPartly ? `not all TLS of process ${pid} is` : `TLS of process ${pid} is not`;
    const text = `Plainsight: ${what} seen by probes: ${reason.text}`;
    const titles = choices.map(({ title }) => title);
    const chosen = await window.showInformationMessage(text, ...titles);
    const command = choices.find(({ title }) => title === chosen)?.command;
    if (command !== undefined) await commands.executeCommand(command);
  }
}
