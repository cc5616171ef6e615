// The connection to the analyzer (`plainsight lsp`): started when first needed, typed by protocol/editor.ts, and told
// the settings each time it starts. What its answers mean is for the features to say.
import { execFile } from "node:child_process";
import {
  EventEmitter,
  window,
  workspace,
  type CancellationToken,
  type Disposable,
  type LogOutputChannel,
} from "vscode";
import { CloseAction, ErrorAction, LanguageClient, State, type Executable } from "vscode-languageclient/node";
import type { CoverageReport } from "../protocol/coverage.ts";
import * as editor from "../protocol/editor.ts";
import { chooseNode } from "./node-choice.ts";
import { readSettings, section } from "./settings.ts";

const nothingTraced: editor.StateParams = {
  tracing: [],
  exchanges: 0,
  messages: 0,
  lost: { records: 0, bytes: 0 },
};
const endedWhileTracing: editor.Problem = {
  code: "analyzer-ended",
  text: "the analyzer ended, and tracing with it",
  remedy: "Start the trace again",
};
const endedWhileWatching: editor.Problem = {
  code: "analyzer-ended",
  text: "the analyzer ended, and the watch of the network with it",
  remedy: "Watch TLS connections again",
};
/** How often the analyzer may end by itself before it is left ended. */
const restartLimit = 3;
/** How long the status bar says that something is not seen; the output keeps it. */
const notSeenMs = 10_000;

export class Analyzer implements Disposable {
  readonly #coverage = new EventEmitter<CoverageReport>();
  readonly #traffic = new EventEmitter<editor.TrafficParams>();
  readonly #state = new EventEmitter<editor.StateParams>();
  readonly #measureProgress = new EventEmitter<editor.MeasureProgressParams>();
  readonly #availability = new EventEmitter<string | null>();
  readonly onCoverage = this.#coverage.event;
  readonly onTraffic = this.#traffic.event;
  readonly onState = this.#state.event;
  readonly onMeasureProgress = this.#measureProgress.event;
  /** Null when the analyzer runs, else why it does not. */
  readonly onAvailability = this.#availability.event;

  readonly #cliPath: string;
  readonly #output: LogOutputChannel;
  readonly #settingsListener: Disposable;
  #client: Promise<LanguageClient> | null = null;
  #restarts = 0;
  #watching = false;
  #lastState = nothingTraced;

