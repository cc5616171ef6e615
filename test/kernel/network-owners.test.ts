// Whose a connection is, where that takes more than looking at who called connect: servers whose workers share a
// listening socket or are forked for it, connections that go on, and ends that are on no watched host.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import type { HelloEvent } from "../../src/protocol/traffic.ts";
import { largeHello, records } from "../analyzer/network/hello/hellos.ts";
import {
  addresses,
  isConnection,
  isHello,
  openCable,
  openNamespace,
  startCounting,
  watchIn,
  type Namespace,
} from "./network-rig.ts";
import { childrenOf, firstLine, fixtures, makeCertificate, skipReason } from "./rig.ts";

const skip = skipReason("ip", "unshare", "nsenter", "python3", "curl");
const isServed = (event: Parameters<typeof isHello>[0]): event is HelloEvent =>
  isHello(event) && event.direction === "in";

/** One client's connections, one after the other; each prints its local port and what it was answered. */
const clientOf = (url: string, count: number) => [
  ...["-sk", "--noproxy", "*", "-H", "connection: close", "-w", " %{local_port}\\n"],
  ...Array.from({ length: count }, () => url),
];

test(
  "network: a server's connection is the worker's that reads it",
  { skip: skip || skipReason("nginx") },
  async (t) => {
    const namespace = await openNamespace(t);
    const { key, cert } = makeCertificate(t);
    const configuration = join(dirname(key), "nginx.conf");
    writeFileSync(
      configuration,
      `daemon off; worker_processes 2; pid ${dirname(key)}/nginx.pid; error_log /dev/null; events { accept_mutex off; }
    http { access_log off; server { listen 127.0.0.1:8443 ssl; ssl_certificate ${cert}; ssl_certificate_key ${key};
      location / { return 200 $pid; } } }`,
    );
    const master = namespace.start("nginx", "-c", configuration, "-e", "/dev/null");
    const watch = await watchIn(namespace, { interfaces: ["lo"] });
    const lines = namespace.run(
      "curl",
      "--retry-connrefused",
      "--retry",
      "9",
      ...clientOf("https://127.0.0.1:8443/", 20),
    );
    const answers = new Map(
      lines
        .trim()
        .split("\n")
        .map((line) => line.split(" ").reverse() as [string, string]),
    );
    assert.equal(answers.size, 20);
    const hellos = await watch.seen(isServed, 20);
    assert.deepStrictEqual(
      hellos.map(({ pid, command, connection }) => [connection.remote, String(pid), command]),
      [...answers].map(([port, worker]) => [`127.0.0.1:${port}`, worker, "nginx"]),
    );
    assert.ok(!hellos.some(({ pid }) => pid === master.pid));
    assert.ok(hellos.every(({ pid }) => childrenOf(master.pid).includes(pid ?? 0)));
    assert.equal((await watch.close()).lost, 0);
  },
);

test("network: a connection is the child's that was forked for it", { skip }, async (t) => {
  const namespace = await openNamespace(t);
  const server = await startCounting(namespace, makeCertificate(t), true);
  const watch = await watchIn(namespace, { interfaces: ["lo"] });
  namespace.run("curl", ...clientOf(`https://127.0.0.1:${server.port}/100`, 3));
  const counted = [await server.next(), await server.next(), await server.next()];
  const hellos = await watch.seen(isServed, 3);
  const byPeer = (rows: [string | null, number | null][]) => new Map(rows);
  assert.deepStrictEqual(
    byPeer(hellos.map(({ connection, pid }) => [connection.remote, pid])),
    byPeer(counted.map(({ peer, pid }) => [peer, pid])),
  );
  assert.ok(!counted.some(({ pid }) => pid === server.pid));
});

const waitingClient = `
import socket, ssl, sys
context = ssl._create_unverified_context()
tls = context.wrap_socket(socket.create_connection((sys.argv[1], int(sys.argv[2]))), server_hostname="x.example.com")
tls.sendall(b"GET /1000 HTTP/1.0\\r\\n\\r\\n")
while tls.recv(65536):
    pass
print("answered", flush=True)
sys.stdin.read()
`;

