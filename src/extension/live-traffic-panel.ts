// The Live traffic panel: opens the webview beside the editor, keeps the newest rows for it, and carries its messages
// to the analyzer and back. What it looks like is webview/live-traffic's.
import { randomBytes } from "node:crypto";
import {
  commands,
  env,
  Position,
  Range,
  Uri,
  ViewColumn,
  window,
  type Disposable,
  type LogOutputChannel,
  type WebviewPanel,
  type WebviewPanelSerializer,
} from "vscode";
import type { FromWebview, ToWebview, WebviewCommand } from "../protocol/webview.ts";
import { messageOf } from "./analyzer-link.ts";
import type { Analyzer } from "./analyzer.ts";
import { liveTrafficHtml } from "./live-traffic-html.ts";
import { RecentRows } from "./recent-rows.ts";

const viewType = "plainsight.liveTraffic";
const retainedRows = 5000;
/** The commands that the webview may run. */
const webviewCommands: readonly WebviewCommand[] = [
  "plainsight.trace",
  "plainsight.stopAll",
  "plainsight.watchNetwork",
  "plainsight.unwatchNetwork",
  "plainsight.showCoverage",
];

export class LiveTrafficPanel implements WebviewPanelSerializer, Disposable {
  readonly #analyzer: Analyzer;
  readonly #extensionUri: Uri;
  readonly #output: LogOutputChannel;
  readonly #recent = new RecentRows(retainedRows);
  readonly #subscriptions: readonly { dispose(): unknown }[];
  #panel: WebviewPanel | null = null;
  /** The page listens; a hidden one is gone and asks anew when it returns. */
  #isReady = false;
  /** No page was told anything yet. */
  #isNew = true;

  constructor(analyzer: Analyzer, extensionUri: Uri, output: LogOutputChannel) {
    this.#analyzer = analyzer;
    this.#extensionUri = extensionUri;
    this.#output = output;
    this.#subscriptions = [
      window.registerWebviewPanelSerializer(viewType, this),
      analyzer.onTraffic((params) => {
        this.#recent.add(params);
        this.#post({ type: "traffic", ...params });
      }),
      analyzer.onState((state) => {
        this.#post({ type: "state", state });
      }),
    ];
  }

  get isOpen(): boolean {
    return this.#panel !== null;
  }

  /** Shows the panel; the keyboard stays where it is unless `takeFocus`. */
  show({ takeFocus }: { takeFocus: boolean }): void {
    if (this.#panel) {
      this.#panel.reveal(undefined, !takeFocus);
      return;
    }
    const place = { viewColumn: ViewColumn.Beside, preserveFocus: !takeFocus };
    this.#adopt(window.createWebviewPanel(viewType, "Live Traffic", place));
  }

  /** Brings the panel back after a reload of the window. */
  deserializeWebviewPanel(panel: WebviewPanel): Promise<void> {
    this.#adopt(panel);
    return Promise.resolve();
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #adopt(panel: WebviewPanel): void {
    this.#panel?.dispose();
    this.#panel = panel;
    this.#isReady = false;
    const folder = Uri.joinPath(this.#extensionUri, "dist", "webview");
    const { webview } = panel;
    panel.iconPath = {
      light: Uri.joinPath(this.#extensionUri, "media", "live-traffic-light.svg"),
      dark: Uri.joinPath(this.#extensionUri, "media", "live-traffic-dark.svg"),
    };
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    panel.onDidDispose(() => {
      if (this.#panel === panel) this.#panel = null;
    });
    panel.onDidChangeViewState(() => {
      if (!panel.visible) this.#isReady = false;
    });
    webview.onDidReceiveMessage((message: FromWebview) => {
      this.#receive(message).catch((error: unknown) => {
        this.#output.error(`live traffic, ${message.type}: ${messageOf(error)}`);
      });
    });
    webview.html = liveTrafficHtml({
      cspSource: webview.cspSource,
      nonce: randomBytes(16).toString("hex"),
      scriptUri: webview.asWebviewUri(Uri.joinPath(folder, "live-traffic.js")).toString(),
      styleUri: webview.asWebviewUri(Uri.joinPath(folder, "live-traffic.css")).toString(),
    });
  }

  #post(message: ToWebview): void {
    if (this.#isReady) void this.#panel?.webview.postMessage(message);
  }

  async #receive(message: FromWebview): Promise<void> {
    switch (message.type) {
      case "ready": {
        this.#isReady = true;
        const { rows, dropped } = this.#recent;
        this.#post({ type: "restore", rows, state: this.#analyzer.state, dropped, isNew: this.#isNew });
        this.#isNew = false;
        break;
      }
      case "details":
        this.#post({ type: "details", id: message.id, details: await this.#analyzer.details(message.id) });
        break;
      case "clear":
        this.#recent.clear();
        await this.#analyzer.clear();
        this.#post({ type: "cleared" });
        break;
      case "copy":
        await env.clipboard.writeText(message.text);
        break;
      case "openSource": {
        const at = new Position(Math.max(0, message.line - 1), Math.max(0, (message.column ?? 1) - 1));
        const selection = new Range(at, at);
        await window.showTextDocument(Uri.file(message.file), { viewColumn: ViewColumn.One, selection });
        break;
      }
      case "command":
        if (webviewCommands.includes(message.command)) await commands.executeCommand(message.command);
        break;
    }
  }
}
