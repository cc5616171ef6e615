// The server's messages over a real JSON-RPC connection, with a scanner and a capture that the test plays.
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test, type TestContext } from "node:test";
import {
  CancellationTokenSource,
  createConnection,
  createProtocolConnection,
} from "vscode-languageserver/node";
import { StreamMessageReader, StreamMessageWriter } from "vscode-languageserver-protocol/node";
import type { Measured } from "../../../src/analyzer/capture/measure.ts";
import { serve, type ServerParts } from "../../../src/analyzer/server/serve.ts";
import type { ProxySessionOptions } from "../../../src/analyzer/network/proxy-session.ts";
import type {
  EditorNetworkWatch,
  EditorNetworkWatchOptions,
} from "../../../src/analyzer/server/network-watching.ts";
import type { EditorProxy } from "../../../src/analyzer/server/proxying.ts";
import type { EditorTrace, EditorTraceOptions } from "../../../src/analyzer/server/tracing.ts";
import type { CoverageReport, ProcessReport, Reason } from "../../../src/protocol/coverage.ts";
import * as editor from "../../../src/protocol/editor.ts";
import type { TraceEvent } from "../../../src/protocol/traffic.ts";
import { connectionEnd, hello } from "../cli/hello-fixtures.ts";
import { exchange, message } from "./traffic-fixtures.ts";

const report: CoverageReport = {
  schema: "plainsight.coverage/1",
  generatedAt: "2026-01-31T12:00:00.000Z",
  host: {
    hostname: "host",
    kernel: "6.18.0",
    arch: "x86_64",
    paths: {
      uprobe: { available: true },
      agent: { available: false, reason: "" },
      mitm: { available: false, reason: "" },
      xdp: { available: false, reason: "" },
    },
  },
  processes: [],
  skipped: [],
  summary: { processes: 0, withTls: 0, traceable: 0, proxy: 0, metadata: 0, dark: 0, unknown: 0 },
};
const problem = {
  code: "not-permitted",
  text: "needs CAP_BPF",
  remedy: "Run it with sudo",
  command: "sudo …",
};

type MeasureParts = Parameters<ServerParts["measure"]>[1];

/** A capture that keeps a log of what it was told. */
class PlayedCapture {
  readonly log: string[] = [];
  fails = false;
  emit: (event: TraceEvent) => void = () => undefined;
  judge: (process: ProcessReport) => Promise<Reason | null> = () => Promise.resolve(null);
  end: () => void = () => undefined;
  traced: { pid: number; command: string }[] = [];

  /** Process ids that trust the proxy. */
  readonly trusting = new Set<number>();
  proxied: { pid: number; command: string }[] = [];

  openProxy(options: ProxySessionOptions): Promise<EditorProxy> {
    if (this.fails) return Promise.reject(new Error("the key is not yours"));
    this.log.push("open the proxy");
    this.emit = options.onEvent;
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the session's getter needs the capture
    const capture = this;
    return Promise.resolve({
      fallback: null,
      variablesFor: ({ MINE }) => ({ TRUST: `${MINE ?? ""} and ours` }),
      addRunning(pid) {
        if (!capture.trusting.has(pid)) return Promise.resolve({ code: "not-trusted", text: "" });
        capture.proxied.push({ pid, command: "java" });
        return Promise.resolve(null);
      },
      remove(pids) {
        capture.proxied = capture.proxied.filter(({ pid }) => !pids.includes(pid));
        return Promise.resolve();
      },
      get traced() {
        return capture.proxied;
      },
      close() {
        capture.log.push("close the proxy");
        return Promise.resolve({ type: "summary", exchanges: 0, messages: 0, lost: 0, durationMs: 0 });
      },
    });
  }

  openNetwork({ onEvent }: EditorNetworkWatchOptions): Promise<EditorNetworkWatch> {
    if (this.fails) return Promise.reject(Object.assign(new Error(problem.text), { problem }));
    this.log.push("watch the network");
    this.emit = onEvent;
    return Promise.resolve({
      interfaces: [{ name: "eth0", index: 2, ingress: "tcx-ingress", egress: "tcx-egress" }],
      missing: [],
      close: () => {
        this.log.push("end the watch");
        onEvent(connectionEnd({ state: "open" }));
        return Promise.resolve({ type: "summary", exchanges: 0, messages: 0, lost: 0, durationMs: 0 });
      },
    });
  }

