// Answers the messages of protocol/editor.ts on a connection: what each request does and which notifications follow.
// What is served comes from outside, so that it can be another scanner and another capture.
import type { CancellationToken, Connection } from "vscode-languageserver/node";
import type { CoverageReport } from "../../protocol/coverage.ts";
import * as editor from "../../protocol/editor.ts";
import type { Measured, MeasureOptions as AllMeasureOptions } from "../capture/measure.ts";
import { ConnectionRows } from "./connection-rows.ts";
import { CoverageWatch } from "./coverage-watch.ts";
import { TrafficBatches } from "./traffic-batches.ts";
import { rowOf } from "./traffic-rows.ts";
import { TrafficStore } from "./traffic-store.ts";
import { problemOf } from "./problem.ts";
import { Tracing, type TracingOptions } from "./tracing.ts";

const storeLimits = { items: 5000, bytes: 64 * 1024 * 1024 };
/** Connections whose end is awaited: more than an editor lists. */
const openConnections = 10_000;
const batchLimits = { intervalMs: 100, rows: 2000 };
const rescanIntervalMs = 5000;
const stateIntervalMs = 100;

type MeasureOptions = Omit<AllMeasureOptions, "scanner">;

/** What the server serves. */
export interface ServerParts {
  /** These processes, or all. */
  scan(pids: number[] | undefined): CoverageReport;
  /** All processes, of which no others than these changed since that report was made. */
  rescan(before: CoverageReport, changed: ReadonlySet<number>): CoverageReport;
  openTraceSession: TracingOptions["open"];
  /** Rejects with an error that has a `problem` when rights or kernel support are missing. */
  measure(report: CoverageReport, options: MeasureOptions): Promise<Measured>;
  render(report: CoverageReport, format: editor.ReportFormat): string;
  openProxySession: TracingOptions["openProxy"];
  openNetworkWatch: TracingOptions["openNetwork"];
}

/** Answers the editor's messages on a connection, which starts to listen. */
export function serve(connection: Connection, parts: ServerParts): void {
  const store = new TrafficStore(storeLimits);
  const batches = new TrafficBatches(batchLimits, (params) =>
    connection.sendNotification(editor.trafficNotification, params),
  );

  const connections = new ConnectionRows(openConnections);

  let stateTimer: NodeJS.Timeout | null = null;
  const tracing = new Tracing({
    open: (options) => parts.openTraceSession(options),
    openProxy: (options) => parts.openProxySession(options),
    openNetwork: (options) => parts.openNetworkWatch(options),
    onUncovered({ pid, verdict, reason, probes }) {
      const ways: editor.NotSeenParams["ways"] = verdict === "proxy" ? ["proxy", "network"] : ["network"];
      void connection.sendNotification(editor.notSeenNotification, {
        pid,
        reason,
        ways,
        ...(probes.length > 0 && { isPartly: true }),
      } satisfies editor.NotSeenParams);
    },
    onSkipped({ pid, reason }) {
      void connection.sendNotification(editor.notSeenNotification, {
        pid,
        reason,
      } satisfies editor.NotSeenParams);
    },
    onTraffic(event) {
      if (event.type === "exchange" || event.type === "message") {
        store.put(event);
        batches.add(rowOf(event));
      } else {
        batches.add(connections.fold(event));
      }
    },
    onState() {
      stateTimer ??= setTimeout(sendState, stateIntervalMs);
    },
  });
  function sendState(): void {
    stateTimer = null;
    void connection.sendNotification(editor.stateNotification, tracing.state);
  }

  /** The last scan of the whole host; null where none is complete. */
  let latest: CoverageReport | null = null;
  const watch = new CoverageWatch({
    intervalMs: rescanIntervalMs,
    scan(changed) {
      try {
        latest = latest ? parts.rescan(latest, changed) : parts.scan(undefined);
        void connection.sendNotification(editor.coverageNotification, latest);
      } catch (error) {
        latest = null;
        // Nobody asked for this scan: it must not end a trace.
        connection.console.error(`scan: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  });
  function scanAll(): CoverageReport {
    watch.scanning();
    return (latest = parts.scan(undefined));
  }

  connection.onInitialize(() => ({ capabilities: {}, serverInfo: { name: "plainsight" } }));
  connection.onRequest(editor.scanRequest, (params: editor.ScanParams | null): editor.ScanResult => {
    return params?.pids ? parts.scan(params.pids) : scanAll();
  });
  connection.onRequest(
    editor.measureRequest,
    async ({ durationMs }: editor.MeasureParams, token: CancellationToken): Promise<editor.MeasureResult> => {
      const report = scanAll();
      const ending = new AbortController();
      const cancelled = token.onCancellationRequested(() => {
        ending.abort();
      });
      try {
        return await parts.measure(report, {
          durationMs,
          signal: ending.signal,
          onProgress(progress) {
            void connection.sendNotification(editor.measureProgressNotification, progress);
          },
        });
      } catch (error) {
        return { report, lostRecords: 0, problem: problemOf(error) };
      } finally {
        cancelled.dispose();
      }
    },
  );
  connection.onRequest(editor.renderRequest, ({ report, format }: editor.RenderParams) =>
    parts.render(report, format),
  );
  connection.onNotification(editor.watchCoverageNotification, (params: editor.WatchCoverageParams) => {
    if (params.isWatching) watch.start();
    else watch.stop();
  });
  connection.onRequest(editor.startTraceRequest, (params: editor.StartTraceParams) => tracing.start(params));
  connection.onRequest(editor.openProxyRequest, (params: editor.OpenProxyParams) =>
    tracing.openProxy(params),
  );
  connection.onRequest(editor.watchNetworkRequest, (params: editor.WatchNetworkParams) =>
    tracing.watchNetwork(params),
  );
  connection.onRequest(editor.stopTraceRequest, async (params: editor.StopTraceParams | null) => {
    await tracing.stop(params ?? {});
    return null;
  });
  connection.onRequest<editor.DetailsResult, unknown>(editor.detailsRequest, ({ id }: editor.DetailsParams) =>
    store.get(id),
  );
  connection.onRequest(editor.clearRequest, () => {
    store.clear();
    batches.clear();
    tracing.clear();
    return null;
  });
  connection.onNotification(editor.configureNotification, (params: editor.ConfigureParams) => {
    tracing.configure(params);
  });
  connection.onShutdown(async () => {
    watch.stop();
    await tracing.close();
    batches.clear();
    if (stateTimer) clearTimeout(stateTimer);
  });
  connection.listen();
}
