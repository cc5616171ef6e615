// Who is traced, and since when: children from their first byte, programs that start or change later, connections that
// are met half-way; and whose socket is whose, where several share a thread.
import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { everyProcess } from "../../src/analyzer/selection.ts";
import type { ExchangeEvent } from "../../src/protocol/traffic.ts";
import {
  ended,
  firstLine,
  fixtures,
  makeCertificate,
  openTrace,
  skipReason,
  start,
  startEchoServer,
} from "./rig.ts";

const curl = "curl --silent --insecure --output /dev/null";
const nodeClient = (url: string) =>
  `require("https").get("${url}", { rejectUnauthorized: false }, (answer) => answer.resume())`;
const pythonClient = (url: string) =>
  `import ssl, urllib.request as r; r.urlopen("${url}", context=ssl._create_unverified_context()).read()`;

/** Programs whose child's child speaks, as what `sh -c` runs. */
const commands: [string, string[], (url: string) => string][] = [
  ["curl, started by a shell's shell", ["curl"], (url) => `sh -c 'sh -c "${curl} ${url}; true"; true'`],
  ["node, started by a shell", [], (url) => `${process.execPath} -e '${nodeClient(url)}'; true`],
  [
    "curl, started by python",
    ["python3", "curl"],
    (url) => `/usr/bin/python3 -c 'import subprocess; subprocess.run("${curl} ${url}", shell=True)'`,
  ],
  ["python, started by a shell", ["python3"], (url) => `/usr/bin/python3 -c '${pythonClient(url)}'; true`],
];

for (const [name, programs, command] of commands) {
  test(`from the first byte: ${name}`, { skip: skipReason(...programs) }, async (t) => {
    const server = await startEchoServer(t, "h1");
    const trace = await openTrace(t);
    const script = command(`https://localhost:${server.port}/child`);
    const child = start(t, "/bin/sh", ["-c", `read -r go; ${script}`]);
    await trace.session.addFromStart(child.pid, []);
    child.stdin?.write("go\n");
    assert.equal(await ended(child), 0);
    await trace.seen(() => trace.exchanges().length === 1);
    const [exchange] = trace.exchanges();
    assert.equal(exchange?.request?.target, "/child");
    assert.equal(exchange.state, "complete");
    assert.notEqual(exchange.pid, child.pid);
    assert.equal(exchange.connection.remote, `127.0.0.1:${server.port}`);
    assert.equal(exchange.connection.serverName, "localhost");
  });
}

test(
  "a process of a chosen name that starts later and speaks at once",
  { skip: skipReason("python3") },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const program = join(dirname(makeCertificate(t).key), "late-comer");
    symlinkSync("/usr/bin/python3", program);
    const trace = await openTrace(t);
    await trace.session.addLater({ ...everyProcess, names: ["late-com*"] });
    const plan = JSON.stringify([{ path: "/late", size: 3, seed: 1 }]);
    const client = start(t, program, [join(fixtures, "client.py"), server.port, "1", plan]);
    const other = start(t, "/usr/bin/python3", [join(fixtures, "client.py"), server.port, "1", plan]);
    for (const child of [client, other]) child.stdin?.write("go\n");
    assert.equal(await ended(client), 0);
    await trace.seen(() => trace.exchanges(client.pid).length === 1);
    assert.equal(await ended(other), 0);
    assert.deepStrictEqual(
      (await trace.session.close(), trace.exchanges()).map(({ pid, command }) => [pid, command]),
      [[client.pid, "late-comer"]],
    );
  },
);

test(
  "what a process of a chosen name starts is followed, also where that one starts later",
  { skip: skipReason("curl") },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const program = join(dirname(makeCertificate(t).key), "late-shell");
    symlinkSync("/bin/sh", program);
    const trace = await openTrace(t);
    await trace.session.addLater({ ...everyProcess, names: ["late-sh*"] });
    const url = `https://localhost:${server.port}/late?size=0&seed=1`;
    const shell = start(t, program, ["-c", 'read -r go; curl -sk "$0"; true', url]);
    while (!trace.session.traced.some(({ pid }) => pid === shell.pid)) await sleep(10);
    shell.stdin?.end("go\n");
    assert.equal(await ended(shell), 0);
    await trace.session.close();
    const [exchange, ...others] = trace.exchanges();
    assert.deepStrictEqual([exchange?.command, others], ["curl", []]);
    assert.notEqual(exchange?.pid, shell.pid);
  },
);

const forkingClient = `
import os, ssl, sys, urllib.request
context = ssl._create_unverified_context()
def ask(path):
    urllib.request.urlopen(f"https://localhost:{sys.argv[1]}{path}", context=context).read()
sys.stdin.readline()
ask("/parent")
child = os.fork()
if child == 0:
    ask("/child")
    os._exit(0)
sys.exit(os.waitpid(child, 0)[1])
`;

