// Measures real processes: what is confirmed, silent and not exercised must be what really happened.
import assert from "node:assert/strict";
import { execFileSync, type ChildProcess } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { measure, type MeasureProgress } from "../../src/analyzer/capture/measure.ts";
import { Scanner } from "../../src/analyzer/scan.ts";
import { everyProcess } from "../../src/analyzer/selection.ts";
import { largeHello, records } from "../analyzer/network/hello/hellos.ts";
import { makeFolder } from "./isolated.ts";
import { openNamespace } from "./network-rig.ts";
import {
  ask,
  ended,
  firstLine,
  fixtures,
  makeCertificate,
  openTrace,
  skipReason,
  start,
  startEchoServer,
} from "./rig.ts";

const longMs = 30_000;
const idleScript = "setInterval(() => {}, 1000); console.log('ready')";

/** Measures until `signal`, and tells each look with the number of processes that are watched. */
async function measured(pids: number[], signal: AbortSignal, onLook: (progress: MeasureProgress) => void) {
  const scanner = new Scanner();
  const { report } = scanner.scan({ ...everyProcess, pids });
  const { report: after } = await measure(report, {
    scanner,
    durationMs: longMs,
    signal,
    onProgress: (progress) => {
      if (progress.watched > 0) onLook(progress);
    },
  });
  return new Map(after.processes.map((process) => [process.pid, process]));
}

test(
  "measure: a client and its server are confirmed with the right counts, an idle process is not exercised",
  { skip: skipReason() },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const requests = [1, 2, 3, 4, 5, 6].map((seed) => ({ path: `/${seed}`, size: 1000, seed }));
    const args = [join(fixtures, "client.mjs"), "h1", server.port, "3", JSON.stringify(requests)];
    const client = start(t, process.execPath, args);
    const idle = start(t, process.execPath, ["-e", idleScript]);
    await firstLine(idle);

    const done = new AbortController();
    void ended(client).then(() => {
      done.abort();
    });
    const processes = await measured([server.pid, client.pid, idle.pid], done.signal, () => {
      if (client.stdin?.writable === true) client.stdin.end("go\n");
    });

    const outcome = [server.pid, client.pid, idle.pid].map((pid) => {
      const { verdict, basis, measured } = processes.get(pid) ?? {};
      return [verdict, basis, measured?.state, measured?.connections, measured?.decrypted];
    });
    assert.deepStrictEqual(outcome, [
      ["traceable", "measured", "confirmed", 3, 3],
      ["traceable", "measured", "confirmed", 3, 3],
      ["traceable", "predicted", "not-exercised", 0, 0],
    ]);
    const [atServer, atClient] = [server.pid, client.pid].map(
      (pid) => processes.get(pid)?.measured?.bytes ?? 0,
    );
    assert.ok((atClient ?? 0) > 12 * 1000, "bodies of 1000 bytes, there and back");
    assert.equal(atServer, atClient);
  },
);

/** s_server says other things before it says where it listens. */
async function acceptingPort({ stdout }: ChildProcess): Promise<string> {
  for await (const line of createInterface(stdout ?? process.stdin)) {
    const port = /^ACCEPT .*:(\d+)$/.exec(line)?.[1];
    if (port !== undefined) return port;
  }
  throw new Error("start openssl s_server: it does not accept");
}

/** Connects when it is told to, and says that it has. */
const client = `
  const { connect } = require("node:tls");
  const [port, what] = process.argv.slice(1);
  process.stdin.once("data", () => {
    const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: what === "refuses" });
    socket.on("error", () => console.log("refused"));
    socket.on("secureConnect", () => {
      if (what === "speaks") socket.write("GET / HTTP/1.0\\r\\n", () => console.log("sent"));
      else console.log("connected");
    });
  });`;

