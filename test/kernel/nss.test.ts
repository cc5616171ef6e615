// NSS, whose plaintext passes functions of NSPR that also serve files and plain sockets: only what a TLS socket carries
// is told, byte for byte.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Scanner } from "../../src/analyzer/scan.ts";
import {
  ended,
  firstLine,
  fixtures,
  makeCertificate,
  openTrace,
  skipReason,
  start,
  startEchoServer,
  type Trace,
} from "./rig.ts";

const skip = skipReason("cc", "pkg-config", "certutil", "curl", "tstclnt");

function build(t: TestContext): { folder: string; program: string } {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-nss-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const program = join(folder, "nss-peer");
  const flags = execFileSync("pkg-config", ["--cflags", "--libs", "nss"], { encoding: "utf8" });
  const source = join(fixtures, "nss-peer.c");
  execFileSync("cc", ["-O2", source, "-o", program, ...flags.trim().split(/\s+/)], { stdio: "inherit" });
  return { folder, program };
}

/** A database with the certificate `peer`. */
function makeDatabase(t: TestContext, folder: string): string {
  const { key, cert } = makeCertificate(t);
  const bundle = join(folder, "peer.p12");
  const run = (program: string, ...args: string[]) => execFileSync(program, args, { stdio: "ignore" });
  const named = ["-name", "peer", "-passout", "pass:", "-out", bundle];
  run("openssl", "pkcs12", "-export", "-inkey", key, "-in", cert, ...named);
  const database = `sql:${folder}`;
  run("certutil", "-N", "-d", database, "--empty-password");
  run("pk12util", "-i", bundle, "-d", database, "-W", "");
  return database;
}

const summarise = (trace: Trace) =>
  trace.exchanges().map(({ request, response, state, connection }) => ({
    line: `${request?.method ?? "?"} ${request?.target ?? "?"} ${response?.status ?? "?"}`,
    sent: request?.body?.text ?? "",
    received: response?.body?.text ?? "",
    state,
    role: connection.role,
    serverName: connection.serverName,
    addresses: connection.local !== null && connection.remote !== null,
  }));

const complete = { state: "complete", addresses: true } as const;

/** Everything that was told of bytes: exchanges, messages, losses. */
const told = (trace: Trace) =>
  trace.events
    .filter((event) => event.type !== "exchange" || event.state !== "pending")
    .map(({ type }) => type)
    .filter((type) => ["exchange", "message", "lost"].includes(type));

test("nss: a client, and not what it writes to a file and a plain socket", { skip }, async (t) => {
  const { folder, program } = build(t);
  const server = await startEchoServer(t, "h1");
  const path = join(folder, "beside.txt");
  const client = start(t, program, ["client", server.port, path]);
  await firstLine(client);
  const trace = await openTrace(t);
  const { skipped } = await trace.session.add([client.pid], { followChildren: false });
  assert.deepStrictEqual(skipped, []);
  client.stdin?.end("go\n");
  assert.equal(await ended(client), 0);
  await trace.seen(() => trace.exchanges().length === 2);
  await trace.session.remove([client.pid]);

  const about = { ...complete, role: "client", serverName: "localhost" };
  assert.deepStrictEqual(summarise(trace), [
    { line: "POST /sent 200", sent: "s".repeat(40_000), received: "s".repeat(40_000), ...about },
    { line: "POST /written 200", sent: "wwwww", received: "wwwww", ...about },
  ]);
  assert.deepStrictEqual(told(trace), ["exchange", "exchange"]);
  assert.deepStrictEqual(readFileSync(path, "utf8").match(/GET \/\w+/g), [
    "GET /before",
    "GET /between",
    "GET /after",
  ]);
  assert.deepStrictEqual(
    trace.events.flatMap((event) =>
      event.type === "attached" ? [[event.stack, event.file.replace(/.*\//, ""), event.functions]] : [],
    ),
    [
      ["nss", "libnspr4.so", ["PR_Read", "PR_Recv", "PR_Write", "PR_Send", "PR_Accept", "PR_Close"]],
      ["nss", "libssl3.so", ["SSL_ImportFD", "SSL_SetURL"]],
    ],
  );
});

test("nss: a server whose listening socket is of TLS, from its start", { skip }, async (t) => {
  const { folder, program } = build(t);
  const database = makeDatabase(t, folder);
  const server = start(t, "/bin/sh", ["-c", 'read -r go; exec "$@"', "sh", program, "server", database]);
  const trace = await openTrace(t);
  await trace.session.addFromStart(server.pid, []);
  const port = firstLine(server);
  server.stdin?.write("go\n");
  const url = `https://localhost:${await port}/accepted`;
  const curl = start(t, "curl", ["--silent", "--insecure", "--http1.1", "--data", "hello", url]);
  curl.stdout?.resume();
  assert.equal(await ended(curl), 0);
  assert.equal(await ended(server), 0);
  await trace.seen(() => trace.exchanges(server.pid).length === 1);
  const about = { ...complete, role: "server", serverName: null };
  assert.deepStrictEqual(summarise(trace), [
    { line: "POST /accepted 200", sent: "hello", received: "a".repeat(40_000), ...about },
  ]);
});

test("nss: tstclnt, a program of NSS's own", { skip }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const trace = await openTrace(t);
  const request =
    "POST /tool HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 5\\r\\nConnection: close\\r\\n\\r\\nhello";
  const script = `read -r go; printf '${request}' | exec timeout 20 tstclnt -D -o -h 127.0.0.1 -a localhost -p ${server.port}`;
  const client = start(t, "/bin/sh", ["-c", script]);
  await trace.session.addFromStart(client.pid, []);
  client.stdout?.resume();
  client.stdin?.write("go\n");
  // It stays when the answer is whole.
  await trace.seen(() => trace.exchanges().length === 1);
  const about = { ...complete, role: "client", serverName: "localhost" };
  assert.deepStrictEqual(summarise(trace), [
    { line: "POST /tool 200", sent: "hello", received: "hello", ...about },
  ]);
  assert.deepStrictEqual(told(trace), ["exchange"]);
});

test("nss: the verdict and its evidence name both libraries", { skip }, async (t) => {
  const { folder, program } = build(t);
  const client = start(t, program, ["client", "1", join(folder, "nothing")]);
  await firstLine(client);
  const scanned = new Scanner().scanProcess(client.pid);
  assert.ok("process" in scanned);
  const { report } = scanned.process;
  assert.deepStrictEqual(
    [report.class, report.path, report.verdict, report.reason.text],
    [
      ...["nss", "uprobe", "traceable"],
      "libnspr4.so exports PR_Read and PR_Write, which are seen of connections made since tracing began",
    ],
  );
  const files = new Set(report.probes.map(({ file }) => file.replace(/.*\//, "")));
  assert.deepStrictEqual([...files], ["libnspr4.so", "libssl3.so"]);
  const [stack] = report.stacks;
  assert.match(stack?.version ?? "", /^3\.\d+/);
  assert.ok(
    stack !== undefined && stack.file?.endsWith("/libssl3.so") && stack.boundary?.endsWith("/libnspr4.so"),
  );
  const evidence = stack.evidence.join("\n");
  assert.match(evidence, /SSL_ImportFD in \.dynsym at 0x/);
  assert.match(evidence, /PR_Write in \.dynsym at 0x[0-9a-f]+ of \S+libnspr4\.so/);
});