  /** Watches until it is cancelled. */
  measure(scanned: CoverageReport, { durationMs, signal, onProgress }: MeasureParts) {
    if (this.fails) return Promise.reject(Object.assign(new Error(problem.text), { problem }));
    onProgress({ watched: 2, confirmed: 1, leftMs: durationMs });
    return new Promise<Measured>((resolve) => {
      signal.addEventListener("abort", () => {
        resolve({ report: scanned, lostRecords: 3 });
      });
    });
  }

  open(options: EditorTraceOptions): Promise<EditorTrace> {
    if (this.fails) return Promise.reject(Object.assign(new Error(problem.text), { problem }));
    this.log.push(`open ${options.bodyLimit} ${options.showSecrets}`);
    this.emit = (event) => {
      options.onEvent(event);
    };
    this.judge = async (process) => (await options.onJudged?.(process)) ?? null;
    this.end = () => {
      this.traced = [];
      options.onEnded?.(problem);
    };
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- the session's getter needs the capture
    const capture = this;
    return Promise.resolve({
      get traced() {
        return capture.traced;
      },
      add(pids, { followChildren }) {
        capture.log.push(`add ${pids.join(" ")}${followChildren ? " and children" : ""}`);
        capture.traced = [...capture.traced, ...pids.map((pid) => ({ pid, command: "node" }))];
        return Promise.resolve({ attached: pids, skipped: [] });
      },
      remove(pids) {
        capture.log.push(`remove ${pids.join(" ")}`);
        capture.traced = capture.traced.filter(({ pid }) => !pids.includes(pid));
        return Promise.resolve();
      },
      configure({ bodyLimit, showSecrets }) {
        capture.log.push(`configure ${bodyLimit} ${showSecrets}`);
      },
      close() {
        capture.log.push("close");
        return Promise.resolve({ type: "summary", exchanges: 0, messages: 0, lost: 0, durationMs: 0 });
      },
    });
  }
}

function connect(t: TestContext, capture = new PlayedCapture()) {
  const [up, down] = [new PassThrough(), new PassThrough()];
  const server = createConnection(new StreamMessageReader(up), new StreamMessageWriter(down));
  const scans: (number[] | undefined)[] = [];
  serve(server, {
    rescan: () => report,
    scan(pids) {
      scans.push(pids);
      return report;
    },
    openTraceSession: (options) => capture.open(options),
    measure: (scanned, options) => capture.measure(scanned, options),
    render: (rendered, format) => `${format} of ${rendered.host.hostname}`,
    openProxySession: (options) => capture.openProxy(options),
    openNetworkWatch: (options) => capture.openNetwork(options),
  });
  const client = createProtocolConnection(new StreamMessageReader(down), new StreamMessageWriter(up));
  client.listen();
  t.after(async () => {
    await client.sendRequest("shutdown");
    client.dispose();
    server.dispose();
  });
  /** The next notification that `fits`. */
  const next = <Params>(method: string, fits: (params: Params) => boolean = () => true): Promise<Params> =>
    new Promise((resolve) => {
      const listener = client.onNotification(method, (params: Params) => {
        if (!fits(params)) return;
        listener.dispose();
        resolve(params);
      });
    });
  return { client, capture, scans, next };
}

const start = (pids: number[], followChildren?: boolean): editor.StartTraceParams => ({
  pids,
  ...(followChildren !== undefined && { followChildren }),
});

test("server: a scan answers with the coverage, of all processes or of those asked for", async (t) => {
  const { client, scans } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  assert.deepStrictEqual(await client.sendRequest(editor.scanRequest, {}), report);
  await client.sendRequest(editor.scanRequest, { pids: [7] });
  assert.deepStrictEqual(scans, [undefined, [7]]);
});

