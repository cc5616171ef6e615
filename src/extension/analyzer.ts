// What the editor asks of the analyzer and hears from it, typed by protocol/editor.ts. It is told the settings each time
// it starts. What its answers mean is for the features to say.
import {
  EventEmitter,
  window,
  workspace,
  type CancellationToken,
  type Disposable,
  type LogOutputChannel,
} from "vscode";
import type { CoverageReport } from "../protocol/coverage.ts";
import * as editor from "../protocol/editor.ts";
import { AnalyzerLink, type Tell } from "./analyzer-link.ts";
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
/** How long the status bar says that something is not seen; the output keeps it. */
const notSeenMs = 10_000;

export class Analyzer implements Disposable {
  readonly #coverage = new EventEmitter<CoverageReport>();
  readonly #traffic = new EventEmitter<editor.TrafficParams>();
  readonly #state = new EventEmitter<editor.StateParams>();
  readonly #notSeen = new EventEmitter<editor.NotSeenParams>();
  readonly #measureProgress = new EventEmitter<editor.MeasureProgressParams>();
  readonly #availability = new EventEmitter<string | null>();
  readonly onCoverage = this.#coverage.event;
  readonly onTraffic = this.#traffic.event;
  readonly onState = this.#state.event;
  readonly onNotSeen = this.#notSeen.event;
  readonly onMeasureProgress = this.#measureProgress.event;
  /** Null when the analyzer runs, else why it does not. */
  readonly onAvailability = this.#availability.event;

  readonly #link: AnalyzerLink;
  readonly #output: LogOutputChannel;
  readonly #settingsListener: Disposable;
  #watching = false;
  #lastState = nothingTraced;

  constructor(cliPath: string, output: LogOutputChannel) {
    this.#output = output;
    this.#link = new AnalyzerLink(cliPath, output, {
      started: (tell, isAgain) => this.#started(tell, isAgain),
      ended: () => {
        this.#ended();
      },
      availability: (reason) => {
        this.#availability.fire(reason);
      },
    });
    this.#listen();
    this.#settingsListener = workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration(section)) void this.#configure(this.#tell);
    });
  }

  get state(): editor.StateParams {
    return this.#lastState;
  }

  /** Scans the host; the result also comes as `onCoverage`. */
  async scan(): Promise<CoverageReport> {
    const report = await this.#link.ask<CoverageReport>(editor.scanRequest, {});
    this.#coverage.fire(report);
    return report;
  }

  /** Whether scans go on by themselves as processes come and go, in this analyzer and any that follows it. */
  watch(isWatching: boolean): void {
    this.#watching = isWatching;
    void this.#tellWatching(this.#tell);
  }

  /** Scans, probes and watches; cancelled, it gives what was seen until then. The report also comes as `onCoverage`. */
  async measure(params: editor.MeasureParams, token: CancellationToken): Promise<editor.MeasureResult> {
    const result = await this.#link.ask<editor.MeasureResult>(editor.measureRequest, params, token);
    this.#coverage.fire(result.report);
    return result;
  }

  render(report: CoverageReport, format: editor.ReportFormat): Promise<string> {
    return this.#link.ask(editor.renderRequest, { report, format } satisfies editor.RenderParams);
  }

  startTrace(params: editor.StartTraceParams): Promise<editor.StartTraceResult> {
    return this.#link.ask(editor.startTraceRequest, params);
  }

  openProxy(params: editor.OpenProxyParams): Promise<editor.OpenProxyResult> {
    return this.#link.ask(editor.openProxyRequest, params);
  }

  /** Answers when it is on; with the problem when it cannot be. */
  watchNetwork(): Promise<editor.WatchNetworkResult> {
    return this.#link.ask(editor.watchNetworkRequest, {
      isWatching: true,
    } satisfies editor.WatchNetworkParams);
  }

  async unwatchNetwork(): Promise<void> {
    const params: editor.WatchNetworkParams = { isWatching: false };
    if (this.#link.isStarted) await this.#link.ask(editor.watchNetworkRequest, params);
  }

  async stopTrace(params: editor.StopTraceParams): Promise<void> {
    if (this.#link.isStarted) await this.#link.ask(editor.stopTraceRequest, params);
  }

  async details(id: string): Promise<editor.DetailsResult> {
    return this.#link.isStarted
      ? this.#link.ask(editor.detailsRequest, { id } satisfies editor.DetailsParams)
      : null;
  }

  async clear(): Promise<void> {
    if (this.#link.isStarted) await this.#link.ask(editor.clearRequest, {});
  }

  /** Ends the analyzer, which detaches every probe. */
  stop(): Promise<void> {
    return this.#link.stop();
  }

  dispose(): void {
    for (const part of [
      this.#settingsListener,
      this.#coverage,
      this.#traffic,
      this.#state,
      this.#notSeen,
      this.#measureProgress,
      this.#availability,
    ]) {
      part.dispose();
    }
  }

  #listen(): void {
    this.#link.listen(editor.coverageNotification, (report: CoverageReport) => {
      this.#coverage.fire(report);
    });
    this.#link.listen(editor.trafficNotification, (params: editor.TrafficParams) => {
      this.#traffic.fire(params);
    });
    this.#link.listen(editor.stateNotification, (state: editor.StateParams) => {
      this.#setState(state);
    });
    this.#link.listen(editor.notSeenNotification, (notSeen: editor.NotSeenParams) => {
      const { pid, reason } = notSeen;
      this.#notSeen.fire(notSeen);
      this.#output.warn(`not seen of process ${pid}: ${reason.text}`);
      window.setStatusBarMessage(`$(eye-closed) Not seen: ${reason.text}`, notSeenMs);
    });
    this.#link.listen(editor.measureProgressNotification, (params: editor.MeasureProgressParams) => {
      this.#measureProgress.fire(params);
    });
  }

  async #started(tell: Tell, isAgain: boolean): Promise<void> {
    await this.#configure(tell);
    await this.#tellWatching(tell);
    // After a restart nobody else asks.
    if (this.#watching && isAgain) await this.scan();
  }

  #ended(): void {
    const { tracing, network } = this.#lastState;
    this.#setState({
      ...nothingTraced,
      ...(tracing.length > 0 && { problem: endedWhileTracing }),
      ...(network && { networkProblem: endedWhileWatching }),
    });
  }

  readonly #tell: Tell = (method, params) => this.#link.tell(method, params);

  async #configure(tell: Tell): Promise<void> {
    const { showSecrets, bodyLimit } = readSettings();
    await tell(editor.configureNotification, { showSecrets, bodyLimit });
  }

  async #tellWatching(tell: Tell): Promise<void> {
    await tell(editor.watchCoverageNotification, { isWatching: this.#watching });
  }

  #setState(state: editor.StateParams): void {
    this.#lastState = state;
    this.#state.fire(state);
  }
}
