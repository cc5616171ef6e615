// Connections of traced processes go to the proxy and of nobody else, the proxy can ask where they were going, and
// nothing is left when the proxy or the tracer is gone.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { realpathSync, statSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { test, type TestContext } from "node:test";
import { promisify } from "node:util";
import { redirectedFrom } from "../../src/analyzer/network/redirected.ts";
import { openNamespace } from "./network-rig.ts";
import { ended, firstLine, skipReason } from "./rig.ts";
import { startTracer, type TracerProcess } from "./tracer-process.ts";

const run = promisify(execFile);
const skip = skipReason("curl");

/** A server on loopback that answers every request with its name; gives its port. */
async function serve(t: TestContext, says: string, address: string, port = 0): Promise<number> {
  const server = http.createServer((_, response) => response.end(says));
  server.keepAliveTimeout = 1;
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

interface Rig {
  tracer: TracerProcess;
  port: number;
  /** What the proxy was told of each connection. */
  arrivals: unknown[];
  closeProxy(): Promise<void>;
}

/** A proxy that answers "proxy" to whatever it gets, and a tracer that redirects to it. */
async function redirect(t: TestContext, { ipv6 = true, holds = false } = {}): Promise<Rig> {
  const tracer = startTracer(t);
  const arrivals: unknown[] = [];
  const onConnection = async (socket: net.Socket) => {
    const family = socket.remoteFamily === "IPv6" ? "ipv6" : "ipv4";
    const answer = await tracer.call({ type: "redirected", family, port: socket.remotePort ?? 1 });
    assert.equal(answer.type, "redirected");
    const original = answer.original === null ? null : redirectedFrom(answer.original);
    arrivals.push(original && { ...original, pid: typeof original.pid });
    socket.resume().end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy");
  };
  const listen = (address: string, port: number) => {
    const server = net.createServer((socket) => void onConnection(socket));
    t.after(() => server.close());
    return new Promise<net.Server>((resolve) => {
      server.listen(port, address, () => {
        resolve(server);
      });
    });
  };
  const first = await listen("127.0.0.1", 0);
  const { port } = first.address() as AddressInfo;
  const second = await listen("::1", port);
  const opened = await tracer.call({ type: "open", ringBytes: 65_536, features: {} });
  assert.equal(opened.type, "opened");
  assert.deepStrictEqual(await tracer.call({ type: "redirect", pid: process.pid, port, ipv6, holds }), {
    type: "done",
  });
  const closeProxy = async () => {
    for (const server of [first, second]) await new Promise((resolve) => server.close(resolve));
  };
  return { tracer, port, arrivals, closeProxy };
}

/** What curl says of a connection that was refused; the port that it had is 0, or since curl 8.12 -1. */
const refused = "0 7";

/** Runs the script in a shell that is traced before it begins; gives its output. */
async function traced({ tracer }: Rig, script: string): Promise<string> {
  const shell = spawn("sh", ["-c", `read -r go; ${script}`], { stdio: ["pipe", "pipe", "inherit"] });
  if (shell.pid === undefined) throw new Error("start sh: it is not there");
  let output = "";
  shell.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  await tracer.call({ type: "trace", pids: [shell.pid], followChildren: true, proxied: "always" });
  shell.stdin.end("go\n");
  await ended(shell);
  return output.trim().replaceAll("-1 7", refused);
}

const ask = (url: string) => `curl -s -m 5 -w ' %{remote_ip} %{remote_port} %{exitcode}\\n' '${url}' || true`;

test("redirect: the proxy learns the address, and the program keeps it", { skip }, async (t) => {
  const rig = await redirect(t);
  const local = await serve(t, "direct", "127.0.0.1");
  const urls = [
    "http://192.0.2.1:81/",
    "http://[2001:db8::1]:82/",
    "http://[::ffff:192.0.2.7]:83/",
    `http://127.0.0.1:${local}/`,
  ];
  assert.deepStrictEqual((await traced(rig, urls.map(ask).join("; "))).split("\n"), [
    "proxy 192.0.2.1 81 0",
    "proxy 2001:db8::1 82 0",
    "proxy ::ffff:192.0.2.7 83 0",
    `proxy 127.0.0.1 ${local} 0`,
  ]);
  assert.deepStrictEqual(rig.arrivals, [
    { address: "192.0.2.1", port: 81, pid: "number", isHeld: false },
    { address: "2001:db8::1", port: 82, pid: "number", isHeld: false },
    { address: "192.0.2.7", port: 83, pid: "number", isHeld: false },
    { address: "127.0.0.1", port: local, pid: "number", isHeld: false },
  ]);
});

test("redirect: a local port where nobody listens refuses, as without the proxy", { skip }, async (t) => {
  const rig = await redirect(t);
  assert.equal(
    await traced(rig, `${ask("http://127.0.0.1:1/")}; ${ask("http://[::1]:1/")}`),
    `${refused}\n  ${refused}`,
  );
  assert.deepStrictEqual(rig.arrivals, []);
});

test(
  "redirect: IPv6 that cannot be reached from here fails as it does, to be tried by IPv4",
  { skip },
  async (t) => {
    const rig = await redirect(t, { ipv6: false });
    const sixLocal = await serve(t, "direct", "::1");
    const script = `unshare --net true; ${ask(`http://[::1]:${sixLocal}/`)}; ${ask("http://[2001:db8::1]:82/")}`;
    const [loopback, far] = (await traced(rig, script)).split("\n");
    assert.equal(loopback, `proxy ::1 ${sixLocal} 0`);
    assert.doesNotMatch(far ?? "", /proxy/);
  },
);

test("redirect: other processes, and other network namespaces, go direct", { skip }, async (t) => {
  const rig = await redirect(t);
  const port = await serve(t, "direct", "127.0.0.1");
  assert.equal((await run("curl", ["-s", `http://127.0.0.1:${port}/`])).stdout, "direct");
  const elsewhere = `unshare --net sh -c 'ip link set lo up; ${ask(`http://127.0.0.1:${port}/`).replaceAll("'", '"')}'`;
  assert.equal(await traced(rig, elsewhere), refused);
  assert.deepStrictEqual(rig.arrivals, []);
});

test(
  "redirect: a connection that is bound to an interface goes direct, unless that leads to the proxy",
  { skip },
  async (t) => {
    const rig = await redirect(t);
    const other = await openNamespace(t);
    const near = `ps-bound-${process.pid % 1000}`;
    const pair = ["link", "add", near, "type", "veth", "peer", "name", "far", "netns", String(other.holder)];
    execFileSync("ip", pair);
    execFileSync("ip", ["address", "add", "198.51.100.1/24", "dev", near]);
    execFileSync("ip", ["link", "set", near, "up"]);
    other.run("ip", "address", "add", "198.51.100.2/24", "dev", "far");
    other.run("ip", "link", "set", "far", "up");
    const answering = `require("node:http").createServer((_, response) => response.end("direct"))
      .listen(0, "198.51.100.2", function () { console.log(this.address().port) })`;
    const port = await firstLine(other.start(process.execPath, "-e", answering));
    const far = ask(`http://198.51.100.2:${port}/`);
    const said = await traced(rig, `${far}; ${far.replace("-s", `-s --interface ${near}`)}`);
    assert.deepStrictEqual(said.split("\n"), [
      `proxy 198.51.100.2 ${port} 0`,
      `direct 198.51.100.2 ${port} 0`,
    ]);
    const local = await serve(t, "direct", "127.0.0.1");
    const loopback = ask(`http://127.0.0.1:${local}/`).replace("-s", "-s --interface lo");
    assert.equal(await traced(rig, loopback), `proxy 127.0.0.1 ${local} 0`);
  },
);

test("redirect: where the proxy could not connect, programs go direct for a while", { skip }, async (t) => {
  const rig = await redirect(t);
  const port = await serve(t, "direct", "127.0.0.1");
  const original = `7f000001${"00".repeat(12)}0200${port
    .toString(16)
    .padStart(4, "0")
    .replace(/(..)(..)/, "$2$1")}2a00000000000000`;
  await rig.tracer.call({ type: "direct", original, milliseconds: 60_000 });
  assert.equal(await traced(rig, ask(`http://127.0.0.1:${port}/`)), `direct 127.0.0.1 ${port} 0`);
  await rig.tracer.call({ type: "direct", original, milliseconds: 0 });
  assert.equal(await traced(rig, ask(`http://127.0.0.1:${port}/`)), `proxy 127.0.0.1 ${port} 0`);
});

test("redirect: ends with the proxy", { skip }, async (t) => {
  const rig = await redirect(t);
  const port = await serve(t, "direct", "127.0.0.1");
  const request = ask(`http://127.0.0.1:${port}/`);
  assert.equal(await traced(rig, request), `proxy 127.0.0.1 ${port} 0`);
  await rig.closeProxy();
  assert.equal(await traced(rig, request), `direct 127.0.0.1 ${port} 0`);
});

test("redirect: is gone when the tracer is killed", { skip }, async (t) => {
  const rig = await redirect(t);
  const port = await serve(t, "direct", "127.0.0.1");
  const request = `curl -s -m 5 http://127.0.0.1:${port}/`;
  const shell = spawn("sh", ["-c", `while read -r go; do ${request}; echo; done`], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => shell.kill("SIGKILL"));
  const answer = () => {
    shell.stdin.write("go\n");
    return new Promise((resolve) => {
      shell.stdout.once("data", (text: Buffer) => {
        resolve(text.toString().trim());
      });
    });
  };
  await rig.tracer.call({ type: "trace", pids: [shell.pid ?? 0], followChildren: true, proxied: "always" });
  assert.equal(await answer(), "proxy");
  rig.tracer.child.kill("SIGKILL");
  await rig.tracer.ended;
  assert.equal(await answer(), "direct");
});

test("redirect: a new program's connections are held until it is released", { skip }, async (t) => {
  const rig = await redirect(t, { holds: true });
  const port = await serve(t, "direct", "127.0.0.1");
  const script = `
    require("node:readline").createInterface({ input: process.stdin }).on("line", () =>
      require("node:http").get({ port: ${port}, host: "127.0.0.1", agent: false }, (response) => response.pipe(process.stdout)));
    console.log("ready");`;
  const start = async () => {
    const child = spawn("sh", ["-c", 'read -r go; exec "$0" -e "$1"', process.execPath, script], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    const { pid } = child;
    assert.ok(pid !== undefined);
    const ask = (): Promise<string> => {
      child.stdin.write("go\n");
      return new Promise((resolve) => {
        child.stdout.once("data", (text: Buffer) => {
          resolve(text.toString().trim());
        });
      });
    };
    await rig.tracer.call({ type: "trace", pids: [pid], followChildren: true });
    assert.equal(await ask(), "ready");
    return { pid, ask };
  };
  const first = await start();
  assert.equal(await first.ask(), "proxy");
  await rig.tracer.call({ type: "release", pid: first.pid, executable: "/usr/bin/another" });
  assert.equal(await first.ask(), "proxy", "it runs another program by now");
  await rig.tracer.call({ type: "release", pid: first.pid, executable: realpathSync(process.execPath) });
  assert.equal(await first.ask(), "direct");
  assert.equal(await (await start()).ask(), "direct", "the same program again");
  const arrival = { address: "127.0.0.1", port, pid: "number", isHeld: true };
  assert.deepStrictEqual(rig.arrivals, [arrival, arrival]);
});

test(
  "redirect: what a small program or a process that nobody traces begins is not held",
  { skip },
  async (t) => {
    const rig = await redirect(t, { holds: true });
    const port = await serve(t, "direct", "127.0.0.1");
    const [small, large] = ["curl", process.execPath];
    assert.ok(statSync(large).size > 4 * 2 ** 20);
    const script = `fetch("http://127.0.0.1:${port}/").then((r) => r.text()).then(console.log)`;
    assert.equal((await run(large, ["-e", script])).stdout, "direct\n");
    const shell = spawn("sh", ["-c", `read -r go; ${small} -s http://127.0.0.1:${port}/`], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const said = text(shell.stdout);
    await rig.tracer.call({ type: "trace", pids: [shell.pid ?? 0], followChildren: true });
    shell.stdin.end("go\n");
    assert.equal(await said, "direct");
    assert.deepStrictEqual(rig.arrivals, []);
  },
);

test(
  "redirect: a killed proxy is sent nothing from the first connection on that breaks",
  { skip },
  async (t) => {
    const port = await serve(t, "direct", "127.0.0.1");
    const holding = `
    const server = require("node:net").createServer(() => undefined).listen(0, "127.0.0.1", 600, () =>
      console.log(server.address().port));`;
    const proxy = spawn(process.execPath, ["-e", holding], { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => proxy.kill("SIGKILL"));
    const tracer = startTracer(t);
    assert.equal((await tracer.call({ type: "open", ringBytes: 65_536, features: {} })).type, "opened");
    const [said] = (await once(proxy.stdout, "data")) as [Buffer];
    const to = { pid: proxy.pid ?? 0, port: Number(said.toString()), ipv6: false, holds: false };
    assert.deepStrictEqual(await tracer.call({ type: "redirect", ...to }), { type: "done" });
    // Each that breaks begins another at once, while the rest of them is closed.
    const script = `
    const net = require("node:net");
    let [connected, over] = [0, 0];
    const answers = {};
    const count = (answer) => {
      answers[answer] = (answers[answer] ?? 0) + 1;
      if (++over === 500) console.log(JSON.stringify(answers));
    };
    const again = () => {
      const socket = net.connect(${port}, "127.0.0.1");
      socket.once("error", ({ code }) => count(code)).once("data", (bytes) => {
        count(/direct/.test(bytes) ? "direct" : "another");
        socket.removeAllListeners("error").on("error", () => undefined).destroy();
      }).write("GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
    };
    process.stdin.once("data", () => {
      for (let i = 0; i < 500; i++) {
        const socket = net.connect(${port}, "127.0.0.1", () => ++connected === 500 && console.log("connected"));
        socket.on("error", () => undefined).on("close", again).resume();
      }
    });
    console.log("ready");`;
    const client = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
    t.after(() => client.kill("SIGKILL"));
    const heard = async () => String(((await once(client.stdout, "data")) as [Buffer])[0]).trim();
    assert.equal(await heard(), "ready");
    await tracer.call({ type: "trace", pids: [client.pid ?? 0], followChildren: true, proxied: "always" });
    client.stdin.write("go\n");
    assert.equal(await heard(), "connected");
    proxy.kill("SIGKILL");
    assert.deepStrictEqual(JSON.parse(await heard()), { direct: 500 });
  },
);
