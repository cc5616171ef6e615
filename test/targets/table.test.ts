// The table of targets, and what becomes of a row: without running the programs, but for one of each side.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { skipReason } from "../kernel/rig.ts";
import { clients } from "./clients.ts";
import { exercise, watchHellos } from "./exercise.ts";
import { byHello, byProxy, measuredExchange, measuredMessages } from "./measured.ts";
import { makeCertificates } from "./peer.ts";
import { agrees, markdown, type Matrix, type Row } from "./render.ts";
import { servers } from "./servers.ts";
import type { Target } from "./target.ts";
import type { ExchangeEvent, HelloEvent, MessageEvent, TraceEvent } from "../../src/protocol/traffic.ts";

const targets = [...clients, ...servers];

test("matrix: at least thirty targets, each with an id of its own, a source and something to say", () => {
  assert.ok(targets.length >= 30, `${targets.length}`);
  assert.equal(new Set(targets.map(({ id }) => id)).size, targets.length);
  for (const { id, name, source, command } of targets) {
    assert.match(id, /^[a-z0-9][a-z0-9.-]*$/);
    assert.notEqual(name, "");
    assert.notEqual(command.length, 0, id);
    assert.notDeepStrictEqual(source, {}, id);
  }
});

const row: Row = {
  id: "a",
  name: "A program",
  version: "1.2",
  side: "client",
  vendor: "not supported",
  skipped: null,
  stack: { name: "OpenSSL", version: "3.0.1", linkage: "dynamic", symbols: "dynsym" },
  class: "dynamic-openssl",
  path: "uprobe",
  predicted: "traceable",
  reason: "libssl.so.3 exports SSL_read and SSL_write",
  measured: { state: "confirmed", protocol: "h2", request: true, response: true },
  byProxy: { state: "confirmed", protocol: "h2", request: true, response: true, reason: null },
  byHello: { state: "named", process: true },
  unverified: false,
};
const dark: Row = {
  ...row,
  ...{ id: "b", name: "B", vendor: null, predicted: "dark", reason: "it has no names" },
  measured: { state: "nothing", protocol: null, request: false, response: false },
  byProxy: {
    ...{ state: "refused", protocol: null, request: false, response: false },
    reason: "b does not take another certificate there",
  },
  byHello: { state: "none-sent", process: false },
};
const rendered = (rows: Row[]): string => {
  const matrix: Matrix = {
    schema: "plainsight.matrix/1",
    ...{ generatedAt: "2026-01-02T03:04:05.000Z", kernel: "6.1.0", arch: "x86_64", rows },
  };
  return markdown(matrix);
};

test("matrix: a row says what is in it, and the headline counts what was run", () => {
  const text = rendered([row, dark, { ...row, id: "c", name: "C", skipped: "not on this machine: c | d" }]);
  assert.match(text, /^3 real programs, .*in 1 of the 2 that ran.* Linux 6\.1\.0, x86_64, 2026-01-02\.$/m);
  assert.ok(
    text.includes(
      "| A program (1.2) | client | OpenSSL 3.0.1 dynamic | dynamic-openssl | uprobe | traceable " +
        "| **plaintext**, h2 | yes / yes | **plaintext** | name | not supported |",
    ),
    text,
  );
  assert.match(text, /\| nothing seen +\| no \/ no +\| refused \| none sent, process not told \| – \|$/m);
  assert.match(text, /\| C \(1\.2\) .* not run: not on this machine: c \\\| d /);
  assert.match(text, /^- B: it has no names$/m);
  assert.match(text, /prediction was wrong\n\nNowhere\./);
  assert.match(text, /gave no plaintext\n\n- B: b does not take another certificate there$/m);
});

test("matrix: the summary counts the programs that each path saw", () => {
  const managed: Row = { ...row, id: "m", measured: dark.measured, predicted: "proxy" };
  assert.match(
    rendered([row, dark, managed, { ...managed, unverified: true }]),
    /in 1 of the 4 that ran.* the local proxy, it was seen in 3, of which 2 show nothing to probes; by one of the two in 3\. .* 4 were seen, 3 with the server's name, 3 with the process\./,
  );
  assert.match(
    rendered([{ ...row, unverified: true }]),
    /\| \*\*plaintext\*\* \(any certificate\) \| name \|/,
  );
});

test("matrix: a prediction that the measurement contradicts is told", () => {
  const silent: Row = { ...row, measured: dark.measured };
  const proxied: Row = { ...silent, predicted: "proxy" };
  const rows: [Row, boolean][] = [
    [row, true],
    [dark, true],
    [silent, false],
    [{ ...row, predicted: "proxy" }, false],
    [proxied, true],
    [{ ...proxied, byProxy: dark.byProxy }, false],
    [{ ...dark, byProxy: row.byProxy }, false],
    [{ ...dark, byProxy: row.byProxy, unverified: true }, true],
    [{ ...dark, predicted: "metadata" }, true],
    [{ ...dark, predicted: "metadata", byHello: { state: "nothing", process: false } }, false],
  ];
  for (const [one, expected] of rows) assert.equal(agrees(one), expected, JSON.stringify(one));
  assert.match(
    rendered([silent]),
    /^- A program: traceable was predicted \(.*\), and nothing seen measured$/m,
  );
});

