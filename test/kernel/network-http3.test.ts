// HTTP/3 as it is (aioquic): who asks whom for what, and how much each connection carried, as both of its ends count it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { ConnectionEvent, TraceEvent } from "../../src/protocol/traffic.ts";
import { http3Needs, http3Python, startHttp3, type CountedDatagrams } from "./http3-server.ts";
import {
  addresses,
  isConnection,
  openCable,
  openNamespace,
  outputOf,
  watchIn,
  type Namespace,
} from "./network-rig.ts";
import { fixtures, makeCertificate, skipReason } from "./rig.ts";

const skip = skipReason("ip", "unshare", "nsenter", "python3", ...http3Needs);
const name = "h3.example.com";
const bodyBytes = 1_000_000;
/** Long enough for an exchange's pauses, and a test's patience. */
const quicIdleMs = 5000;

async function runClients(namespace: Namespace, address: string, port: string, count: number) {
  const client = join(fixtures, "http3-client.py");
  const child = namespace.start(
    ...http3Python,
    client,
    address,
    port,
    name,
    String(bodyBytes),
    String(count),
  );
  const lines = (await outputOf(child)).trim().split("\n");
  const counted = lines.map(
    (line) => JSON.parse(line) as CountedDatagrams & { port: number; body: number; seconds: number },
  );
  assert.deepStrictEqual(
    counted.map(({ body }) => body),
    Array.from({ length: count }, () => bodyBytes),
  );
  return { pid: child.pid, counted };
}

const endedWith =
  (role: "client" | "server") =>
  (event: TraceEvent): event is ConnectionEvent =>
    isConnection(event) && event.connection.role === role && event.state === "closed";

for (const [what, address, retry] of [
  ["over IPv4", addresses.far.ipv4, "at-once"],
  ["over IPv6, of a server that asks each client twice", addresses.far.ipv6, "retry"],
] as const) {
  test(`http/3: ${what}`, { skip, timeout: 60_000 }, async (t) => {
    const { near, far } = await openCable(t);
    const server = await startHttp3(far, makeCertificate(t), retry);
    const [here, there] = await Promise.all([watchIn(near, { quicIdleMs }), watchIn(far, { quicIdleMs })]);
    const client = await runClients(near, address, server.port, 1);
    const [counted] = client.counted;
    const served = await server.next();
    const [[mine], [theirs]] = await Promise.all([
      here.seen(endedWith("client")),
      there.seen(endedWith("server")),
    ]);
    assert.ok(counted && mine && theirs);
    assert.equal(here.hellos().length + there.hellos().length, 2);
    for (const [hello, direction, pid] of [
      [here.hellos()[0], "out", client.pid],
      [there.hellos()[0], "in", server.pid],
    ] as const) {
      assert.ok(hello);
      assert.deepStrictEqual(
        {
          direction: hello.direction,
          pid: hello.pid,
          transport: hello.transport,
          serverName: hello.serverName,
          alpn: hello.alpn,
          versions: hello.versions,
        },
        { direction, pid, transport: "quic", serverName: name, alpn: ["h3"], versions: ["1.3"] },
      );
      assert.match(hello.ja4 ?? "", /^q13d\d{4}h3_/);
      assert.match(hello.command ?? "", /^python3/);
    }
    assert.deepStrictEqual([mine.bytesOut, mine.bytesIn], [counted.sent, counted.received]);
    assert.deepStrictEqual([theirs.bytesOut, theirs.bytesIn], [served.sent, served.received]);
    assert.deepStrictEqual([mine.pid, theirs.pid], [client.pid, server.pid]);
    assert.ok(counted.received > bodyBytes && counted.received < 1.2 * bodyBytes, String(counted.received));
    // The client counted from before its first datagram to its last answer; then it only says goodbye.
    const [least, most] = [counted.seconds * 1000 - 100, counted.seconds * 1000 + 1000];
    for (const { durationMs } of [mine, theirs])
      assert.ok(
        durationMs > Math.max(0, least) && durationMs < most,
        `${durationMs} of ${counted.seconds} s`,
      );
  });
}

test("http/3: many clients at once, each with its own count", { skip, timeout: 60_000 }, async (t) => {
  const namespace = await openNamespace(t);
  const server = await startHttp3(namespace, makeCertificate(t), "at-once");
  const watch = await watchIn(namespace);
  const count = 8;
  const { counted } = await runClients(namespace, "127.0.0.1", server.port, count);
  const [ofClients, ofServer] = await Promise.all([
    watch.seen(endedWith("client"), count),
    watch.seen(endedWith("server"), count),
  ]);
  const portOf = (end: string | null) => Number(end?.split(":").at(-1));
  const byPort = new Map(
    ofClients.map(({ connection, bytesOut, bytesIn }) => [portOf(connection.local), [bytesOut, bytesIn]]),
  );
  assert.deepStrictEqual(
    byPort,
    new Map(
      [...byPort.keys()].map((port) => {
        const known = counted.find((one) => one.port === port);
        return [port, [known?.sent, known?.received]];
      }),
    ),
  );
  const byPeer = new Map(
    ofServer.map(({ connection, bytesOut, bytesIn }) => [connection.remote, [bytesOut, bytesIn]]),
  );
  for (let i = 0; i < count; i++) {
    const { peer, sent, received } = await server.next();
    assert.deepStrictEqual(byPeer.get(peer), [sent, received], peer);
  }
  assert.equal((await watch.close()).hellos, 2 * count);
});
