// The status bar item: what is being traced, or what is missing. The words are status-text.ts's.
import { MarkdownString, StatusBarAlignment, ThemeColor, window, type Disposable } from "vscode";
import type { Analyzer } from "./analyzer.ts";
import type { Obstacle } from "./obstacle.ts";
import { statusText } from "./status-text.ts";

export class StatusBar implements Disposable {
  readonly #item = window.createStatusBarItem("plainsight.status", StatusBarAlignment.Left, 10);
  readonly #analyzer: Analyzer;
  readonly #obstacle: Obstacle;
  readonly #subscriptions: readonly { dispose(): unknown }[];
  #notice: string | undefined;

  constructor(analyzer: Analyzer, obstacle: Obstacle) {
    this.#analyzer = analyzer;
    this.#obstacle = obstacle;
    this.#item.name = "Plainsight";
    const update = (): void => {
      this.#update();
    };
    this.#subscriptions = [this.#item, analyzer.onState(update), obstacle.onChange(update)];
    this.#update();
    this.#item.show();
  }

  /** Says something about a process that the user did not ask for; undefined takes it back. */
  notice(text: string | undefined): void {
    this.#notice = text;
    this.#update();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #update(): void {
    const problem = this.#obstacle.problem;
    const status = statusText({ state: this.#analyzer.state, problem, notice: this.#notice });
    this.#item.text = status.text;
    this.#item.tooltip = new MarkdownString().appendText(status.tooltip);
    this.#item.accessibilityInformation = { label: status.accessibleLabel, role: "button" };
    this.#item.command = status.command;
    this.#item.backgroundColor = status.isWarning
      ? new ThemeColor("statusBarItem.warningBackground")
      : undefined;
  }
}
