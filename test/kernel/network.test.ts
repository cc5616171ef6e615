// The network path with real clients: who talks to whom, and how much, as both ends of the connection see it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ConnectionEvent, HelloEvent } from "../../src/protocol/traffic.ts";
import {
  addresses,
  isConnection,
  isHello,
  openCable,
  outputOf,
  startCounting,
  watchIn,
  type Counted,
  type Namespace,
  type Watch,
} from "./network-rig.ts";
import { fixtures, makeCertificate, skipReason, type Certificate } from "./rig.ts";

const skip = skipReason("ip", "unshare", "nsenter", "python3", "curl", "openssl", "go");
const name = "orders.example.com";
const answerBytes = 200_000;

const pythonClient = `
import socket, ssl, sys
address, port, name, size = sys.argv[1:]
context = ssl._create_unverified_context()
context.minimum_version = ssl.TLSVersion.TLSv1_2
context.set_alpn_protocols(["h2", "http/1.1"])
tls = context.wrap_socket(socket.create_connection((address, int(port))), server_hostname=name)
tls.sendall(b"GET /" + size.encode() + b" HTTP/1.0\\r\\n\\r\\n")
while tls.recv(65536):
    pass
`;

const nodeClient = `
const [host, port, servername, size] = process.argv.slice(1);
const options = { host, port, servername, ALPNProtocols: ["http/1.1"], rejectUnauthorized: false };
require("node:tls").connect(options, function () { this.write("GET /" + size + " HTTP/1.0\\r\\n\\r\\n"); }).resume();
`;

interface Client {
  what: string;
  line: (address: string, port: string) => [program: string, ...args: string[]];
  input?: string;
  says: Pick<HelloEvent, "alpn" | "versions">;
}

const bracketed = (address: string) => (address.includes(":") ? `[${address}]` : address);

/** Ten groups, and names of protocols that alone are longer than a segment. */
const groups = "ffdhe8192:X25519:P-256:X448:P-521:P-384:ffdhe2048:ffdhe3072:ffdhe4096:ffdhe6144";
const protocols = Array.from({ length: 20 }, (_, i) => `protocol-${i}-${"x".repeat(100)}`);
const bothVersions = ["1.3", "1.2"];

const clients = (go: string, { cert }: Certificate): Client[] => [
  {
    what: "curl",
    line: (address, port) => [
      ...(["curl", "-sk", "--noproxy", "*", "--tlsv1.2", "-o", "/dev/null"] as const),
      ...["--resolve", `${name}:${port}:${bracketed(address)}`, `https://${name}:${port}/${answerBytes}`],
    ],
    says: { alpn: ["h2", "http/1.1"], versions: bothVersions },
  },
  {
    what: "openssl s_client, whose hello is longer than two segments",
    line: (address, port) => [
      ...([
        "openssl",
        "s_client",
        "-quiet",
        "-verify_quiet",
        "-CAfile",
        cert,
        "-no_tls1",
        "-no_tls1_1",
        "-servername",
        name,
      ] as const),
      ...["-groups", groups, "-alpn", protocols.join(","), "-connect", `${bracketed(address)}:${port}`],
    ],
    input: `GET /${answerBytes} HTTP/1.0\r\n\r\n`,
    says: { alpn: protocols, versions: bothVersions },
  },
  {
    what: "Node.js",
    line: (address, port) => [process.execPath, "-e", nodeClient, address, port, name, String(answerBytes)],
    says: { alpn: ["http/1.1"], versions: bothVersions },
  },
  {
    what: "Python",
    line: (address, port) => [
      "/usr/bin/python3",
      "-c",
      pythonClient,
      address,
      port,
      name,
      String(answerBytes),
    ],
    says: { alpn: ["h2", "http/1.1"], versions: bothVersions },
  },
  {
    what: "Go, whose hello has a post-quantum key share",
    line: (address, port) => [go, `${bracketed(address)}:${port}`, name, String(answerBytes)],
    says: { alpn: ["http/1.1"], versions: bothVersions },
  },
];

function buildGoClient(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-go-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const program = join(folder, "go-tls");
  const env = { ...process.env, GOENV: "off", GOFLAGS: "", GOTOOLCHAIN: "local" };
  execFileSync("go", ["build", "-o", program, "."], { cwd: join(fixtures, "go-tls"), env, stdio: "inherit" });
  return program;
}

/** Runs a client to its end; gives its process. */
async function ask(from: Namespace, { line, input }: Client, address: string, port: string): Promise<number> {
  const child = from.start(...line(address, port));
  if (input !== undefined) child.stdin?.write(input);
  await outputOf(child);
  return child.pid;
}