const said = { target: "/a", request: "asked", response: "told" };
function exchange(sent: string, received: string, state: ExchangeEvent["state"] = "complete"): ExchangeEvent {
  const half = (text: string) => ({ headers: [], bodySize: text.length, body: { text } });
  return {
    ...{
      type: "exchange",
      id: "1",
      pid: 2,
      command: "x",
      path: "uprobe",
      startedAt: "",
      durationMs: 1,
      state,
    },
    connection: { id: "1", role: "client", local: null, remote: null, serverName: null },
    protocol: "http/1.1",
    request: { method: "POST", target: "/a", authority: null, ...half(sent) },
    response: { status: 200, reason: null, ...half(received) },
  };
}

test("matrix: plaintext counts when both halves are what was said, to the byte", () => {
  const state = (...events: Parameters<typeof measuredExchange>[0]) => {
    const measured = measuredExchange(events, said);
    return [measured.state, measured.request, measured.response];
  };
  assert.deepStrictEqual(state(exchange("asked", "told")), ["confirmed", true, true]);
  assert.deepStrictEqual(state(exchange("other", "x"), exchange("asked", "told")), ["confirmed", true, true]);
  assert.deepStrictEqual(state(exchange("asked", "tol")), ["partly", true, false]);
  assert.deepStrictEqual(state(exchange("asked", "told", "pending")), ["nothing", false, false]);
  assert.deepStrictEqual(state(), ["nothing", false, false]);
});

test("matrix: messages count in their direction", () => {
  const message = (direction: MessageEvent["direction"], text: string) =>
    ({ type: "message", direction, preview: { text }, protocol: null }) as MessageEvent;
  const says = { client: [], sent: "answer", received: "question" };
  const state = (...events: MessageEvent[]) => measuredMessages(events, says).state;
  assert.equal(state(message("in", "a question?"), message("out", "an answer")), "confirmed");
  assert.equal(state(message("out", "a question?"), message("in", "an answer")), "partly");
  assert.equal(state(), "nothing");
});

test("matrix: what the proxy did not open is passed through or refused, for the reason that it told", () => {
  const told = "x does not take another certificate there";
  const skipped: TraceEvent = {
    ...{ type: "skipped", pid: 2, reason: { code: "not-trusted", text: `127.0.0.1:443: ${told}` } },
    connection: { id: "1", role: "client", local: null, remote: "127.0.0.1:443", serverName: null },
  };
  const opened = measuredExchange([exchange("asked", "told")], said);
  const closed = measuredExchange([], said);
  const outcome = (...about: Parameters<typeof byProxy>) => {
    const { state, reason } = byProxy(...about);
    return [state, reason];
  };
  assert.deepStrictEqual(outcome(opened, true, []), ["confirmed", null]);
  assert.deepStrictEqual(outcome(closed, true, [skipped]), ["passed-through", told]);
  assert.deepStrictEqual(outcome(closed, false, [skipped]), ["refused", told]);
  assert.deepStrictEqual(outcome(closed, true, []), ["nothing", null], "past the proxy, and nobody said so");
});

test("matrix: a hello counts by its connection, its name and its process", () => {
  const hello = (about: Partial<HelloEvent>, local = "127.0.0.1:40000") =>
    ({
      ...{ type: "hello", direction: "out", pid: 7, serverName: "localhost", ...about },
      connection: { id: "1", role: "client", local, remote: "127.0.0.1:443", serverName: null },
    }) as HelloEvent;
  const spoken = { direction: "out", port: 40000, pids: [7], name: "localhost" } as const;
  const state = (...hellos: HelloEvent[]) => byHello(hellos, spoken);
  assert.deepStrictEqual(state(hello({})), { state: "named", process: true });
  assert.deepStrictEqual(state(hello({ serverName: null })), { state: "misnamed", process: true });
  const none = byHello([hello({ serverName: null })], { ...spoken, name: null });
  assert.deepStrictEqual(none, { state: "none-sent", process: true });
  assert.deepStrictEqual(state(hello({ serverName: "other", pid: null })), {
    state: "misnamed",
    process: false,
  });
  assert.deepStrictEqual(state(hello({ pid: 8 })), { state: "named", process: false });
  for (const stranger of [hello({}, "127.0.0.1:4000"), hello({ direction: "in" })])
    assert.deepStrictEqual(state(stranger), { state: "nothing", process: false });
});

async function runReally(t: TestContext, id: string) {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-matrix-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const target = targets.find((one): one is Target => one.id === id);
  assert.ok(target);
  const { XDG_STATE_HOME: before } = process.env;
  process.env.XDG_STATE_HOME = join(folder, "state");
  const hellos = await watchHellos();
  t.after(async () => {
    await hellos.close();
    if (before === undefined) delete process.env.XDG_STATE_HOME;
    else process.env.XDG_STATE_HOME = before;
  });
  return exercise(target, makeCertificates(folder), join(folder, id), hellos);
}

for (const [id, program, found] of [
  ["curl", "curl", "dynamic-openssl"],
  ["nginx", "nginx", "dynamic-openssl"],
] as const) {
  test(`matrix: ${id}, run really`, { skip: skipReason(program, "openssl") }, async (t) => {
    const { version, report, measured, ...others } = await runReally(t, id);
    assert.match(version ?? "", /^\d/);
    assert.deepStrictEqual(
      [report?.class, report?.verdict, measured.state],
      [found, "traceable", "confirmed"],
    );
    assert.equal(others.byProxy.state, "confirmed", others.byProxy.reason ?? "");
    assert.deepStrictEqual(others.byHello, { state: "named", process: true });
  });
}
