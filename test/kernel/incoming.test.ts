// Connections that come in to a local server, through the proxy with the server's own certificate: clients notice
// nothing, and nothing is left when the proxy is gone.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import https from "node:https";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { certificate, type TestCertificate } from "../analyzer/network/certificates.ts";
import { listening, temporaryFolder } from "../analyzer/network/proxy-rig.ts";
import { openNamespace } from "./network-rig.ts";
import { traceByProxy } from "./proxy-run.ts";
import { gone, skipReason, tracerOf } from "./rig.ts";

const run = promisify(execFile);
const skip = skipReason("curl");

interface LocalServer {
  port: number;
  /** Options that give its certificate and key. */
  options: string[];
  environment: NodeJS.ProcessEnv;
  /** What a client gets: whom the server saw. */
  ask(...options: string[]): Promise<string>;
}

/** A local client stays one to the server. */
const throughProxy = "the proxy, ::ffff:127.0.0.1";

/** In this process, on all addresses; `shown` is what it shows where that is not what the proxy is told. */
async function localServer(t: TestContext, shown?: TestCertificate): Promise<LocalServer> {
  const own = await certificate();
  const { cert, key } = shown ?? own;
  const server = https.createServer({ cert, key }, (request, response) => {
    const { remoteAddress = "", remotePort = 0 } = request.socket;
    response.end(`${remotePort >= 61_000 ? "the proxy, " : ""}${remoteAddress}`);
  });
  const port = await listening(t, server, "::");
  const folder = temporaryFolder(t);
  const files = {
    cert: join(folder, "cert.pem"),
    key: join(folder, "key.pem"),
    shown: join(folder, "shown.pem"),
  };
  writeFileSync(files.cert, own.cert);
  writeFileSync(files.key, own.key);
  writeFileSync(files.shown, cert);
  return {
    port,
    options: ["--port", String(port), "--certificate", files.cert, "--key", files.key],
    environment: { ...process.env, XDG_STATE_HOME: join(folder, "state") },
    ask: async (...options) =>
      (await run("curl", ["-sS", "--cacert", files.shown, `https://localhost:${port}/who`, ...options]))
        .stdout,
  };
}

test(
  "incoming: a server of another network namespace is refused, with the reason",
  { skip: skipReason("ip", "unshare", "nsenter", "openssl") },
  async (t) => {
    const { options, environment } = await localServer(t);
    const [, port = "", , cert = "", , key = ""] = options;
    const away = await openNamespace(t);
    const free = String(Number(port) + 1);
    const server = away.start("openssl", "s_server", "-accept", free, "-cert", cert, "-key", key);
    await once(server.stdout ?? server, "data"); // ACCEPT
    const tracing = traceByProxy(t, environment, ["--port", free, ...options.slice(2)]);
    assert.equal(await tracing.ended, 3, tracing.said());
    assert.deepStrictEqual(
      tracing.skipped().map(({ reason }) => reason.code),
      ["other-namespace"],
    );
    assert.doesNotMatch(tracing.said(), /tracing what comes in/);
  },
);

test("incoming: clients by IPv4 and IPv6 are seen from the server's side", { skip }, async (t) => {
  const server = await localServer(t);
  const trace = traceByProxy(t, server.environment, server.options);
  await trace.hears(/tracing what comes in to/);
  assert.deepStrictEqual([await server.ask("-4"), await server.ask("-6")], [throughProxy, throughProxy]);
  trace.child.kill("SIGINT");
  assert.equal(await trace.ended, 0);
  assert.deepStrictEqual(
    trace.exchanges().map(({ pid, path, connection, request, response }) => ({
      pid,
      path,
      role: connection.role,
      local: connection.local,
      fromLoopback: /^(127\.0\.0\.1|\[::1\]):\d+$/.test(connection.remote ?? ""),
      target: request?.target,
      status: response?.status,
    })),
    [`127.0.0.1:${server.port}`, `[::1]:${server.port}`].map((local) => ({
      pid: process.pid,
      path: "mitm",
      role: "server",
      local,
      fromLoopback: true,
      target: "/who",
      status: 200,
    })),
  );
  assert.equal(await server.ask("-4"), "::ffff:127.0.0.1");
});

test("incoming: a client of another address does not seem to be on 127.0.0.1", { skip }, async (t) => {
  const server = await localServer(t);
  const trace = traceByProxy(t, server.environment, server.options);
  await trace.hears(/tracing what comes in to/);
  const asked = await server.ask("-4", "--interface", "127.0.0.2");
  assert.equal(asked.replace("the proxy, ", ""), "::ffff:127.83.0.1");
  trace.child.kill("SIGINT");
  assert.equal(await trace.ended, 0);
  assert.equal(trace.exchanges().length, 1);
});

test("incoming: goes to the server again when the proxy is killed", { skip }, async (t) => {
  const server = await localServer(t);
  const trace = traceByProxy(t, server.environment, server.options);
  await trace.hears(/tracing what comes in to/);
  assert.equal(await server.ask("-4"), throughProxy);
  const tracer = tracerOf(trace.child.pid ?? 0);
  trace.child.kill("SIGKILL");
  await once(trace.child, "exit");
  assert.equal(await server.ask("-4"), "::ffff:127.0.0.1");
  await gone(tracer);
  assert.equal(await server.ask("-6"), "::1");
});

test(
  "incoming: a server that shows another certificate is passed through, and it is said",
  { skip },
  async (t) => {
    const server = await localServer(t, await certificate());
    const trace = traceByProxy(t, server.environment, server.options);
    await trace.hears(/tracing what comes in to/);
    assert.equal(await server.ask("-4"), throughProxy);
    trace.child.kill("SIGINT");
    assert.equal(await trace.ended, 0);
    assert.deepStrictEqual(
      trace.skipped().map(({ reason }) => reason.text),
      [
        "localhost: the server shows another certificate than the one that was given; passed through untouched",
      ],
    );
  },
);

const wrong: [
  name: string,
  change: (server: LocalServer, other: string) => string[],
  said: RegExp,
  code: number,
][] = [
  ["no port", ({ options }) => options.slice(2), /need --port of the server that has them/, 2],
  ["no key", ({ options }) => options.slice(0, 4), /--certificate and --key go together/, 2],
  [
    "another's key",
    ({ options }, other) => [...options.slice(0, 5), other],
    /the certificate does not match its key/,
    2,
  ],
  [
    "a key that is none",
    ({ options }) => [...options.slice(0, 5), "/etc/hostname"],
    /the key is not one in PEM/,
    2,
  ],
  ["a key that is not there", ({ options }) => [...options.slice(0, 5), "/no/key"], /\/no\/key: ENOENT/, 2],
  ["a port of nobody", ({ options }) => ["--port", "1", ...options.slice(2)], /listens on port 1/, 3],
];
for (const [name, change, said, code] of wrong) {
  test(`incoming: ${name} is told`, { skip }, async (t) => {
    const server = await localServer(t);
    const other = join(temporaryFolder(t), "other.pem");
    writeFileSync(other, (await certificate()).key);
    const trace = traceByProxy(t, server.environment, change(server, other));
    assert.equal(await trace.ended, code);
    assert.match(trace.said(), said);
  });
}