test("server: a measuring tells its progress and, cancelled, answers with what was seen", async (t) => {
  const { client, next } = connect(t);
  const source = new CancellationTokenSource();
  const progress = next<editor.MeasureProgressParams>(editor.measureProgressNotification);
  const answer = client.sendRequest<editor.MeasureResult>(
    editor.measureRequest,
    { durationMs: 5000 } satisfies editor.MeasureParams,
    source.token,
  );
  assert.deepStrictEqual(await progress, { watched: 2, confirmed: 1, leftMs: 5000 });
  source.cancel();
  assert.deepStrictEqual(await answer, { report, lostRecords: 3 });
});

test("server: what cannot be measured is answered as predicted, with the problem", async (t) => {
  const { client, capture } = connect(t);
  capture.fails = true;
  assert.deepStrictEqual(await client.sendRequest(editor.measureRequest, { durationMs: 5000 }), {
    report,
    lostRecords: 0,
    problem,
  });
});

test("server: a report is rendered in the form that is asked for", async (t) => {
  const { client } = connect(t);
  const asked: editor.RenderParams = { report, format: "markdown" };
  assert.equal(await client.sendRequest(editor.renderRequest, asked), "markdown of host");
});

test("server: a trace opens once, and closes when its last process is stopped", async (t) => {
  const { client, capture } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  await client.sendNotification(editor.configureNotification, { showSecrets: true, bodyLimit: 100 });
  const answers = await Promise.all([
    client.sendRequest(editor.startTraceRequest, start([1], true)),
    client.sendRequest(editor.startTraceRequest, start([2])),
  ]);
  await client.sendNotification(editor.configureNotification, { showSecrets: false, bodyLimit: 200 });
  await client.sendRequest(editor.stopTraceRequest, { pids: [1] });
  await client.sendRequest(editor.stopTraceRequest, {});
  assert.deepStrictEqual(
    [answers, capture.log],
    [
      [
        { attached: [1], skipped: [] },
        { attached: [2], skipped: [] },
      ],
      [
        "open 100 true",
        "add 1 and children",
        "add 2",
        "configure 200 false",
        "remove 1",
        "remove 2",
        "close",
      ],
    ],
  );
});

test("server: what was started for the proxy goes through it, and everything else by probes", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  capture.trusting.add(7);
  await client.sendRequest(editor.startTraceRequest, start([7]));
  await client.sendRequest(editor.stopTraceRequest, {});
  const opened = await client.sendRequest(editor.openProxyRequest, { variables: { MINE: "mine" } });
  const answer = await client.sendRequest(editor.startTraceRequest, start([7, 8]));
  const tracing = [
    { pid: 8, command: "node" },
    { pid: 7, command: "java" },
  ];
  const state = next<editor.StateParams>(editor.stateNotification, (params) => params.tracing.length === 2);
  assert.deepStrictEqual((await state).tracing, tracing);
  const shown = next<editor.TrafficParams>(editor.trafficNotification);
  capture.emit(exchange("e1"));
  assert.equal((await shown).rows[0]?.id, "e1");
  const notSeen = next<editor.NotSeenParams>(editor.notSeenNotification);
  const reason = { code: "client-certificate", text: "bank.example: …" };
  capture.emit({ type: "skipped", pid: 7, reason });
  assert.deepStrictEqual(await notSeen, { pid: 7, reason });
  await client.sendRequest(editor.stopTraceRequest, { pids: [7] });
  assert.deepStrictEqual(
    [opened, answer, capture.proxied, capture.log],
    [
      { variables: { TRUST: "mine and ours" } },
      { attached: [7, 8], skipped: [] },
      [],
      ["open 65536 false", "add 7", "remove 7", "close", "open the proxy", "open 65536 false", "add 8"],
    ],
  );
});

test("server: why probes could not begin is no problem of what goes through the proxy", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  await client.sendRequest(editor.openProxyRequest, { variables: {} });
  capture.trusting.add(7);
  capture.fails = true;
  const failed = next<editor.StateParams>(editor.stateNotification, (params) => params.problem !== undefined);
  await client.sendRequest(editor.startTraceRequest, start([8]));
  assert.deepStrictEqual((await failed).tracing, []);
  const proxied = next<editor.StateParams>(editor.stateNotification, (params) => params.tracing.length === 1);
  await client.sendRequest(editor.startTraceRequest, start([7]));
  assert.equal((await proxied).problem, undefined);
});

