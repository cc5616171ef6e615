// Servers and tools in C: what nginx serves and what openssl's own server and client say is captured byte for byte,
// with the addresses that the other side sees.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ExchangeEvent, MessageEvent } from "../../src/protocol/traffic.ts";
import { bodyOf } from "../fixtures/bodies.mjs";
import { childrenOf, ended, makeCertificate, openTrace, skipReason, start, type Trace } from "./rig.ts";

const connections = 10;
const sizes = [0, 1, 100, 16_384, 16_385, 300_000, 1_048_576];

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Resolves once something listens. */
async function listening(port: number): Promise<void> {
  for (let tries = 0; ; tries++) {
    const socket = connect(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      return;
    } catch (error) {
      if (tries === 200) throw error;
      await sleep(25);
    } finally {
      socket.destroy();
    }
  }
}

/** nginx with files of each size: its processes, the master first, and its port. */
async function startNginx(t: TestContext): Promise<{ pids: number[]; port: number }> {
  const { key, cert } = makeCertificate(t);
  const folder = dirname(key);
  const port = await freePort();
  for (const size of sizes) writeFileSync(join(folder, `${size}.txt`), bodyOf(size, size));
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`)
    .join(" ");
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; master_process on; worker_processes 2; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
     ${process.geteuid?.() === 0 ? "user root;" : ""}
     events { worker_connections 64; }
     http {
       access_log off; ${temporary}
       server {
         listen 127.0.0.1:${port} ssl http2; ssl_certificate ${cert}; ssl_certificate_key ${key};
         types { text/plain txt; } root ${folder};
         location = /said { default_type text/plain; return 200 "said by the configuration"; }
       }
     }`,
  );
  const master = start(t, "nginx", ["-c", join(folder, "nginx.conf"), "-e", join(folder, "error.log")]);
  await listening(port);
  let workers = childrenOf(master.pid);
  // It listens before it forks.
  for (let tries = 0; workers.length < 2; workers = childrenOf(master.pid), tries++) {
    assert.ok(tries < 1000, "nginx has no workers");
    await sleep(10);
  }
  // They outlive a master that is killed.
  t.after(() => {
    for (const pid of workers) process.kill(pid, "SIGKILL");
  });
  return { pids: [master.pid, ...workers], port };
}

/** Fetches the paths over one connection; gives the client's local port as the client knows it. */
async function curl(t: TestContext, port: number, option: string, paths: string[]): Promise<string> {
  const outputs = paths.flatMap((path) => ["--output", "/dev/null", `https://localhost:${port}${path}`]);
  const args = ["--silent", "--insecure", option, "--write-out", "%{local_port}\n", ...outputs];
  const client = start(t, "curl", args);
  let ports = "";
  client.stdout?.setEncoding("utf8").on("data", (text: string) => (ports += text));
  const status = await ended(client);
  if (client.stdout?.readableEnded === false) await once(client.stdout, "end");
  assert.equal(status, 0);
  const used = new Set(ports.trim().split("\n"));
  assert.equal(used.size, 1, "curl kept its connection");
  return [...used][0] ?? "";
}

function seenExchange({ request, response, connection, protocol, state }: ExchangeEvent, body: string) {
  return {
    target: request?.target ?? null,
    method: request?.method ?? null,
    status: response?.status ?? null,
    size: response?.bodySize ?? null,
    intact: (response?.body?.text ?? "") === body,
    local: connection.local,
    remote: connection.remote,
    serverName: connection.serverName,
    role: connection.role,
    protocol,
    state,
  };
}

for (const [protocol, option] of [
  ["http/1.1", "--http1.1"],
  ["h2", "--http2"],
] as const) {
  test(`nginx: ${protocol} of ten connections at once`, { skip: skipReason("nginx", "curl") }, async (t) => {
    const { pids, port } = await startNginx(t);
    const trace = await openTrace(t);
    const { skipped } = await trace.session.add(pids, { followChildren: false });
    assert.deepStrictEqual(skipped, []);
    const files = sizes.map((size) => ({ path: `/${size}.txt`, body: bodyOf(size, size) }));
    const served = [...files, { path: "/said", body: "said by the configuration" }];
    const clients = await Promise.all(
      Array.from({ length: connections }, async (_, client) => {
        const paths = served.map(({ path }) => `${path}?client=${client}`);
        return { client, localPort: await curl(t, port, option, paths) };
      }),
    );
    const bodies = new Map(served.map(({ path, body }) => [path, body]));
    const expected = clients.flatMap(({ client, localPort }) =>
      served.map(({ path, body }) => ({
        target: `${path}?client=${client}`,
        method: "GET",
        status: 200,
        size: body.length,
        intact: true,
        local: `127.0.0.1:${port}`,
        remote: `127.0.0.1:${localPort}`,
        serverName: "localhost",
        role: "server",
        protocol,
        state: "complete",
      })),
    );
    await trace.seen(() => trace.exchanges().length >= expected.length);
    const byTarget = (a: { target: string | null }, b: { target: string | null }) =>
      String(a.target).localeCompare(String(b.target));
    const seen = trace
      .exchanges()
      .map((exchange) =>
        seenExchange(exchange, bodies.get(exchange.request?.target?.replace(/\?.*/, "") ?? "") ?? ""),
      );
    assert.deepStrictEqual(seen.sort(byTarget), expected.sort(byTarget));
    assert.deepStrictEqual(
      trace.events.filter(({ type }) => type === "lost"),
      [],
    );
  });
}