test("a fork without exec is followed, or not, as was asked", { skip: skipReason("python3") }, async (t) => {
  const server = await startEchoServer(t, "h1");
  for (const followChildren of [true, false]) {
    const client = start(t, "/usr/bin/python3", ["-c", forkingClient, server.port]);
    const trace = await openTrace(t);
    await trace.session.add([client.pid], { followChildren });
    client.stdin?.write("go\n");
    assert.equal(await ended(client), 0);
    await trace.seen((event) => event.type === "exited" && event.pid === client.pid);
    await trace.session.close();
    const targets = trace
      .exchanges()
      .map(({ request, pid, state }) => [request?.target, pid === client.pid, state]);
    const child = followChildren ? [["/child", false, "complete"]] : [];
    assert.deepStrictEqual(targets, [["/parent", true, "complete"], ...child]);
  }
});

test("a process that becomes another program", { skip: skipReason("python3", "curl") }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const url = (path: string) => `https://localhost:${server.port}${path}`;
  const words = `${curl} ${url("/after")}`.split(" ").map((word) => JSON.stringify(word));
  const script = `import os, sys; sys.stdin.readline()\n${pythonClient(url("/before"))}\nos.execvp("curl", [${words.join(", ")}])`;
  const client = start(t, "/usr/bin/python3", ["-c", script]);
  const trace = await openTrace(t);
  assert.deepStrictEqual((await trace.session.add([client.pid], { followChildren: false })).skipped, []);
  client.stdin?.write("go\n");
  assert.equal(await ended(client), 0);
  await trace.seen(() => trace.exchanges(client.pid).length === 2);
  assert.deepStrictEqual(
    trace.exchanges().map(({ request, state }) => [request?.target, state]),
    [
      ["/before", "complete"],
      ["/after", "complete"],
    ],
  );
});

/** The addresses that were told for requests whose target begins so. */
function addresses(exchanges: ExchangeEvent[], prefix: string): string[] {
  const told = exchanges
    .filter(({ request }) => request?.target?.startsWith(prefix))
    .map(({ connection }) => `${connection.local} ${connection.remote}`);
  return [...new Set(told)];
}

test(
  "memory buffers sent in a misleading order: no address rather than a wrong one",
  { skip: skipReason("python3") },
  async (t) => {
    const servers = await Promise.all([startEchoServer(t, "h1"), startEchoServer(t, "h1")]);
    const ports = servers.map(({ port }) => port);
    const client = start(t, "/usr/bin/python3", [join(fixtures, "memory-bio.py"), ...ports]);
    const trace = await openTrace(t);
    await trace.session.add([client.pid], { followChildren: false });
    client.stdin?.write("go\n");
    const locals = (await firstLine(client)).split(" ");
    await trace.seen(() => trace.exchanges().length === 6);
    for (const [index, prefix] of ["/first", "/other"].entries()) {
      const right = `127.0.0.1:${locals[index]} 127.0.0.1:${ports[index]}`;
      for (const told of addresses(trace.exchanges(), prefix))
        assert.ok([right, "null null"].includes(told), told);
    }
  },
);

test(
  "asyncio: connections on one thread have their own addresses",
  { skip: skipReason("python3") },
  async (t) => {
    const servers = await Promise.all([
      startEchoServer(t, "h1"),
      startEchoServer(t, "h1"),
      startEchoServer(t, "h1"),
    ]);
    const ports = servers.map(({ port }) => port);
    const client = start(t, "/usr/bin/python3", [join(fixtures, "asyncio-client.py"), ...ports]);
    const trace = await openTrace(t);
    await trace.session.add([client.pid], { followChildren: false });
    client.stdin?.write("go\n");
    const locals = (await firstLine(client)).split(" ");
    await trace.seen(() => trace.exchanges().length === 9);
    assert.deepStrictEqual(
      ports.map((port) => addresses(trace.exchanges(), `/${port}/`)),
      ports.map((port, index) => [`127.0.0.1:${locals[index]} 127.0.0.1:${port}`]),
    );
  },
);

interface PacedClient {
  pid: number;
  /** Gives the local port of the connection. */
  send(port: string, path: string): Promise<string>;
}

function startPacedClient(t: TestContext, protocol: "h1" | "h2"): PacedClient {
  const child = start(t, process.execPath, [join(fixtures, "paced-client.mjs"), protocol]);
  const lines = createInterface((child as ChildProcess).stdout as NodeJS.ReadableStream);
  return {
    pid: child.pid,
    send: async (port, path) => {
      const answered = once(lines, "line");
      child.stdin?.write(`${port} ${path}\n`);
      const [line] = (await answered) as [string];
      const [answeredPath, status, localPort = ""] = line.split(" ");
      assert.deepStrictEqual([answeredPath, status], [path, "200"]);
      return localPort;
    },
  };
}