const around: [
  what: string,
  text: string,
  client: [string, string],
  server: [string, string, string, number],
][] = [
  [
    "refuses",
    "a client that refuses the server leaves neither of them silent: there was no data",
    ["traceable", "not-exercised"],
    ["traceable", "predicted", "not-exercised", 0],
  ],
  [
    "connects",
    "a connection that was made and never used leaves nobody silent",
    ["traceable", "not-exercised"],
    ["traceable", "predicted", "not-exercised", 0],
  ],
  [
    "speaks",
    "a server that goes around the probed functions is silent, and its client proves that it spoke TLS",
    ["traceable", "confirmed"],
    ["metadata", "measured", "silent", 1],
  ],
];
for (const [what, text, ofClient, ofServer] of around) {
  test(`measure: ${text}`, { skip: skipReason("openssl") }, async (t) => {
    const { key, cert } = makeCertificate(t);
    // With -www, s_server reads and writes through a BIO filter, which calls none of the public functions.
    const args = ["s_server", "-accept", "127.0.0.1:0", "-www", "-key", key, "-cert", cert];
    const server = start(t, "openssl", args);
    const port = await acceptingPort(server);
    const asking = start(t, process.execPath, ["-e", client, port, what]);

    const done = new AbortController();
    let looksAfterwards = Number.NEGATIVE_INFINITY;
    void firstLine(asking).then(() => {
      looksAfterwards = 0;
    });
    let asked = false;
    const processes = await measured([server.pid, asking.pid], done.signal, () => {
      if (!asked) asking.stdin?.write("go\n");
      asked = true;
      // A connection that began within half a second of the end does not count yet.
      if (++looksAfterwards === 5) done.abort();
    });

    const [atClient, atServer] = [asking.pid, server.pid].map((pid) => processes.get(pid));
    assert.deepStrictEqual([atClient?.verdict, atClient?.measured?.state], ofClient);
    const { verdict, basis, reason, measured: figures } = atServer ?? {};
    assert.deepStrictEqual([verdict, basis, figures?.state, figures?.connections], ofServer);
    if (what === "speaks") {
      assert.equal(
        reason?.text,
        "probes are attached and 1 TLS connection was in use (its ClientHello was seen), yet no plaintext was seen",
      );
    }
  });
}

/**
 * Says a ClientHello without any TLS library, as what hands on the bytes of others does, and then the heads of what
 * follows in TLS 1.2: a handshake and data.
 */
const relay = `
import socket, sys
listener = socket.create_server(("127.0.0.1", 0))
print("ready", flush=True)
sys.stdin.readline()
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(bytes.fromhex(sys.argv[1]))
server.recv(65536)
server.sendall(b"?")
client.recv(1)
client.sendall(b"\\x16\\3\\3\\0\\1\\x10" + b"\\x17\\3\\3\\0\\5hello")
print("sent", flush=True)
sys.stdin.read()`;

test(
  "measure: TLS of a process in which no TLS stack was found is seen on the network, with its server's name",
  { skip: skipReason("python3") },
  async (t) => {
    const hello = records(largeHello("relayed.example.com")).toString("hex");
    const relaying = start(t, "python3", ["-c", relay, hello]);
    await firstLine(relaying);
    const done = new AbortController();
    let looks = 0;
    const processes = await measured([relaying.pid], done.signal, () => {
      if (looks === 0) relaying.stdin?.write("go\n");
      if (++looks === 6) done.abort();
    });
    const { verdict, basis, path, reason, measured: figures } = processes.get(relaying.pid) ?? {};
    assert.deepStrictEqual(
      [verdict, basis, path, reason?.code, figures?.state, figures?.connections],
      ["metadata", "measured", "xdp", "hello-seen", "metadata", 2],
    );
    assert.deepStrictEqual(
      new Set(figures?.escaped?.map(({ serverName }) => serverName)),
      new Set(["relayed.example.com"]),
    );
  },
);

/** Has a TLS library and speaks plain TCP with itself, at the first free one of these ports; tells which it is. */
const plainSpeaker = `
import socket, ssl, sys
for port in map(int, sys.argv[1:]):
    try:
        listener = socket.create_server(("127.0.0.1", port))
        break
    except OSError:
        pass
print(port, flush=True)
sys.stdin.readline()
client = socket.create_connection(listener.getsockname())
server, _ = listener.accept()
client.sendall(b"plain\\r\\n")
server.sendall(server.recv(100))
sys.stdin.read()`;

test(
  "measure: plain TCP that begins at a port registered for TLS is none, for its ClientHello would have been seen",
  { skip: skipReason("python3") },
  async (t) => {
    const ports = ["8443", "9443", "6443", "8883", "5671", "6697"];
    const speaker = start(t, "python3", ["-c", plainSpeaker, ...ports]);
    await firstLine(speaker);
    const done = new AbortController();
    let looks = 0;
    const processes = await measured([speaker.pid], done.signal, () => {
      if (looks++ === 0) speaker.stdin?.write("go\n");
      if (looks === 5) done.abort();
    });
    const { verdict, basis, measured: figures } = processes.get(speaker.pid) ?? {};
    assert.deepStrictEqual(
      [verdict, basis, figures?.state, figures?.connections],
      ["traceable", "predicted", "not-exercised", 0],
    );
  },
);

test(
  "measure: an address at which this host speaks TLS is another one in another network namespace",
  { skip: skipReason("python3", "unshare", "nsenter", "ip") },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const namespace = await openNamespace(t);
    const speaker = namespace.start("python3", "-c", plainSpeaker, server.port);
    assert.equal(await firstLine(speaker), server.port);
    const done = new AbortController();
    let looks = 0;
    const processes = await measured([server.pid, speaker.pid], done.signal, () => {
      if (looks++ === 0) {
        speaker.stdin?.write("go\n");
        void ask(server.port, "/", "hello");
      }
      if (looks === 5) done.abort();
    });
    assert.deepStrictEqual(
      [server.pid, speaker.pid].map((pid) => {
        const { verdict, measured: figures } = processes.get(pid) ?? {};
        return [verdict, figures?.state];
      }),
      [
        ["traceable", "confirmed"],
        ["traceable", "not-exercised"],
      ],
    );
  },
);

