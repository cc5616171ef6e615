// A browser as it is: its post-quantum hello, which is longer than a segment, over TCP and shuffled over several QUIC
// packets; and what becomes of QUIC when its server is refused.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import type { ConnectionEvent, HelloEvent } from "../../src/protocol/traffic.ts";
import { crypto, initial, padding } from "../analyzer/network/hello/quic-client.ts";
import { largeHello } from "../analyzer/network/hello/hellos.ts";
import { block } from "./block-run.ts";
import { http3Needs, startHttp3 } from "./http3-server.ts";
import {
  addresses,
  isConnection,
  isHello,
  killGroup,
  openCable,
  startCounting,
  watchIn,
  type Namespace,
  type Watch,
} from "./network-rig.ts";
import { gone, makeCertificate, skipReason } from "./rig.ts";

const skip = skipReason("ip", "unshare", "nsenter", "python3");
const name = "browser.example.com";

/** Without a profile of anybody's; it resolves every name to the far end. */
function openChromium(t: TestContext, namespace: Namespace, ...args: string[]): void {
  const profile = mkdtempSync(join(tmpdir(), "plainsight-browser-"));
  const line = [
    ...["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--no-proxy-server"],
    ...["--ignore-certificate-errors", `--user-data-dir=${profile}`],
    ...[`--host-resolver-rules=MAP * ${addresses.far.ipv4}`, ...args],
  ];
  const child = namespace.start("sh", "-c", 'exec "$@" > /dev/null 2>&1', "sh", ...line);
  t.after(async () => {
    killGroup(child);
    await gone(child.pid);
    rmSync(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });
}

/** The browser asks its makers for this and that, too. */
const named =
  (transport: HelloEvent["transport"]) =>
  (event: Parameters<typeof isHello>[0]): event is HelloEvent =>
    isHello(event) && event.serverName === name && event.transport === transport;

async function onBothSides([near, far]: [Watch, Watch], transport: HelloEvent["transport"]) {
  const [[out], [come]] = await Promise.all([near.seen(named(transport)), far.seen(named(transport))]);
  assert.ok(out && come);
  const { ja3, ja4, alpn, versions, encryptedClientHello } = out;
  assert.deepStrictEqual(
    { ja3, ja4, alpn, versions, encryptedClientHello },
    {
      ja3: come.ja3,
      ja4: come.ja4,
      alpn: come.alpn,
      versions: come.versions,
      encryptedClientHello: come.encryptedClientHello,
    },
  );
  assert.deepStrictEqual(
    [out.connection.local, out.connection.remote, out.connection.role],
    [come.connection.remote, come.connection.local, "client"],
  );
  assert.match(readFileSync(`/proc/${out.pid ?? 0}/cmdline`, "utf8"), /chromium/);
  return { out, come };
}

test(
  "network: Chromium's post-quantum hello",
  { skip: skip || skipReason("chromium"), timeout: 60_000 },
  async (t) => {
    const { near, far } = await openCable(t);
    const server = await startCounting(far, makeCertificate(t));
    const watches = await Promise.all([watchIn(near), watchIn(far)]);
    openChromium(t, near, `https://${name}:${server.port}/1000`);
    const { out, come } = await onBothSides(watches, "tcp");
    assert.deepStrictEqual(
      [out.alpn, out.versions, out.encryptedClientHello, come.pid],
      [["h2", "http/1.1"], ["1.3", "1.2"], true, server.pid],
    );
    assert.match(out.ja4 ?? "", /^t13d\d{4}h2_/);
  },
);

/** Takes every datagram, answers none, and prints the length of each; its port first. */
const datagrams = `
import socket
taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
taker.bind(("0.0.0.0", 0))
print(taker.getsockname()[1], flush=True)
while True:
    print(len(taker.recv(65536)), flush=True)
`;

async function takeDatagrams(namespace: Namespace) {
  const child = namespace.start("/usr/bin/python3", "-c", datagrams);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const next = async () => Number((await lines.next()).value);
  return { pid: child.pid, port: String(await next()), next };
}

test("network: Chromium over QUIC", { skip: skip || skipReason("chromium"), timeout: 60_000 }, async (t) => {
  const { near, far } = await openCable(t);
  const { pid, port } = await takeDatagrams(far);
  const watches = await Promise.all([watchIn(near), watchIn(far)]);
  openChromium(t, near, `--origin-to-force-quic-on=${name}:${port}`, `https://${name}:${port}/`);
  const { out, come } = await onBothSides(watches, "quic");
  assert.deepStrictEqual(
    [out.alpn, out.versions, out.encryptedClientHello, come.pid, come.connection.role],
    [["h3"], ["1.3"], true, pid, "server"],
  );
  assert.match(out.ja4 ?? "", /^q13d\d{4}h3_/);
  // One for each of the browser's attempts, which have ports of their own.
  for (const watch of watches) {
    const locals = watch.events
      .filter(named("quic"))
      .map(({ connection }) => `${connection.local} ${connection.remote}`);
    assert.equal(new Set(locals).size, locals.length);
  }
});

/** Of the public key: over QUIC Chromium takes a certificate of nobody's by it alone. */
function fingerprintOf(cert: string): string {
  const key = execFileSync("openssl", ["x509", "-in", cert, "-pubkey", "-noout"]);
  const bytes = execFileSync("openssl", ["pkey", "-pubin", "-outform", "der"], { input: key });
  return createHash("sha256").update(bytes).digest("base64");
}

test(
  "network: what Chromium's HTTP/3 carries, as both ends see it",
  { skip: skip || skipReason("chromium", "openssl", ...http3Needs), timeout: 60_000 },
  async (t) => {
    const { near, far } = await openCable(t);
    const certificate = makeCertificate(t);
    const server = await startHttp3(far, certificate, "at-once");
    const watches = await Promise.all([near, far].map((end) => watchIn(end, { quicIdleMs: 4000 })));
    const [here, there] = watches;
    assert.ok(here && there);
    const trust = `--ignore-certificate-errors-spki-list=${fingerprintOf(certificate.cert)}`;
    const origin = `${name}:${server.port}`;
    openChromium(t, near, trust, `--origin-to-force-quic-on=${origin}`, `https://${origin}/300000`);
    const { out, come } = await onBothSides([here, there], "quic");
    const isEndOf =
      ({ id }: HelloEvent) =>
      (event: Parameters<typeof isConnection>[0]): event is ConnectionEvent =>
        isConnection(event) && event.id === id;
    const [[mine], [theirs]] = await Promise.all([here.seen(isEndOf(out)), there.seen(isEndOf(come))]);
    assert.ok(mine && theirs);
    assert.deepStrictEqual(
      [mine.state, mine.bytesOut, mine.bytesIn],
      [theirs.state, theirs.bytesIn, theirs.bytesOut],
    );
    const received = mine.bytesIn ?? 0;
    assert.ok(received > 300_000 && received < 400_000, String(received));
    assert.deepStrictEqual([mine.pid, theirs.pid], [out.pid, server.pid]);
  },
);

/** Sends the datagrams of its input, a line of hex each, and says what came of each. */
const sender = `
import socket, sys
out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
out.connect((sys.argv[1], int(sys.argv[2])))
for line in sys.stdin:
    try:
        out.send(bytes.fromhex(line))
        print("sent", flush=True)
    except OSError as error:
        print("refused", flush=True)
`;

test(
  "block: QUIC of a listed server is dropped once its name is read",
  { skip, timeout: 60_000 },
  async (t) => {
    const { near, far } = await openCable(t);
    const taker = await takeDatagrams(far);
    const blocking = await block(t, near, `${name}\n`);
    const child = near.start("/usr/bin/python3", "-c", sender, addresses.far.ipv4, taker.port);
    const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    const send = async (bytes: Buffer): Promise<unknown> => {
      child.stdin?.write(`${bytes.toString("hex")}\n`);
      return (await lines.next()).value;
    };
    const hello = initial({ frames: [crypto(0, largeHello(name, 500)), padding(550)] });
    assert.ok(hello.length >= 1200, String(hello.length));
    assert.equal(await send(hello), "sent");
    assert.equal(await taker.next(), hello.length);
    const [refusal] = await blocking.blocked(1);
    assert.deepStrictEqual([refusal?.serverName, refusal?.pid], [name, child.pid]);
    await send(Buffer.alloc(600));
    await send(Buffer.alloc(700));
    process.kill(blocking.pid, "SIGINT");
    assert.equal(await blocking.ended, 0);
    assert.equal(await send(Buffer.alloc(800)), "sent");
    assert.equal(await taker.next(), 800);
    child.stdin?.end();
    await once(child, "close");
  },
);
