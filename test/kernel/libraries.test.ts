// TLS libraries other than OpenSSL, in real programs: GnuTLS in wget and gnutls-cli, Mbed TLS, wolfSSL and
// NSS in lighttpd.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { aioquicFolder } from "../../scripts/http3.mjs";
import { bodyOf } from "../fixtures/bodies.mjs";
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

/** pyOpenSSL comes with it. */
const aioquic = aioquicFolder();
const aioquicMissing =
  existsSync(aioquic) || process.env.CI === "true" ? false : "needs aioquic (npm run setup -- --for-tests)";

/** Runs a shell command that waits until it is traced from its first byte. */
async function runTraced(t: TestContext, trace: Trace, command: string[]): Promise<void> {
  const child = start(t, "/bin/sh", ["-c", 'read -r go; exec "$@"', "sh", ...command]);
  await trace.session.addFromStart(child.pid, []);
  child.stdin?.write("go\n");
  child.stdout?.resume();
  assert.equal(await ended(child), 0);
}

const summarise = (trace: Trace, pid?: number) =>
  trace.exchanges(pid).map(({ request, response, state, connection }) => ({
    line: `${request?.method ?? "?"} ${request?.target ?? "?"} ${response?.status ?? "?"}`,
    sent: request?.body?.text ?? "",
    received: response?.body?.text ?? "",
    state,
    role: connection.role,
    addresses: connection.local !== null && connection.remote !== null,
  }));

test("gnutls: wget, a body each way from the first byte", { skip: skipReason("wget") }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const trace = await openTrace(t);
  const url = `https://localhost:${server.port}/form?answer=300000&seed=5`;
  const options = ["--quiet", "--no-check-certificate", "--output-document=/dev/null", "--post-data=a=1&b=2"];
  await runTraced(t, trace, ["wget", ...options, url]);
  await trace.seen(() => trace.exchanges().length === 1);
  assert.deepStrictEqual(summarise(trace), [
    {
      line: "POST /form?answer=300000&seed=5 200",
      sent: "a=1&b=2",
      received: bodyOf(300_000, 5),
      state: "complete",
      role: "client",
      addresses: true,
    },
  ]);
  assert.deepStrictEqual(
    trace.events.filter(({ type }) => type === "lost"),
    [],
  );
  assert.equal(trace.exchanges()[0]?.connection.serverName, "localhost");
});

test("gnutls: a library call inside another counts once", { skip: skipReason("gnutls-cli") }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const trace = await openTrace(t);
  const request =
    "POST /nested HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: 5\\r\\nConnection: close\\r\\n\\r\\nhello";
  const client = `gnutls-cli --insecure --sni-hostname=gnu.example --port ${server.port} localhost`;
  const script = `(printf '${request}'; sleep 1) | exec ${client}`;
  await runTraced(t, trace, ["sh", "-c", script]);
  await trace.seen(() => trace.exchanges().length === 1);
  const [seen] = summarise(trace);
  assert.deepStrictEqual([seen?.line, seen?.sent, seen?.received], ["POST /nested 200", "hello", "hello"]);
  assert.equal(trace.exchanges()[0]?.connection.serverName, "gnu.example");
});

/** Names a session's server in several ways, as gnutls_server_name_set(3) takes it: kind, name, length of the name. */
const naming = `
import ctypes
gnutls = ctypes.CDLL("libgnutls.so.30")
dns, other, client = 1, 2, 2
for kind, name, length in [
    (dns, b"short.example and more", 13), (dns, b"", 0), (other, b"other.example", 13), (dns, b"n" * 255, 255),
]:
    session = ctypes.c_void_p()
    gnutls.gnutls_init(ctypes.byref(session), client)
    gnutls.gnutls_server_name_set(session, kind, name, ctypes.c_size_t(length))
    gnutls.gnutls_deinit(session)
`;

test(
  "gnutls: the server's name is as long as its length says, and there may be none",
  { skip: skipReason("python3", "gnutls-cli") },
  async (t) => {
    const named: string[] = [];
    const trace = await openTrace(t, {
      onRecord(record) {
        if (record.type === "server-name") named.push(record.name);
      },
    });
    await runTraced(t, trace, ["/usr/bin/python3", "-c", naming]);
    await trace.session.close();
    assert.deepStrictEqual(named, ["short.example", "n".repeat(255)]);
  },
);

/** A Debian library that lighttpd's module brings, loaded by the name that it has here. */
const wolfsslClient = ["/usr/bin/python3", join(fixtures, "wolfssl-client.py")];

test("wolfssl: a client names the server", { skip: skipReason("python3", "lighttpd") }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const trace = await openTrace(t);
  await runTraced(t, trace, [...wolfsslClient, server.port, "wolf.example"]);
  await trace.seen(() => trace.exchanges().length === 1);
  const [seen] = summarise(trace);
  assert.deepStrictEqual(
    [seen?.line, seen?.received, trace.exchanges()[0]?.connection.serverName],
    ["GET /wolf?answer=30000&seed=9 200", bodyOf(30_000, 9), "wolf.example"],
  );
});