/** What of a hello does not differ from run to run. */
function shown({ direction, pid, transport, connection, interface: on, ...says }: HelloEvent) {
  const { serverName, alpn, versions, encryptedClientHello, problem } = says;
  const { role, local, remote } = connection;
  return {
    direction,
    pid,
    transport,
    role,
    local,
    remote,
    on,
    serverName,
    alpn,
    versions,
    encryptedClientHello,
    problem,
  };
}

function carried({ pid, state, bytesOut, bytesIn, connection: { local, remote } }: ConnectionEvent) {
  return { pid, state, bytesOut, bytesIn, local, remote };
}

/** The events of the end at this address, once its connection has ended. */
async function endAt(watch: Watch, direction: "in" | "out", peer: string) {
  const at = ({ local, remote }: HelloEvent["connection"]) => (direction === "out" ? local : remote) === peer;
  const [hello] = await watch.seen(
    (event): event is HelloEvent => isHello(event) && event.direction === direction && at(event.connection),
  );
  const [connection] = await watch.seen(
    (event): event is ConnectionEvent => isConnection(event) && event.id === hello?.id,
  );
  assert.ok(hello && connection);
  return { hello, connection };
}

async function assertBothEnds(
  [near, far]: [Watch, Watch],
  on: [string, string],
  { pid, server, counted, says }: { pid: number; server: string; counted: Counted; says: Client["says"] },
): Promise<void> {
  const client = await endAt(near, "out", counted.peer);
  const served = await endAt(far, "in", counted.peer);
  const common = {
    transport: "tcp",
    serverName: name,
    ...says,
    encryptedClientHello: false,
    problem: undefined,
  };
  const { peer, received, sent } = counted;
  assert.deepStrictEqual(
    [shown(client.hello), shown(served.hello)],
    [
      { ...common, direction: "out", pid, role: "client", local: peer, remote: server, on: on[0] },
      {
        ...common,
        direction: "in",
        pid: counted.pid,
        role: "server",
        local: server,
        remote: peer,
        on: on[1],
      },
    ],
  );
  assert.deepStrictEqual(
    [carried(client.connection), carried(served.connection)],
    [
      { pid, state: "closed", bytesOut: received, bytesIn: sent, local: peer, remote: server },
      { pid: counted.pid, state: "closed", bytesOut: sent, bytesIn: received, local: server, remote: peer },
    ],
  );
  assert.ok(sent > answerBytes && received > 300, `${sent} and ${received} bytes`);
  assert.match(client.hello.ja4 ?? "", /^t13d\d{4}[a-z0-9]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/);
  assert.deepStrictEqual(
    [client.hello.ja3, client.hello.ja4, client.hello.command],
    [served.hello.ja3, served.hello.ja4, client.connection.command],
  );
}

test("network: real clients, over a cable and over loopback", { skip, timeout: 120_000 }, async (t) => {
  const go = buildGoClient(t);
  const certificate = makeCertificate(t);
  const all = clients(go, certificate);
  const { near, far } = await openCable(t);
  const watches = await Promise.all([watchIn(near), watchIn(far)]);
  const servers = await Promise.all([startCounting(near, certificate), startCounting(far, certificate)]);
  for (const client of all) {
    for (const [where, address] of [
      ["a cable, IPv4", addresses.far.ipv4],
      ["a cable, IPv6", addresses.far.ipv6],
      ["loopback, IPv4", "127.0.0.1"],
      ["loopback, IPv6", "::1"],
    ] as const) {
      await t.test(`network: ${client.what}, over ${where}`, async () => {
        const isLocal = where.startsWith("loopback");
        const server = servers[isLocal ? 0 : 1];
        const pid = await ask(near, client, address, server.port);
        const counted = await server.next();
        assert.equal(counted.pid, server.pid);
        await assertBothEnds(
          isLocal ? [watches[0], watches[0]] : watches,
          isLocal ? ["lo", "lo"] : ["pn0", "pf0"],
          { pid, server: `${bracketed(address)}:${server.port}`, counted, says: client.says },
        );
      });
    }
  }
  const [here, there] = await Promise.all(watches.map((watch) => watch.close()));
  const half = all.length * 2;
  assert.deepStrictEqual(
    [here, there].map((summary) => ({ hellos: summary?.hellos, lost: summary?.lost })),
    [
      { hellos: 3 * half, lost: 0 },
      { hellos: half, lost: 0 },
    ],
  );
});