for (const protocol of ["h1", "h2"] as const) {
  test(
    `node: ${protocol} to two servers in turn, each with its own addresses`,
    { skip: skipReason() },
    async (t) => {
      const servers = await Promise.all([startEchoServer(t, protocol), startEchoServer(t, protocol)]);
      const client = startPacedClient(t, protocol);
      const trace = await openTrace(t);
      await trace.session.add([client.pid], { followChildren: false });
      const locals: string[] = [];
      for (const turn of [0, 1, 2]) {
        for (const [index, { port }] of servers.entries())
          locals[index] = await client.send(port, `/${port}/${turn}`);
      }
      await trace.seen(() => trace.exchanges().length === 6);
      assert.deepStrictEqual(
        servers.map(({ port }) => addresses(trace.exchanges(), `/${port}/`)),
        servers.map(({ port }, index) => [`127.0.0.1:${locals[index]} 127.0.0.1:${port}`]),
      );
    },
  );
}

test(
  "http/1.1 met half-way: what follows is right, and so are its addresses",
  { skip: skipReason() },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const client = startPacedClient(t, "h1");
    for (const turn of [0, 1, 2]) await client.send(server.port, `/unseen/${turn}`);
    const trace = await openTrace(t);
    await trace.session.add([client.pid, server.pid], { followChildren: false });
    let local = "";
    for (const turn of [0, 1, 2]) local = await client.send(server.port, `/seen/${turn}`);
    for (const [pid, own, other] of [
      [client.pid, local, server.port],
      [server.pid, server.port, local],
    ] as const) {
      await trace.seen(() => trace.exchanges(pid).length === 3);
      assert.deepStrictEqual(
        trace.exchanges(pid).map(({ request, response, connection, state }) => ({
          target: request?.target,
          body: request?.body?.text,
          echoed: response?.body?.text,
          state,
          addresses: `${connection.local} ${connection.remote}`,
        })),
        [0, 1, 2].map((turn) => ({
          target: `/seen/${turn}`,
          body: `body of /seen/${turn}`,
          echoed: `body of /seen/${turn}`,
          state: "complete",
          addresses: `127.0.0.1:${own} 127.0.0.1:${other}`,
        })),
      );
    }
    assert.deepStrictEqual(trace.messages(), []);
  },
);

test("h2 met half-way: bodies are right and no field is invented", { skip: skipReason() }, async (t) => {
  const server = await startEchoServer(t, "h2");
  const client = startPacedClient(t, "h2");
  for (const turn of [0, 1, 2]) await client.send(server.port, `/unseen/${turn}`);
  const trace = await openTrace(t);
  await trace.session.add([client.pid, server.pid], { followChildren: false });
  for (const turn of [0, 1, 2]) await client.send(server.port, `/seen/${turn}`);
  for (const pid of [client.pid, server.pid]) {
    await trace.seen(() => trace.exchanges(pid).length === 3);
    for (const [turn, { request, response, protocol, state }] of trace.exchanges(pid).entries()) {
      assert.deepStrictEqual([protocol, state], ["h2", "complete"]);
      assert.equal(
        request?.target,
        `/seen/${turn}`,
        "a path that was never sent before is literal on the wire",
      );
      assert.equal(request.body?.text, `body of /seen/${turn}`);
      assert.equal(response?.body?.text, `body of /seen/${turn}`);
      assert.equal(response.status, 200);
      const known = [
        ["x-kept", "the same in every request"],
        ["content-type", "text/plain"],
      ];
      const invented = request.headers.filter(
        ([name, value]) =>
          name !== null && value !== null && !known.some(([n, v]) => n === name && v === value),
      );
      assert.deepStrictEqual(invented, []);
    }
    const first = trace.exchanges(pid)[0];
    assert.ok(
      first?.request?.headers.some(([, value]) => value === null),
      "the header that both sides had in their tables is unknown",
    );
  }
  assert.deepStrictEqual(trace.messages(), []);
});

test(
  "a connection that is left and met again tells nothing of the time between",
  { skip: skipReason() },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const client = startPacedClient(t, "h1");
    const trace = await openTrace(t);
    for (const turn of [0, 1, 2]) {
      await trace.session.add([client.pid], { followChildren: false });
      await client.send(server.port, `/seen/${turn}`);
      await trace.seen(() => trace.exchanges().length > turn);
      await trace.session.remove([client.pid]);
      await client.send(server.port, `/unseen/${turn}`);
    }
    assert.deepStrictEqual(
      trace.exchanges().map(({ request, response, state }) => [request?.target, response?.body?.text, state]),
      [0, 1, 2].map((turn) => [`/seen/${turn}`, `body of /seen/${turn}`, "complete"]),
    );
  },
);