test(
  "openssl: one that a wheel brings, used in the moment in which it is loaded",
  { skip: skipReason("python3") },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "plainsight-wheel-"));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    const library = join(folder, "sample.libs/libssl-0cc6e7db.so.3");
    mkdirSync(join(folder, "sample.libs"));
    cpSync("/usr/lib/x86_64-linux-gnu/libssl.so.3", library, { dereference: true });
    const server = await startEchoServer(t, "h1");
    const trace = await openTrace(t);
    const command = ["/usr/bin/python3", join(fixtures, "wheel-client.py"), server.port, library];
    const client = start(t, "env", [`PYTHONPATH=${folder}`, ...command]);
    assert.equal(await firstLine(client), "ready");
    await trace.session.add([client.pid], { followChildren: false });
    client.stdin?.end("go\n");
    assert.equal(await ended(client), 0);
    await trace.seen(() => trace.exchanges().length === 1);
    const [seen] = summarise(trace);
    assert.deepStrictEqual(
      [seen?.line, seen?.received],
      ["GET /wheel?answer=30000&seed=4 200", bodyOf(30_000, 4)],
    );
    assert.ok(trace.events.some((event) => event.type === "attached" && event.file === library));
  },
);

for (const [moment, about] of [
  ["early", "that is loaded already"],
  ["late", "used in the moment in which it is loaded"],
] as const) {
  test(
    `openssl: one that is linked into the module of a wheel, ${about}`,
    { skip: skipReason("python3") || aioquicMissing },
    async (t) => {
      const server = await startEchoServer(t, "h1");
      const client = start(t, "env", [
        `PYTHONPATH=${aioquic}`,
        ...["/usr/bin/python3", join(fixtures, "pyopenssl-client.py"), server.port, moment],
      ]);
      assert.equal(await firstLine(client), "ready");
      const trace = await openTrace(t);
      await trace.session.add([client.pid], { followChildren: false });
      client.stdin?.end("go\n");
      assert.equal(await ended(client), 0);
      await trace.seen(() => trace.exchanges(client.pid).length === 1);
      assert.deepStrictEqual(summarise(trace, client.pid), [
        {
          line: "POST /wheel?answer=30000&seed=4 200",
          sent: "hello",
          received: bodyOf(30_000, 4),
          state: "complete",
          role: "client",
          addresses: true,
        },
      ]);
      assert.equal(trace.exchanges(client.pid)[0]?.connection.serverName, "wheel.example");
      const files = trace.events.flatMap((event) => (event.type === "attached" ? [event.file] : []));
      assert.deepStrictEqual(files, [join(aioquic, "cryptography/hazmat/bindings/_rust.abi3.so")]);
    },
  );
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("find a free port: no address");
  return address.port;
}

async function startLighttpd(t: TestContext, module: string): Promise<{ pid: number; port: number }> {
  const { key, cert } = makeCertificate(t);
  const folder = mkdtempSync(join(tmpdir(), "plainsight-lighttpd-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const port = await freePort();
  const both = join(folder, "both.pem");
  writeFileSync(both, readFileSync(key, "utf8") + readFileSync(cert, "utf8"));
  writeFileSync(join(folder, "page.txt"), bodyOf(100_000, 7));
  const lines = [
    `server.modules = ("${module}")`,
    `server.document-root = "${folder}"`,
    `server.bind = "127.0.0.1"`,
    `server.port = ${port}`,
    `ssl.engine = "enable"`,
    `ssl.pemfile = "${both}"`,
    `mimetype.assign = (".txt" => "text/plain")`,
  ];
  const configuration = join(folder, "lighttpd.conf");
  writeFileSync(configuration, `${lines.join("\n")}\n`);
  const child = start(t, "lighttpd", ["-D", "-f", configuration]);
  return { pid: child.pid, port };
}

for (const [name, module] of [
  ["mbedtls", "mod_mbedtls"],
  ["wolfssl", "mod_wolfssl"],
  ["gnutls", "mod_gnutls"],
  ["nss", "mod_nss"],
] as const) {
  test(`${name}: lighttpd serves a page`, { skip: skipReason("lighttpd", "curl") }, async (t) => {
    const server = await startLighttpd(t, module);
    const fetchPage = () =>
      start(t, "curl", [
        ...["--silent", "--insecure", "--http1.1", "--output", "/dev/null"],
        ...["--retry", "20", "--retry-connrefused", "--retry-delay", "0"],
        `https://localhost:${server.port}/page.txt`,
      ]);
    assert.equal(await ended(fetchPage()), 0);
    const trace = await openTrace(t);
    const { skipped } = await trace.session.add([server.pid], { followChildren: false });
    assert.deepStrictEqual(skipped, []);
    assert.equal(await ended(fetchPage()), 0);
    await trace.seen(() => trace.exchanges().length === 1);
    assert.deepStrictEqual(summarise(trace, server.pid), [
      {
        line: "GET /page.txt 200",
        sent: "",
        received: bodyOf(100_000, 7),
        state: "complete",
        role: "server",
        addresses: true,
      },
    ]);
    const stacks = trace.events.flatMap((event) => (event.type === "attached" ? [event.stack] : []));
    assert.ok(stacks.includes(name), `attached to ${stacks.join(", ")}`);
  });
}
