// The hellos of the clients of this machine, as they send them, against what read-tls-client-hello makes of the same
// bytes. Nobody answers: each client is ended once its hello is whole.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import { calculateJa3, calculateJa4, readTlsClientHello } from "read-tls-client-hello";
import { type HelloFacts, readClientHello } from "../../../../src/analyzer/network/hello/client-hello.ts";
import { QuicAssembly } from "../../../../src/analyzer/network/hello/quic-assembly.ts";
import { type Assembled, RecordAssembly } from "../../../../src/analyzer/network/hello/record-assembly.ts";
import { present } from "../../elf/host-tools.ts";
import { records } from "./hellos.ts";

const name = "api.example.com";

interface Seen {
  facts: HelloFacts;
  /** Of the handshake message. */
  bytes: number;
  /** Datagrams that it came in; 1 over TCP, where the stream has none. */
  packets: number;
}

/** Ours, once it is the same as what the library reads of the message in one record. */
async function compared(handshake: Uint8Array, transport: "tcp" | "quic", packets: number): Promise<Seen> {
  const read = readClientHello(handshake, transport);
  assert.ok("facts" in read, "problem" in read ? read.problem.text : "");
  const { facts } = read;
  const theirs = await readTlsClientHello(Readable.from([records(handshake)], { objectMode: false }));
  assert.deepStrictEqual(
    { ja3: facts.ja3, ja4: facts.ja4 },
    { ja3: calculateJa3(theirs), ja4: calculateJa4(theirs).replace(/^t/, transport === "quic" ? "q" : "t") },
  );
  return { facts, bytes: handshake.length, packets };
}

async function helloOverTcp(t: TestContext, start: (port: number) => ChildProcess): Promise<Seen> {
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const client = start(address.port);
  const [socket] = (await once(server, "connection")) as [Socket];
  t.after(() => socket.destroy());
  const assembly = new RecordAssembly();
  let offset = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    const assembled = assembly.push(offset, chunk);
    offset += chunk.length;
    if (assembled.state === "incomplete") continue;
    client.kill("SIGKILL");
    return compared(handshakeOf(assembled), "tcp", 1);
  }
  throw new Error("the client ended before its hello was whole");
}

function handshakeOf(assembled: Assembled): Uint8Array {
  assert.ok(assembled.state === "whole", JSON.stringify(assembled));
  return assembled.handshake;
}

async function helloOverQuic(t: TestContext, start: (port: number) => ChildProcess): Promise<Seen> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  t.after(() => socket.close());
  await once(socket, "listening");
  const client = start(socket.address().port);
  const clients = new Map<number, { assembly: QuicAssembly; packets: number }>();
  for (;;) {
    const [datagram, { port }] = (await once(socket, "message")) as [Buffer, { port: number }];
    const known = clients.get(port) ?? { assembly: new QuicAssembly(), packets: 0 };
    clients.set(port, { ...known, packets: known.packets + 1 });
    const assembled = known.assembly.push(datagram);
    if (assembled.state === "incomplete") continue;
    client.kill("SIGKILL");
    return compared(handshakeOf(assembled), "quic", known.packets + 1);
  }
}

/** A client that goes with the test, with its children. */
function program(t: TestContext, command: string, ...args: string[]): ChildProcess {
  const child = spawn(command, args, { stdio: ["pipe", "ignore", "ignore"], detached: true });
  t.after(() => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // It ended by itself.
    }
  });
  return child;
}

type Expected = Pick<HelloFacts, "serverName" | "alpn" | "versions"> & { ja4Start: RegExp };

function assertFacts({ facts }: Seen, { ja4Start, ...expected }: Expected): void {
  const { serverName, alpn, versions, ja4 } = facts;
  assert.deepStrictEqual({ serverName, alpn, versions }, expected);
  assert.match(ja4, ja4Start);
}

const goAsk = join(import.meta.dirname, "../../../fixtures/go-ask");
const groups = "X25519:P-256:X448:P-521:P-384:ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144:ffdhe8192";
const python = `
import socket, ssl, sys
context = ssl._create_unverified_context()
context.minimum_version = ssl.TLSVersion.TLSv1_2
context.set_alpn_protocols(["http/1.1"])
context.wrap_socket(socket.create_connection(("127.0.0.1", int(sys.argv[1]))), server_hostname="${name}")
`;

