// What a QUIC connection carries and how long it lasts, counted by its own ends: datagrams made on purpose, over loopback
// and over a cable, and what ends a connection whose end nobody can read.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { test } from "node:test";
import type { ConnectionEvent, HelloEvent } from "../../src/protocol/traffic.ts";
import { largeHello } from "../analyzer/network/hello/hellos.ts";
import { crypto, initial, padding } from "../analyzer/network/hello/quic-client.ts";
import {
  addresses,
  isConnection,
  openCable,
  openNamespace,
  watchIn,
  type Namespace,
  type Watch,
} from "./network-rig.ts";
import { skipReason } from "./rig.ts";

const skip = skipReason("ip", "unshare", "nsenter", "python3");
const name = "quic.example.com";
const hello = initial({ frames: [crypto(0, largeHello(name, 500)), padding(550)] });

/** Answers each datagram with two of its length. Its port first. */
const server = `
import socket, sys
taker = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
taker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
taker.bind(("::", 0))
print(taker.getsockname()[1], flush=True)
while True:
    data, client = taker.recvfrom(65536)
    for _ in range(2):
        taker.sendto(bytes(len(data)), client)
`;

/** Does what its input says, a word and a value a line, and says its port once each is done. */
const client = `
import socket, sys
address, port, local = sys.argv[1], int(sys.argv[2]), 0
for line in sys.stdin:
    word, _, value = line.strip().partition(" ")
    if word == "open":
        out = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
        out.bind(("", local))
        out.connect((address, port))
        local = out.getsockname()[1]
    elif word == "say":
        out.send(bytes.fromhex(value))
        for _ in range(2):
            out.recv(65536)
    elif word == "close":
        out.close()
    print(local, flush=True)
`;

interface Client {
  pid: number;
  do(...steps: string[]): Promise<void>;
  port: string;
}

async function startServer(namespace: Namespace) {
  const child = namespace.start("/usr/bin/python3", "-c", server);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return { pid: child.pid, port: String((await lines.next()).value) };
}

function startClient(namespace: Namespace, address: string, port: string): Client {
  const child = namespace.start("/usr/bin/python3", "-c", client, address, port);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const started: Client = {
    pid: child.pid,
    port: "",
    do: async (...steps) => {
      for (const step of steps) {
        child.stdin?.write(`${step}\n`);
        started.port = String((await lines.next()).value);
      }
    },
  };
  return started;
}

const say = (bytes: Buffer) => `say ${bytes.toString("hex")}`;
const [short, long] = [Buffer.alloc(50, 0x40), Buffer.alloc(1100, 0x40)];
const conversation = ["open", say(hello), say(long), say(short)];
const said = hello.length + long.length + short.length;

const isOf =
  (pid: number) =>
  (event: Parameters<typeof isConnection>[0]): event is ConnectionEvent =>
    isConnection(event) && event.pid === pid;
const carried = ({ connection, state, bytesOut, bytesIn }: ConnectionEvent) => ({
  role: connection.role,
  serverName: connection.serverName,
  state,
  bytesOut,
  bytesIn,
});
const clientCarried = (state: string) => ({
  role: "client",
  serverName: name,
  state,
  bytesOut: said,
  bytesIn: 2 * said,
});
const serverCarried = (state: string) => ({
  role: "server",
  serverName: name,
  state,
  bytesOut: 2 * said,
  bytesIn: said,
});
const hellosOf = (watch: Watch) =>
  watch.hellos().map(({ pid, direction, connection }: HelloEvent) => [pid, direction, connection.role]);

for (const address of ["127.0.0.1", "::1"]) {
  test(
    `quic: both ends over loopback, ${address}, until the client's socket closes`,
    { skip, timeout: 60_000 },
    async (t) => {
      const namespace = await openNamespace(t);
      const { pid, port } = await startServer(namespace);
      const client = startClient(namespace, address, port);
      const watch = await watchIn(namespace);
      assert.deepStrictEqual(watch.missing, []);
      await client.do(...conversation, "close");
      const [[mine], [theirs]] = await Promise.all([watch.seen(isOf(client.pid)), watch.seen(isOf(pid))]);
      assert.ok(mine && theirs);
      assert.deepStrictEqual(
        [carried(mine), carried(theirs)],
        [clientCarried("closed"), serverCarried("closed")],
      );
      assert.deepStrictEqual(hellosOf(watch), [
        [client.pid, "out", "client"],
        [pid, "in", "server"],
      ]);
      assert.ok(mine.durationMs > 0 && mine.durationMs < 10_000, String(mine.durationMs));
      await watch.close();
      assert.equal(watch.connections().length, 2);
    },
  );
}