test("server: TLS that no probe shows is told once, with what would show it", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  await client.sendRequest(editor.startTraceRequest, { pids: [7] });
  const reason = { code: "no-native-boundary", text: "the JVM's own TLS" };
  const judged = { pid: 8, command: "java", reason, probes: [] } as unknown as ProcessReport;
  assert.equal(await capture.judge({ ...judged, verdict: "traceable" }), null);
  const probes = [{ function: "SSL_write", file: "/usr/lib/libssl.so.3", offset: "0x1" }];
  for (const [changes, said] of [
    [{ verdict: "proxy" }, { ways: ["proxy", "network"] }],
    [{ verdict: "metadata" }, { ways: ["network"] }],
    [
      { verdict: "proxy", probes },
      { ways: ["proxy", "network"], isPartly: true },
    ],
  ] as const) {
    const told = next<editor.NotSeenParams>(editor.notSeenNotification);
    assert.equal(await capture.judge({ ...judged, ...changes }), reason);
    assert.deepStrictEqual(await told, { pid: 8, reason, ...said });
  }
  // The session tells it as well.
  const other = next<editor.NotSeenParams>(editor.notSeenNotification);
  capture.emit({ type: "skipped", pid: 8, reason });
  capture.emit({ type: "skipped", pid: 9, reason: { code: "other", text: "another" } });
  assert.equal((await other).pid, 9);
});

test("server: a proxy that cannot be opened is a problem, with no variables", async (t) => {
  const { client, capture } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  capture.fails = true;
  const { variables, problem: told } = await client.sendRequest<editor.OpenProxyResult>(
    editor.openProxyRequest,
    {
      variables: {},
    },
  );
  assert.deepStrictEqual([variables, told?.text], [{}, "the key is not yours"]);
});

test("server: missing rights come back as the problem and its remedy, and go when a start succeeds", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  capture.fails = true;
  const state = next<editor.StateParams>(editor.stateNotification);
  assert.deepStrictEqual(await client.sendRequest(editor.startTraceRequest, start([1])), {
    attached: [],
    skipped: [],
    problem,
  });
  assert.deepStrictEqual((await state).problem, problem);
  capture.fails = false;
  const better = next<editor.StateParams>(editor.stateNotification, ({ tracing }) => tracing.length > 0);
  await client.sendRequest(editor.startTraceRequest, start([1]));
  assert.equal((await better).problem, undefined);
});

test("server: what the network tells of a connection arrives as one row, which goes on", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  await client.sendRequest(editor.startTraceRequest, start([4242]));
  const told = async () => (await next<editor.TrafficParams>(editor.trafficNotification)).rows;
  const begun = told();
  capture.emit(hello({ pid: null, command: null }));
  const [first, ...more] = await begun;
  assert.ok(first?.type === "connection" && more.length === 0);
  assert.deepStrictEqual([first.state, first.pid, first.bytesIn], ["open", null, null]);
  const ended = told();
  capture.emit(connectionEnd());
  const carried = { pid: 4242, command: "curl", bytesOut: 1530, bytesIn: 20_600_000, durationMs: 2500 };
  assert.deepStrictEqual(await ended, [{ ...first, ...carried, state: "closed" }]);
  assert.equal(await client.sendRequest(editor.detailsRequest, { id: first.id }), null);
});

