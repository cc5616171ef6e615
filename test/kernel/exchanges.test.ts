// Known requests through real clients and servers: what is captured must be what was sent, byte for byte, whichever
// side is traced.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ExchangeEvent } from "../../src/protocol/traffic.ts";
import { bodyOf } from "../fixtures/bodies.mjs";
import { ended, fixtures, openTrace, skipReason, start, startEchoServer, type Trace } from "./rig.ts";

interface PlannedRequest {
  path: string;
  size: number;
  seed: number;
}

const connections = 10;
const sizes = [0, 1, 100, 16_384, 16_385, 300_000, 1_048_576];
/** Every size, and enough small ones that each of the ten connections is used again. */
const plan: PlannedRequest[] = [...sizes, ...Array.from({ length: 23 }, (_, i) => i * 37)].map(
  (size, seed) => ({
    path: `/orders/${seed}?size=${size}`,
    size,
    seed,
  }),
);

/** What one side of the plan looks like, in an order that does not depend on who was first. */
function outcome(exchanges: ExchangeEvent[]) {
  return exchanges
    .map(({ request, response, state, protocol, connection }) => ({
      target: request?.target,
      method: request?.method,
      sent: request?.bodySize,
      received: response?.bodySize,
      // Not the megabytes themselves: a difference would print them.
      sentIntact: request?.body?.text ?? "",
      receivedIntact: response?.body?.text ?? "",
      status: response?.status,
      state,
      protocol,
      role: connection.role,
      addresses: connection.local !== null && connection.remote !== null,
    }))
    .map((seen) => {
      const planned = plan.find(({ path }) => path === seen.target);
      const body = planned ? bodyOf(planned.size, planned.seed) : "not planned";
      return { ...seen, sentIntact: seen.sentIntact === body, receivedIntact: seen.receivedIntact === body };
    })
    .sort((a, b) => String(a.target).localeCompare(String(b.target)));
}

function expected(protocol: ExchangeEvent["protocol"], role: "client" | "server") {
  return plan
    .map(({ path, size }) => ({
      target: path,
      method: "POST",
      sent: size,
      received: size,
      sentIntact: true,
      receivedIntact: true,
      status: 200,
      state: "complete",
      protocol,
      role,
      addresses: true,
    }))
    .sort((a, b) => a.target.localeCompare(b.target));
}

async function complete(trace: Trace, pid: number): Promise<ExchangeEvent[]> {
  await trace.seen(() => trace.exchanges(pid).length >= plan.length);
  return trace.exchanges(pid);
}

function assertNothingLost(trace: Trace): void {
  assert.deepStrictEqual(
    trace.events.filter(({ type }) => type === "lost"),
    [],
  );
}

for (const protocol of ["h1", "h2"] as const) {
  const name = protocol === "h1" ? "http/1.1" : "h2";
  test(
    `node: ${name} client and server are captured alike, byte for byte`,
    { skip: skipReason() },
    async (t) => {
      const server = await startEchoServer(t, protocol);
      const args = [
        join(fixtures, "client.mjs"),
        protocol,
        server.port,
        String(connections),
        JSON.stringify(plan),
      ];
      const client = start(t, process.execPath, args);
      const trace = await openTrace(t);
      const { skipped } = await trace.session.add([server.pid, client.pid], { followChildren: false });
      assert.deepStrictEqual(skipped, []);
      client.stdin?.write("go\n");
      assert.equal(await ended(client), 0);
      assert.deepStrictEqual(outcome(await complete(trace, client.pid)), expected(name, "client"));
      assert.deepStrictEqual(outcome(await complete(trace, server.pid)), expected(name, "server"));
      assertServerName(trace, client.pid);
      assertNothingLost(trace);
    },
  );
}

function assertServerName(trace: Trace, pid: number): void {
  const names = new Set(trace.exchanges(pid).map(({ connection }) => connection.serverName));
  assert.deepStrictEqual([...names], ["localhost"]);
}

test(
  "python: a client that imports ssl long after tracing began",
  { skip: skipReason("python3") },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const args = [join(fixtures, "client.py"), server.port, String(connections), JSON.stringify(plan)];
    const client = start(t, "/usr/bin/python3", args);
    const trace = await openTrace(t);
    const { attached } = await trace.session.add([client.pid], { followChildren: false });
    assert.deepStrictEqual(attached, [client.pid]);
    client.stdin?.write("go\n");
    assert.equal(await ended(client), 0);
    assert.deepStrictEqual(outcome(await complete(trace, client.pid)), expected("http/1.1", "client"));
    assertServerName(trace, client.pid);
    assertNothingLost(trace);
  },
);

/** curl sends the plan's bodies from its own command line: the small ones, each in a process of its own. */
const small = plan.filter(({ size }) => size > 0 && size < 2000);

async function curlOnce(
  t: TestContext,
  trace: Trace,
  url: string,
  options: string[],
  body: string,
): Promise<void> {
  const script =
    'read -r go; exec curl --silent --insecure --output /dev/null --header "content-type: text/plain" "$@"';
  const curl = start(t, "/bin/sh", ["-c", script, "sh", ...options, "--data-raw", body, url]);
  await trace.session.addFromStart(curl.pid, []);
  curl.stdin?.write("go\n");
  assert.equal(await ended(curl), 0);
}

for (const [protocol, option] of [
  ["http/1.1", "--http1.1"],
  ["h2", "--http2"],
] as const) {
  test(`curl: ${protocol} from the first byte of a new process`, { skip: skipReason("curl") }, async (t) => {
    const server = await startEchoServer(t, protocol === "h2" ? "h2" : "h1");
    const trace = await openTrace(t);
    for (const { path, size, seed } of small) {
      await curlOnce(t, trace, `https://localhost:${server.port}${path}`, [option], bodyOf(size, seed));
    }
    await trace.seen(() => trace.exchanges().length >= small.length);
    const targets = new Set(small.map(({ path }) => path));
    assert.deepStrictEqual(
      outcome(trace.exchanges()),
      expected(protocol, "client").filter(({ target }) => targets.has(target)),
    );
    assertNothingLost(trace);
  });
}

test(
  "curl: ten transfers at once over one connection, a megabyte each way",
  { skip: skipReason("curl") },
  async (t) => {
    const server = await startEchoServer(t, "h2");
    const trace = await openTrace(t);
    const urls = Array.from(
      { length: 10 },
      (_, i) => `https://localhost:${server.port}/many?answer=1048576&seed=${i}`,
    );
    const outputs = urls.flatMap((url) => ["--output", "/dev/null", url]);
    const script = 'read -r go; exec curl --silent --insecure --parallel "$@"';
    const curl = start(t, "/bin/sh", ["-c", script, "sh", ...outputs]);
    await trace.session.addFromStart(curl.pid, []);
    curl.stdin?.write("go\n");
    assert.equal(await ended(curl), 0);
    await trace.seen(() => trace.exchanges().length >= urls.length);
    const bodies = trace.exchanges().map(({ response }) => response?.body?.text ?? "");
    assert.deepStrictEqual(
      urls.map((_, seed) => bodies.includes(bodyOf(1_048_576, seed))),
      urls.map(() => true),
    );
    assertNothingLost(trace);
  },
);
