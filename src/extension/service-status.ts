// The status bar's figure of the workspace's service: how many of its processes with TLS can be traced. The words are
// workspace-service.ts's.
import { StatusBarAlignment, window, type Disposable } from "vscode";
import type { Analyzer } from "./analyzer.ts";
import { figureText, serviceFigure, serviceReport, type WorkspaceFacts } from "./workspace-service.ts";

export class ServiceStatus implements Disposable {
  readonly #item = window.createStatusBarItem("plainsight.service", StatusBarAlignment.Left, 9);
  readonly #subscriptions: readonly { dispose(): unknown }[];

  constructor(analyzer: Analyzer, facts: () => WorkspaceFacts) {
    this.#item.name = "Plainsight: This Workspace's TLS";
    this.#item.command = "plainsight.checkService";
    this.#subscriptions = [
      this.#item,
      analyzer.onCoverage((report) => {
        const figure = figureText(serviceFigure(serviceReport(report, facts())));
        if (figure === null) {
          this.#item.hide();
          return;
        }
        this.#item.text = figure.text;
        this.#item.tooltip = figure.tooltip;
        this.#item.accessibilityInformation = { label: figure.accessibleLabel, role: "button" };
        this.#item.show();
      }),
    ];
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }
}