test(
  "quic: of two hosts each sees its end; a server's is over when nothing more was said",
  { skip, timeout: 60_000 },
  async (t) => {
    const { near, far } = await openCable(t);
    const { pid, port } = await startServer(far);
    const client = startClient(near, addresses.far.ipv4, port);
    const [here, there] = await Promise.all([watchIn(near), watchIn(far, { quicIdleMs: 2000 })]);
    await client.do(...conversation);
    const [theirs] = await there.seen(isOf(pid));
    assert.ok(theirs);
    assert.deepStrictEqual(carried(theirs), serverCarried("closed"));
    // The silence does not count.
    assert.ok(theirs.durationMs < 2000, String(theirs.durationMs));
    assert.deepStrictEqual(here.connections(), []);
    await here.close();
    assert.deepStrictEqual(here.connections().map(carried), [clientCarried("open")]);
  },
);

test(
  "quic: a client that is killed has ended, where programs sit as on older kernels, too",
  { skip, timeout: 60_000 },
  async (t) => {
    const { near, far } = await openCable(t);
    const { pid, port } = await startServer(far);
    const client = startClient(near, addresses.far.ipv6, port);
    const places = { ingress: "xdp-generic", egress: "clsact-egress" } as const;
    const [here, there] = await Promise.all([
      watchIn(near, { places }),
      watchIn(far, { places: { ingress: "clsact-ingress", egress: "clsact-egress" }, quicIdleMs: 2000 }),
    ]);
    await client.do(...conversation);
    process.kill(client.pid, "SIGKILL");
    const [[mine], [theirs]] = await Promise.all([here.seen(isOf(client.pid)), there.seen(isOf(pid))]);
    assert.ok(mine && theirs);
    assert.deepStrictEqual(
      [carried(mine), carried(theirs)],
      [clientCarried("closed"), serverCarried("closed")],
    );
    await Promise.all([here.close(), there.close()]);
  },
);

test("quic: connections of the same ends, one after the other", { skip, timeout: 60_000 }, async (t) => {
  const namespace = await openNamespace(t);
  const { pid, port } = await startServer(namespace);
  const client = startClient(namespace, "127.0.0.1", port);
  const watch = await watchIn(namespace);
  await client.do(...conversation, "close");
  await client.do(...conversation, "close");
  await Promise.all([watch.seen(isOf(client.pid), 2), watch.seen(isOf(pid), 2)]);
  const ofClient = watch.connections().filter(isOf(client.pid));
  assert.deepStrictEqual(ofClient.map(carried), [clientCarried("closed"), clientCarried("closed")]);
  assert.deepStrictEqual(
    new Set(watch.hellos().map(({ id }) => id)),
    new Set(watch.connections().map(({ id }) => id)),
  );
  assert.equal(new Set(ofClient.map(({ connection }) => connection.local)).size, 1);
});

test("quic: a packet that passes two interfaces counts once", { skip, timeout: 60_000 }, async (t) => {
  const { near, far } = await openCable(t);
  for (const command of [
    "link add br0 type bridge",
    `address del ${addresses.near.ipv4}/24 dev pn0`,
    "link set pn0 master br0",
    `address add ${addresses.near.ipv4}/24 dev br0`,
    "link set br0 up",
  ]) {
    near.run("ip", ...command.split(" "));
  }
  const { port } = await startServer(far);
  const client = startClient(near, addresses.far.ipv4, port);
  const watch = await watchIn(near);
  assert.deepStrictEqual(watch.interfaces.map(({ name }) => name).sort(), ["br0", "lo", "pn0"]);
  await client.do(...conversation, "close");
  const [mine] = await watch.seen(isOf(client.pid));
  assert.ok(mine);
  assert.deepStrictEqual(carried(mine), clientCarried("closed"));
  assert.deepStrictEqual(hellosOf(watch), [[client.pid, "out", "client"]]);
});