const clients: [what: string, command: string, args: (port: string) => string[], expected: Expected][] = [
  [
    "openssl s_client with many groups",
    "openssl",
    (port) =>
      ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", name, "-alpn", "h2,http/1.1"].concat(
        "-no_tls1",
        "-no_tls1_1",
        "-groups",
        groups,
      ),
    { serverName: name, alpn: ["h2", "http/1.1"], versions: ["1.3", "1.2"], ja4Start: /^t13d\d{4}h2_/ },
  ],
  [
    "openssl s_client with TLS 1.2 and no name",
    "openssl",
    (port) => ["s_client", "-connect", `127.0.0.1:${port}`, "-noservername", "-tls1_2"],
    { serverName: null, alpn: [], versions: ["1.2"], ja4Start: /^t12i\d{4}00_/ },
  ],
  [
    "Python",
    "python3",
    (port) => ["-c", python, port],
    { serverName: name, alpn: ["http/1.1"], versions: ["1.3", "1.2"], ja4Start: /^t13d\d{4}h1_/ },
  ],
  [
    "curl",
    "curl",
    (port) => [
      "-sk",
      "--tlsv1.2",
      "--resolve",
      `${name}:${port}:127.0.0.1`,
      "--noproxy",
      "*",
      `https://${name}:${port}/`,
    ],
    { serverName: name, alpn: ["h2", "http/1.1"], versions: ["1.3", "1.2"], ja4Start: /^t13d\d{4}h2_/ },
  ],
  [
    "GnuTLS",
    "gnutls-cli",
    (port) => ["--insecure", "--sni-hostname", name, "--alpn", "h2", "--port", port, "127.0.0.1"],
    {
      serverName: name,
      alpn: ["h2"],
      versions: ["1.3", "1.2", "1.1", "1.0"],
      ja4Start: /^t13d\d{4}h2_/,
    },
  ],
  [
    "Go",
    "go",
    // Older ones than 1.20 cannot be told where to run.
    (port) => ["-c", 'cd "$0" && exec go run . "$1" main.go', goAsk, `https://localhost:${port}`],
    {
      serverName: "localhost",
      alpn: ["h2", "http/1.1"],
      versions: ["1.3", "1.2"],
      ja4Start: /^t13d\d{4}h2_/,
    },
  ],
];

for (const [what, command, args, expected] of clients) {
  // What is compiled first takes its time.
  test(`real hellos: ${what}`, { timeout: 300_000 }, async (t) => {
    if (!present(t, command)) return;
    const runs = command === "go" ? "sh" : command;
    assertFacts(await helloOverTcp(t, (port) => program(t, runs, ...args(String(port)))), expected);
  });
}

test("real hellos: Node.js, whatever it is told to say", { timeout: 60_000 }, async (t) => {
  const says = `
    const { connect } = require("node:tls");
    const [port, options] = process.argv.slice(1);
    connect({ host: "127.0.0.1", port, rejectUnauthorized: false, ...JSON.parse(options) }).on("error", () => {});
  `;
  const hello = (options: object) =>
    helloOverTcp(t, (port) =>
      program(t, process.execPath, "-e", says, String(port), JSON.stringify(options)),
    );
  assertFacts(await hello({ servername: name, ALPNProtocols: ["spdy/3", "h2"], maxVersion: "TLSv1.2" }), {
    serverName: name,
    alpn: ["spdy/3", "h2"],
    versions: ["1.2"],
    ja4Start: /^t12d\d{4}s3_/,
  });
  assertFacts(await hello({ minVersion: "TLSv1.3" }), {
    serverName: null,
    alpn: [],
    versions: ["1.3"],
    ja4Start: /^t13i\d{4}00_/,
  });
});

/** Without a profile of anybody's, and without asking anybody for an address. */
function chromium(t: TestContext, ...args: string[]): ChildProcess {
  const profile = mkdtempSync(join(tmpdir(), "plainsight-hello-"));
  const child = program(
    t,
    "chromium",
    ...["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server"],
    ...[`--user-data-dir=${profile}`, `--host-resolver-rules=MAP * 127.0.0.1`, ...args],
  );
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) await once(child, "close");
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
  return child;
}

test(
  "real hellos: Chromium, post-quantum and with encrypted_client_hello",
  { timeout: 60_000 },
  async (t) => {
    if (!present(t, "chromium")) return;
    const hello = await helloOverTcp(t, (port) => chromium(t, `https://${name}:${port}/`));
    assertFacts(hello, {
      serverName: name,
      alpn: ["h2", "http/1.1"],
      versions: ["1.3", "1.2"],
      ja4Start: /^t13d\d{4}h2_/,
    });
    assert.ok(hello.facts.encryptedClientHello);
    assert.ok(hello.bytes > 1460, `${hello.bytes} bytes`);
  },
);

test("real hellos: Chromium over QUIC, shuffled over several packets", { timeout: 60_000 }, async (t) => {
  if (!present(t, "chromium")) return;
  const hello = await helloOverQuic(t, (port) =>
    chromium(t, `--origin-to-force-quic-on=${name}:${port}`, `https://${name}:${port}/`),
  );
  assertFacts(hello, {
    serverName: name,
    alpn: ["h3"],
    versions: ["1.3"],
    ja4Start: /^q13d\d{4}h3_/,
  });
  assert.ok(hello.facts.encryptedClientHello);
  assert.ok(hello.packets > 1, `${hello.packets} packets`);
});