test("network: a connection that goes on is told as open, with what it has carried", { skip }, async (t) => {
  const namespace = await openNamespace(t);
  const server = await startCounting(namespace, makeCertificate(t));
  const watch = await watchIn(namespace, { interfaces: ["lo"] });
  const client = namespace.start("/usr/bin/python3", "-c", waitingClient, "127.0.0.1", server.port);
  assert.equal(await firstLine(client), "answered");
  await watch.seen(isHello, 2);
  assert.deepStrictEqual(watch.connections(), []);
  await watch.close();
  client.stdin?.end();
  const { received, sent } = await server.next();
  const carried = (pid: number) => {
    const event = watch.connections().find((connection) => connection.pid === pid);
    return { state: event?.state, bytesOut: event?.bytesOut ?? 0, bytesIn: event?.bytesIn ?? 0 };
  };
  const [ours, theirs] = [carried(client.pid), carried(server.pid)];
  // The client's close_notify comes after.
  assert.ok(received - ours.bytesOut >= 0 && received - ours.bytesOut < 64, `${received}, ${ours.bytesOut}`);
  assert.deepStrictEqual(ours, { state: "open", bytesOut: theirs.bytesIn, bytesIn: sent });
  assert.deepStrictEqual(theirs, { state: "open", bytesOut: sent, bytesIn: ours.bytesOut });
});

test("network: each side of a cable tells of its own end alone", { skip }, async (t) => {
  const { near, far } = await openCable(t);
  const server = await startCounting(far, makeCertificate(t));
  const watch = await watchIn(far);
  near.run("curl", ...clientOf(`https://${addresses.far.ipv4}:${server.port}/10`, 1));
  await watch.seen(isConnection);
  const summary = await watch.close();
  assert.deepStrictEqual(
    [summary.hellos, watch.hellos().map(({ direction, pid }) => ({ direction, pid }))],
    [1, [{ direction: "in", pid: server.pid }]],
  );
});

test(
  "network: an interface that is not there or is down is told, and the others are watched",
  { skip },
  async (t) => {
    const { near } = await openCable(t);
    near.run("ip", "link", "set", "pn0", "down");
    const watch = await watchIn(near, { interfaces: ["lo", "pn0", "pn9"] });
    assert.deepStrictEqual(
      [watch.interfaces.map(({ name }) => name), watch.missing],
      [
        ["lo"],
        [
          {
            code: "interface-down",
            text: "the interface pn0 is down: nothing passes it (ip link set pn0 up)",
          },
          { code: "no-interface", text: "there is no interface pn9 here (ip link lists them)" },
        ],
      ],
    );
  },
);

test("network: a hello that a client says in pieces is this client's", { skip }, async (t) => {
  const { near, far } = await openCable(t);
  const server = await startCounting(far, makeCertificate(t));
  const watches = await Promise.all([watchIn(near), watchIn(far)]);
  const hello = records(largeHello("pieces.example.com"));
  const pieces = [0, 1, 700].map((from, index) => hello.subarray(from, [1, 700][index]).toString("hex"));
  const says = join(fixtures, "say-pieces.py");
  const client = near.start("/usr/bin/python3", says, addresses.far.ipv4, server.port, ...pieces);
  const { received, sent } = await server.next();
  assert.equal(received, hello.length);
  const told = await Promise.all(watches.map((watch) => watch.seen(isConnection)));
  assert.deepStrictEqual(
    told
      .flat()
      .map(({ pid, connection, bytesOut, bytesIn }) => [pid, connection.serverName, bytesOut, bytesIn]),
    [
      [client.pid, "pieces.example.com", received, sent],
      [server.pid, "pieces.example.com", sent, received],
    ],
  );
});

test("network: a host tells of its containers' connections, each end once", { skip }, async (t) => {
  const { near, far: host } = await openCable(t);
  const other = await openNamespace(t);
  const lines = (namespace: Namespace, text: string) => {
    for (const line of text.split("; ")) namespace.run("ip", ...line.split(" "));
  };
  lines(host, `link add pf1 type veth peer name pb0 netns ${other.holder}; address add 10.84.0.1/24 dev pf1`);
  lines(host, "link set pf1 up");
  host.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
  lines(other, "address add 10.84.0.2/24 dev pb0; link set pb0 up; route add default via 10.84.0.1");
  lines(near, `route add 10.84.0.0/24 via ${addresses.far.ipv4}`);
  const server = await startCounting(other, makeCertificate(t));
  const watch = await watchIn(host);
  near.run("curl", ...clientOf(`https://10.84.0.2:${server.port}/1000`, 2));
  const counted = [await server.next(), await server.next()];
  await watch.seen(isConnection, 4);
  const summary = await watch.close();
  const ends = watch
    .connections()
    .map(({ connection: { role, local, remote }, command, bytesOut, bytesIn }) => {
      return [role, command, local, remote, bytesOut, bytesIn].join(" ");
    });
  const address = `10.84.0.2:${server.port}`;
  const expected = counted.flatMap(({ peer, received, sent }) => [
    `client curl ${peer} ${address} ${received} ${sent}`,
    `server python3 ${address} ${peer} ${sent} ${received}`,
  ]);
  assert.deepStrictEqual([summary.hellos, ends.sort()], [4, expected.sort()]);
});