test("server: the network is watched without a trace, its losses are counted, and its end tells what is open", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  const watch = (isWatching: boolean) =>
    client.sendRequest(editor.watchNetworkRequest, { isWatching } satisfies editor.WatchNetworkParams);
  const on = next<editor.StateParams>(editor.stateNotification, ({ network }) => network !== undefined);
  assert.deepStrictEqual(await watch(true), {});
  assert.deepStrictEqual((await on).network, { interfaces: ["eth0"], connections: 0, missing: [] });
  const counted = next<editor.StateParams>(editor.stateNotification, ({ lost }) => lost.records > 0);
  capture.emit(hello());
  capture.emit({ type: "lost", records: 2, bytes: 300, reason: "ring-buffer-full" });
  const { tracing, network, lost } = await counted;
  assert.deepStrictEqual([tracing, network?.connections, lost], [[], 1, { records: 2, bytes: 300 }]);
  const off = next<editor.StateParams>(editor.stateNotification, (state) => state.network === undefined);
  const last = next<editor.TrafficParams>(editor.trafficNotification, ({ rows }) =>
    rows.some((row) => row.type === "connection" && row.bytesOut !== null),
  );
  assert.deepStrictEqual(await watch(false), {});
  await Promise.all([off, last]);
  assert.deepStrictEqual(capture.log, ["watch the network", "end the watch"]);
});

test("server: a network that cannot be watched is answered and told with its remedy", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  capture.fails = true;
  const state = next<editor.StateParams>(editor.stateNotification);
  const asked: editor.WatchNetworkParams = { isWatching: true };
  assert.deepStrictEqual(await client.sendRequest(editor.watchNetworkRequest, asked), { problem });
  const { problem: ofTrace, networkProblem } = await state;
  assert.deepStrictEqual([ofTrace, networkProblem], [undefined, problem]);
});

test("server: traffic arrives as rows, in full on request, and is forgotten when cleared", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  await client.sendRequest(editor.startTraceRequest, start([4242]));
  const traffic = next<editor.TrafficParams>(editor.trafficNotification);
  const counted = next<editor.StateParams>(editor.stateNotification, ({ messages }) => messages > 0);
  capture.emit(exchange("e1", { state: "pending" }));
  capture.emit(exchange("e1"));
  capture.emit(message("m1"));
  capture.emit({ type: "lost", records: 3, bytes: 18_200, reason: "ring-buffer-full" });
  assert.deepStrictEqual(
    (await traffic).rows.map(({ id }) => id),
    ["e1", "m1"],
  );
  assert.deepStrictEqual(await counted, {
    tracing: [{ pid: 4242, command: "node" }],
    exchanges: 1,
    messages: 1,
    lost: { records: 3, bytes: 18_200 },
  });
  assert.deepStrictEqual(await client.sendRequest(editor.detailsRequest, { id: "e1" }), exchange("e1"));
  const cleared = next<editor.StateParams>(editor.stateNotification, ({ exchanges }) => exchanges === 0);
  await client.sendRequest(editor.clearRequest);
  await cleared;
  assert.equal(await client.sendRequest(editor.detailsRequest, { id: "e1" }), null);
});

test("server: a trace whose processes have all exited closes by itself", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  await client.sendRequest(editor.startTraceRequest, start([1]));
  const idle = next<editor.StateParams>(editor.stateNotification, ({ tracing }) => tracing.length === 0);
  capture.traced = [];
  capture.emit({ type: "exited", pid: 1, command: "node" });
  await idle;
  assert.deepStrictEqual(capture.log.at(-1), "close");
});

test("server: a trace that ends by itself is a problem, and the next start opens anew", async (t) => {
  const { client, capture, next } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  await client.sendRequest(editor.startTraceRequest, start([1]));
  const ended = next<editor.StateParams>(editor.stateNotification, (state) => state.problem !== undefined);
  capture.end();
  assert.deepStrictEqual(
    { ...(await ended), problem: (await ended).problem?.text },
    {
      tracing: [],
      exchanges: 0,
      messages: 0,
      lost: { records: 0, bytes: 0 },
      problem: problem.text,
    },
  );
  await client.sendRequest(editor.startTraceRequest, start([2]));
  assert.equal(capture.log.filter((line) => line.startsWith("open")).length, 2);
});

test("server: shutting down detaches", async (t) => {
  const { client, capture } = connect(t);
  await client.sendRequest("initialize", { capabilities: {}, processId: null, rootUri: null });
  await client.sendRequest(editor.startTraceRequest, start([1]));
  await client.sendRequest(editor.watchNetworkRequest, { isWatching: true });
  await client.sendRequest("shutdown");
  assert.deepStrictEqual(capture.log.slice(-2), ["end the watch", "close"]);
});