/** Has no TLS library before it is told to speak. */
const loadsLate = `
import sys
print("ready", flush=True)
sys.stdin.readline()
import ssl, urllib.request
url = f"https://localhost:{sys.argv[1]}/late"
urllib.request.urlopen(url, context=ssl._create_unverified_context()).read()
print("asked", flush=True)
sys.stdin.read()`;

for (const [others, how] of [
  [0, "alone"],
  [20, "among many"],
] as const) {
  test(
    `measure: what loads its TLS library while it is watched, ${how}, is confirmed from its first byte`,
    { skip: skipReason("python3") },
    async (t) => {
      const server = await startEchoServer(t, "h1");
      const besides = Array.from({ length: others }, () => start(t, "sleep", ["600"]).pid);
      const late = start(t, "/usr/bin/python3", ["-c", loadsLate, server.port]);
      const lines = createInterface(late.stdout ?? process.stdin)[Symbol.asyncIterator]();
      await lines.next();
      const done = new AbortController();
      let asked = false;
      const processes = await measured([...besides, late.pid], done.signal, () => {
        if (asked) return;
        asked = true;
        late.stdin?.write("go\n");
        void lines.next().then(() => {
          done.abort();
        });
      });
      const { class: found, verdict, basis, measured: figures } = processes.get(late.pid) ?? {};
      assert.deepStrictEqual(
        [found, verdict, basis, figures?.state, figures?.decrypted],
        ["dynamic-openssl", "traceable", "measured", "confirmed", 1],
      );
      assert.deepStrictEqual(
        besides.filter((pid) => processes.get(pid)?.verdict !== "no-tls"),
        [],
      );
    },
  );
}

/** A client that speaks through libssl, and has in it what a program with rustls has. */
function buildMixedClient(t: TestContext): string {
  const folder = makeFolder(t);
  const [source, program] = [join(folder, "mixed.c"), join(folder, "mixed-client")];
  writeFileSync(source, 'const char panic_at[] = "/cargo/registry/src/rustls-0.23.10/src/conn.rs";\n');
  execFileSync("cc", ["-O2", "-o", program, join(fixtures, "static-client.c"), source, "-lssl"]);
  return program;
}

test(
  "measure: a process whose prediction speaks of a stack that is not probed is confirmed by the one that is",
  { skip: skipReason("cc") },
  async (t) => {
    const program = buildMixedClient(t);
    const server = await startEchoServer(t, "h1");
    const [measuredOne, tracedOne] = [0, 1].map(() => start(t, program, [server.port]));
    assert.ok(measuredOne && tracedOne);
    const scanned = new Scanner().scan({ ...everyProcess, pids: [measuredOne.pid] }).report.processes[0];
    assert.deepStrictEqual([scanned?.class, scanned?.verdict], ["rustls", "proxy"]);

    const done = new AbortController();
    void ended(measuredOne).then(() => {
      done.abort();
    });
    const processes = await measured([measuredOne.pid], done.signal, () => {
      if (measuredOne.stdin?.writable === true) measuredOne.stdin.end("go\n");
    });
    const { class: found, verdict, basis, reason } = processes.get(measuredOne.pid) ?? {};
    assert.deepStrictEqual(
      [found, verdict, basis, reason?.code],
      ["dynamic-openssl", "traceable", "measured", "plaintext-seen"],
    );

    const trace = await openTrace(t);
    const { skipped } = await trace.session.add([tracedOne.pid], { followChildren: false });
    assert.deepStrictEqual(skipped, []);
    tracedOne.stdin?.end("go\n");
    await trace.seen(() => trace.exchanges(tracedOne.pid).length === 1);
  },
);

for (const [spoken, expectedClass] of [
  ["openssl", "dynamic-openssl"],
  ["gnutls", "gnutls"],
] as const) {
  test(
    `measure: of two stacks in a process, ${spoken} carried the traffic: it comes first and gives the class`,
    { skip: skipReason("python3", "gnutls-cli") },
    async (t) => {
      const server = await startEchoServer(t, "h1");
      const client = start(t, "python3", [join(fixtures, "two-stacks.py"), server.port]);
      await firstLine(client);
      const done = new AbortController();
      void ended(client).then(() => {
        done.abort();
      });
      const processes = await measured([client.pid], done.signal, () => {
        if (client.stdin?.writable === true) client.stdin.end(`${spoken}\n`);
      });
      const { class: found, stacks, measured: figures } = processes.get(client.pid) ?? {};
      assert.deepStrictEqual(
        [figures?.state, stacks?.length, stacks?.[0]?.stack, found],
        ["confirmed", 2, spoken, expectedClass],
      );
    },
  );
}