  constructor(cliPath: string, output: LogOutputChannel) {
    this.#cliPath = cliPath;
    this.#output = output;
    this.#settingsListener = workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(section)) void this.#configure();
    });
  }

  get state(): editor.StateParams {
    return this.#lastState;
  }

  /** Scans the host; the result also comes as `onCoverage`. */
  async scan(): Promise<CoverageReport> {
    const report = await this.#request<CoverageReport>(editor.scanRequest, {});
    this.#coverage.fire(report);
    return report;
  }

  /** Whether scans go on by themselves as processes come and go, in this analyzer and any that follows it. */
  watch(isWatching: boolean): void {
    this.#watching = isWatching;
    void this.#tellWatching();
  }

  /** Scans, probes and watches; cancelled, it gives what was seen until then. The report also comes as `onCoverage`. */
  async measure(params: editor.MeasureParams, token: CancellationToken): Promise<editor.MeasureResult> {
    const result = await this.#request<editor.MeasureResult>(editor.measureRequest, params, token);
    this.#coverage.fire(result.report);
    return result;
  }

  render(report: CoverageReport, format: editor.ReportFormat): Promise<string> {
    return this.#request(editor.renderRequest, { report, format } satisfies editor.RenderParams);
  }

  startTrace(params: editor.StartTraceParams): Promise<editor.StartTraceResult> {
    return this.#request(editor.startTraceRequest, params);
  }

  openProxy(params: editor.OpenProxyParams): Promise<editor.OpenProxyResult> {
    return this.#request(editor.openProxyRequest, params);
  }

  /** Answers when it is on; with the problem when it cannot be. */
  watchNetwork(): Promise<editor.WatchNetworkResult> {
    return this.#request(editor.watchNetworkRequest, {
      isWatching: true,
    } satisfies editor.WatchNetworkParams);
  }

  async unwatchNetwork(): Promise<void> {
    const params: editor.WatchNetworkParams = { isWatching: false };
    if (this.#client) await this.#request(editor.watchNetworkRequest, params);
  }

  async stopTrace(params: editor.StopTraceParams): Promise<void> {
    if (this.#client) await this.#request(editor.stopTraceRequest, params);
  }

  async details(id: string): Promise<editor.DetailsResult> {
    return this.#client ? this.#request(editor.detailsRequest, { id } satisfies editor.DetailsParams) : null;
  }

  async clear(): Promise<void> {
    if (this.#client) await this.#request(editor.clearRequest, {});
  }

  /** Ends the analyzer, which detaches every probe. */
  async stop(): Promise<void> {
    const client = await this.#client?.catch(() => null);
    this.#client = null;
    await client?.stop(5000);
  }

  dispose(): void {
    for (const part of [
      this.#settingsListener,
      this.#coverage,
      this.#traffic,
      this.#state,
      this.#measureProgress,
      this.#availability,
    ]) {
      part.dispose();
    }
  }

  async #request<Result>(method: string, params: unknown, token?: CancellationToken): Promise<Result> {
    this.#client ??= this.#start();
    const starting = this.#client;
    try {
      return await (await starting).sendRequest<Result>(method, params, token);
    } catch (error) {
      this.#output.error(`${method}: ${messageOf(error)}`);
      throw error;
    }
  }

  async #start(): Promise<LanguageClient> {
    try {
      const client = await this.#makeClient();
      await client.start();
      return client;
    } catch (error) {
      // The next request tries again: the reason may be a setting that the user mends.
      this.#client = null;
      this.#availability.fire(messageOf(error));
      throw error;
    }
  }

  async #makeClient(): Promise<LanguageClient> {
    const node = await chooseNode({
      configured: readSettings().nodePath,
      searchPath: process.env.PATH ?? "",
      editorExecutable: process.execPath,
      versionOf,
    });
    this.#output.info(`the analyzer runs on ${node.command}: ${node.why}`);
    const server: Executable = {
      command: node.command,
      args: [this.#cliPath, "lsp"],
      options: { env: { ...process.env, ...node.env } },
    };
    const client = new LanguageClient("plainsight", "Plainsight", server, {
      outputChannel: this.#output,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => this.#closed(),
      },
    });
    client.onNotification(editor.coverageNotification, (report: CoverageReport) => {
      this.#coverage.fire(report);
    });
    client.onNotification(editor.trafficNotification, (params: editor.TrafficParams) => {
      this.#traffic.fire(params);
    });
    client.onNotification(editor.stateNotification, (state: editor.StateParams) => {
      this.#setState(state);
    });
    client.onNotification(editor.notSeenNotification, ({ pid, reason }: editor.NotSeenParams) => {
      this.#output.warn(`not seen of process ${pid}: ${reason.text}`);
      window.setStatusBarMessage(`$(eye-closed) Not seen: ${reason.text}`, notSeenMs);
    });
    client.onNotification(editor.measureProgressNotification, (params: editor.MeasureProgressParams) => {
      this.#measureProgress.fire(params);
    });
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running) void this.#started(client);
    });
    return client;
  }

  async #started(client: LanguageClient): Promise<void> {
    this.#availability.fire(null);
    await this.#configure(client);
    await this.#tellWatching(client);
    // After a restart nobody else asks.
    if (this.#watching && this.#restarts > 0) await this.scan();
  }

  #closed(): { action: CloseAction; handled: true } {
    const { tracing, network } = this.#lastState;
    this.#setState({
      ...nothingTraced,
      ...(tracing.length > 0 && { problem: endedWhileTracing }),
      ...(network && { networkProblem: endedWhileWatching }),
    });
    this.#restarts += 1;
    if (this.#restarts <= restartLimit) {
      this.#output.warn("the analyzer ended; starting it again");
      return { action: CloseAction.Restart, handled: true };
    }
    this.#client = null;
    this.#restarts = 0;
    this.#availability.fire("the analyzer ended several times");
    return { action: CloseAction.DoNotRestart, handled: true };
  }

  async #configure(client?: LanguageClient): Promise<void> {
    const running = client ?? (await this.#client?.catch(() => null));
    const { showSecrets, bodyLimit } = readSettings();
    await running?.sendNotification(editor.configureNotification, { showSecrets, bodyLimit });
  }

  async #tellWatching(client?: LanguageClient): Promise<void> {
    const running = client ?? (await this.#client?.catch(() => null));
    await running?.sendNotification(editor.watchCoverageNotification, { isWatching: this.#watching });
  }

  #setState(state: editor.StateParams): void {
    this.#lastState = state;
    this.#state.fire(state);
  }
}

/** What `FILE --version` prints, or null when it cannot be run. */
function versionOf(file: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(file, ["--version"], { timeout: 5000 }, (error, stdout) => {
      resolve(error ? null : stdout);
    });
  });
}

/** The error's own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
