// Generate Support Matrix: measures this host, and shows the report as the page that the command line writes, in a tab
// from which it can be saved.
import {
  ProgressLocation,
  Uri,
  ViewColumn,
  window,
  workspace,
  type Disposable,
  type WebviewPanel,
} from "vscode";
import type { CoverageReport } from "../protocol/coverage.ts";
import type { MeasureProgressParams, ReportFormat } from "../protocol/editor.ts";
import { messageOf } from "./analyzer-link.ts";
import type { Analyzer } from "./analyzer.ts";
import type { Obstacle } from "./obstacle.ts";
import { progressMessage, reportFileName, reportFormatOf } from "./report-text.ts";
import { readSettings } from "./settings.ts";

const viewType = "plainsight.supportMatrix";

export class SupportMatrix implements Disposable {
  readonly #analyzer: Analyzer;
  readonly #obstacle: Obstacle;
  readonly #extensionUri: Uri;
  #panel: WebviewPanel | null = null;
  #report: CoverageReport | null = null;

  constructor(analyzer: Analyzer, obstacle: Obstacle, extensionUri: Uri) {
    this.#analyzer = analyzer;
    this.#obstacle = obstacle;
    this.#extensionUri = extensionUri;
  }

  /** Measures and shows; cancelled, it shows what was seen until then. */
  async generate(): Promise<void> {
    const durationMs = readSettings().measureSeconds * 1000;
    try {
      const { report, lostRecords, problem } = await window.withProgress(
        { location: ProgressLocation.Notification, title: "Plainsight", cancellable: true },
        (progress, token) => {
          let shownMs = durationMs;
          const listener = this.#analyzer.onMeasureProgress((params: MeasureProgressParams) => {
            const increment = ((shownMs - params.leftMs) / durationMs) * 100;
            shownMs = params.leftMs;
            progress.report({ message: progressMessage(params), increment });
          });
          progress.report({ message: "looking at the processes of this host" });
          return this.#analyzer.measure({ durationMs }, token).finally(() => {
            listener.dispose();
          });
        },
      );
      await this.#show(report);
      if (problem)
        await this.#obstacle.show(
          { ...problem, text: `not measured, only predicted: ${problem.text}` },
          { offersProxy: false },
        );
      else if (lostRecords > 0)
        void window.showWarningMessage(
          `Plainsight: ${lostRecords} records were lost; fewer bytes were measured than passed.`,
        );
    } catch (error) {
      void window.showErrorMessage(`Plainsight: the support matrix could not be made: ${messageOf(error)}`);
    }
  }

  /** Saves what is shown, in the form that the chosen file name asks for. */
  async save(): Promise<void> {
    if (!this.#report) return;
    const report = this.#report;
    const folder = workspace.workspaceFolders?.[0]?.uri ?? Uri.file("/tmp");
    const target = await window.showSaveDialog({
      title: "Save Support Matrix",
      defaultUri: Uri.joinPath(folder, reportFileName(report)),
      filters: { HTML: ["html"], Markdown: ["md"], JSON: ["json"] },
    });
    if (!target) return;
    try {
      const text = await this.#analyzer.render(report, reportFormatOf(target.path));
      await workspace.fs.writeFile(target, Buffer.from(text));
    } catch (error) {
      void window.showErrorMessage(`Plainsight: write ${target.fsPath}: ${messageOf(error)}`);
    }
  }

  dispose(): void {
    this.#panel?.dispose();
  }

  async #show(report: CoverageReport): Promise<void> {
    const format: ReportFormat = "html";
    const html = await this.#analyzer.render(report, format);
    this.#report = report;
    this.#panel ??= this.#open();
    // The page brings its own content security policy, which allows its style and script alone, by hash.
    this.#panel.webview.html = html;
    this.#panel.reveal();
  }

  #open(): WebviewPanel {
    const options = { enableScripts: true, enableFindWidget: true, localResourceRoots: [] };
    const panel = window.createWebviewPanel(viewType, "TLS Support Matrix", ViewColumn.Active, options);
    panel.iconPath = {
      light: Uri.joinPath(this.#extensionUri, "media", "support-matrix-light.svg"),
      dark: Uri.joinPath(this.#extensionUri, "media", "support-matrix-dark.svg"),
    };
    panel.onDidDispose(() => {
      this.#panel = null;
      this.#report = null;
    });
    return panel;
  }
}