interface Said {
  direction: MessageEvent["direction"];
  text: string;
}

/** Messages of one process, each direction in one piece: how many calls carried them is the program's affair. */
function said(trace: Trace, pid: number): Said[] {
  const text = (direction: Said["direction"]) =>
    trace
      .messages(pid)
      .filter((message) => message.direction === direction)
      .map(({ preview, size }) => {
        const shown = "text" in preview ? preview.text : preview.hex;
        assert.equal(shown.length, Math.min(size, 256), "the preview is the first bytes");
        return shown;
      })
      .join("");
  return [
    { direction: "out", text: text("out") },
    { direction: "in", text: text("in") },
  ];
}

/** Bytes that this process is seen to have sent and received. */
function amounts(trace: Trace, pid: number): Record<"in" | "out", number> {
  const total = (direction: "in" | "out") =>
    trace
      .messages(pid)
      .reduce((sum, message) => sum + (message.direction === direction ? message.size : 0), 0);
  return { in: total("in"), out: total("out") };
}

function startQuietly(t: TestContext, args: string[]): ChildProcess & { pid: number } {
  const child = spawn("openssl", args, { stdio: ["pipe", "pipe", "ignore"] });
  t.after(() => child.kill("SIGKILL"));
  return child as ChildProcess & { pid: number };
}

/** Resolves once the child has printed this many bytes more. */
async function printed(child: ChildProcess, bytes: number): Promise<void> {
  for (let got = 0; got < bytes;) {
    const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    got += chunk.length;
  }
}

test(
  "openssl: s_server and s_client say what is no HTTP, both ways",
  { skip: skipReason("openssl") },
  async (t) => {
    const { key, cert } = makeCertificate(t);
    const port = await freePort();
    const options = ["-quiet", "-accept", `127.0.0.1:${port}`, "-key", key, "-cert", cert];
    const server = startQuietly(t, ["s_server", ...options]);
    await listening(port);
    const gate = 'read -r go; exec openssl s_client "$@" 2>/dev/null';
    const client = start(t, "/bin/sh", ["-c", gate, "sh", "-quiet", "-connect", `localhost:${port}`]);
    const trace = await openTrace(t);
    assert.deepStrictEqual((await trace.session.add([server.pid], { followChildren: false })).skipped, []);
    await trace.session.addFromStart(client.pid, []);

    // A dialogue, so that the order and the sizes of the calls are known.
    const lines = ["220 how do you do\n", "250 fine, thank you\n", `354 ${"x".repeat(400)}\n`];
    client.stdin?.write("go\n");
    for (const [index, line] of lines.entries()) {
      const [from, to] = index % 2 === 0 ? [client, server] : [server, client];
      const arrived = printed(to, line.length);
      from.stdin?.write(line);
      await arrived;
    }
    const large = `1${bodyOf(100_000, 1)}\n`;
    const arrived = printed(server, large.length);
    client.stdin?.write(large);
    await arrived;
    const out = (lines[0] ?? "").length + (lines[2] ?? "").length + large.length;
    const back = (lines[1] ?? "").length;
    await trace.seen(() => amounts(trace, server.pid).in === out && amounts(trace, client.pid).out === out);

    assert.deepStrictEqual(amounts(trace, client.pid), { out, in: back });
    assert.deepStrictEqual(amounts(trace, server.pid), { out: back, in: out });
    const firstOut = (lines[0] ?? "") + (lines[2] ?? "").slice(0, 256);
    for (const [pid, sent, received] of [
      [client.pid, firstOut, lines[1]],
      [server.pid, lines[1], firstOut],
    ] as const) {
      const [outgoing, incoming] = said(trace, pid);
      assert.ok(outgoing?.text.startsWith(sent ?? ""), JSON.stringify(outgoing?.text.slice(0, 300)));
      assert.ok(incoming?.text.startsWith(received ?? ""), JSON.stringify(incoming?.text.slice(0, 300)));
    }
    const endpoints = (pid: number) =>
      [
        ...new Set(trace.messages(pid).map(({ connection }) => `${connection.local} ${connection.remote}`)),
      ].join();
    const [clientLocal = "", clientRemote = ""] = endpoints(client.pid).split(" ");
    assert.equal(clientRemote, `127.0.0.1:${port}`);
    assert.equal(endpoints(server.pid), `${clientRemote} ${clientLocal}`);
    assert.match(clientLocal, /^127\.0\.0\.1:[1-9]\d+$/);
  },
);
