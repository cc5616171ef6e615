// How connections begin, and what is asked of the kernel's tables about them.
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import net from "node:net";
import { test, type TestContext } from "node:test";
import tls from "node:tls";
import { acceptConnectRequest } from "../../../src/analyzer/network/connect-request.ts";
import { ClosedToUs } from "../../../src/analyzer/network/closed-to-us.ts";
import { readBeginning } from "../../../src/analyzer/network/first-bytes.ts";
import { hasIpv6Route } from "../../../src/analyzer/network/ipv6-route.ts";
import { proxyVariables } from "../../../src/analyzer/network/proxy-variables.ts";
import { redirectedFrom } from "../../../src/analyzer/network/redirected.ts";
import { socketOwner } from "../../../src/analyzer/processes/socket-owner.ts";
import { listening } from "./proxy-rig.ts";

/** Both ends of a connection. */
async function connection(t: TestContext): Promise<{ client: net.Socket; server: net.Socket }> {
  const listener = net.createServer({ pauseOnConnect: true, allowHalfOpen: true });
  const port = await listening(t, listener);
  const client = net.connect({ port, host: "127.0.0.1", noDelay: true });
  const [[server]] = (await Promise.all([once(listener, "connection"), once(client, "connect")])) as [
    [net.Socket],
    unknown,
  ];
  t.after(() => client.destroy());
  return { client: client.on("error", () => undefined), server };
}

/** The ClientHello that OpenSSL sends. */
async function helloOf(t: TestContext, options: tls.ConnectionOptions): Promise<Buffer> {
  const { client, server } = await connection(t);
  tls.connect({ socket: client, ...options }).on("error", () => undefined);
  const [bytes] = (await once(server.resume(), "data")) as [Buffer];
  return bytes;
}

const never = new AbortController().signal;

test("beginning: a ClientHello in many pieces", async (t) => {
  const sent = await helloOf(t, { servername: "shop.example", ALPNProtocols: ["h2", "http/1.1"] });
  const { client, server } = await connection(t);
  const reading = readBeginning(server, never);
  for (let at = 0; at < sent.length; at += 100) {
    client.write(sent.subarray(at, at + 100));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.deepStrictEqual(await reading, {
    kind: "tls",
    bytes: sent,
    hello: { serverName: "shop.example", protocols: ["h2", "http/1.1"], highestVersion: 0x0304 },
  });
});

test("beginning: TLS 1.2 without a server name", async (t) => {
  const sent = await helloOf(t, { maxVersion: "TLSv1.2" });
  const { client, server } = await connection(t);
  client.write(sent);
  const beginning = await readBeginning(server, never);
  assert.deepStrictEqual(beginning.kind === "tls" && beginning.hello, {
    serverName: null,
    protocols: [],
    highestVersion: 0x0303,
  });
});

test("beginning: a ClientHello in several TLS records", async (t) => {
  const sent = await helloOf(t, { servername: "shop.example", ALPNProtocols: ["h2"] });
  const message = sent.subarray(5);
  const record = (part: Buffer) => Buffer.concat([Buffer.from([0x16, 3, 1, 0, part.length]), part]);
  const parts = [2, 60, 100].map((at, index, all) => message.subarray(all[index - 1] ?? 0, at));
  const rest = message.subarray(100);
  const long = Buffer.concat([Buffer.from([0x16, 3, 1, rest.length >> 8, rest.length & 0xff]), rest]);
  const split = Buffer.concat([...parts.map(record), long]);
  const { client, server } = await connection(t);
  client.write(split);
  assert.deepStrictEqual(await readBeginning(server, never), {
    kind: "tls",
    bytes: split,
    hello: { serverName: "shop.example", protocols: ["h2"], highestVersion: 0x0304 },
  });
});

const others: [name: string, bytes: string][] = [
  ["HTTP", Buffer.from("GET / HTTP/1.1\r\n\r\n").toString("hex")],
  ["a record that is no handshake", "170303000100"],
  ["a handshake of another version", "1605000001"],
  ["a handshake record of nonsense", "16030100080badc0de0badc0de"],
];
for (const [name, hex] of others) {
  test(`beginning: ${name} is not TLS`, async (t) => {
    const { client, server } = await connection(t);
    client.write(Buffer.from(hex, "hex"));
    assert.deepStrictEqual(await readBeginning(server, never), {
      kind: "other",
      bytes: Buffer.from(hex, "hex"),
    });
  });
}

test("beginning: one that ends before it says anything", async (t) => {
  const { client, server } = await connection(t);
  client.end("\x16");
  assert.deepStrictEqual(await readBeginning(server, never), { kind: "ended", bytes: Buffer.from("\x16") });
});

test("beginning: one that the other side begins", async (t) => {
  const { server } = await connection(t);
  const aborter = new AbortController();
  const reading = readBeginning(server, aborter.signal);
  aborter.abort();
  assert.deepStrictEqual(await reading, { kind: "other", bytes: Buffer.alloc(0) });
});

const requests: [request: string, destination: unknown, answer: RegExp][] = [
  [
    "CONNECT shop.example:443 HTTP/1.1\r\nHost: shop.example:443\r\n\r\n",
    { address: "shop.example", port: 443 },
    /^HTTP\/1.1 200 /,
  ],
  ["CONNECT [::1]:8443 HTTP/1.1\r\n\r\n", { address: "::1", port: 8443 }, /^HTTP\/1.1 200 /],
  ["CONNECT shop.example:0 HTTP/1.1\r\n\r\n", null, /^HTTP\/1.1 405 /],
  ["CONNECT shop.example HTTP/1.1\r\n\r\n", null, /^HTTP\/1.1 405 /],
  ["GET http://shop.example/ HTTP/1.1\r\n\r\n", null, /^HTTP\/1.1 405 /],
];
for (const [request, destination, answer] of requests) {
  test(`connect request: ${JSON.stringify(request.split("\r\n")[0])}`, async (t) => {
    const { client, server } = await connection(t);
    client.write(`${request}and more`);
    const accepted = await acceptConnectRequest(server);
    assert.deepStrictEqual(accepted, destination);
    const [said] = (await once(client, "data")) as [Buffer];
    assert.match(said.toString(), answer);
    if (accepted) assert.equal(String(server.read()), "and more");
  });
}

test("connect request: one without end is not waited for", async (t) => {
  const { client, server } = await connection(t);
  client.write("CONNECT ".padEnd(10_000, "x"));
  assert.equal(await acceptConnectRequest(server), null);
});

test("socket owner: is this process, for a connection of its own", async (t) => {
  const { client } = await connection(t);
  const local = `127.0.0.1:${client.localPort ?? 0}`;
  assert.equal(socketOwner(local, `127.0.0.1:${client.remotePort ?? 0}`), process.pid);
  assert.equal(socketOwner(local, "127.0.0.1:1"), null);
});

const datagrams: [what: string, address: string | undefined, remote: string | undefined][] = [
  ["is connected", "127.0.0.1", "127.0.0.1"],
  ["takes what comes to one address", "127.0.0.1", undefined],
  ["takes what comes to every address", undefined, undefined],
];
for (const [what, address, remote] of datagrams) {
  test(`socket owner: is this process, for a datagram socket of its own that ${what}`, async (t) => {
    const socket = createSocket("udp4");
    t.after(() => socket.close());
    await new Promise<void>((resolve) => socket.bind(0, address, resolve));
    const { port } = socket.address();
    if (remote !== undefined)
      await new Promise<void>((resolve) => {
        socket.connect(9, remote, resolve);
      });
    assert.equal(socketOwner(`127.0.0.1:${port}`, "127.0.0.1:9", "udp"), process.pid);
    assert.equal(socketOwner("127.0.0.1:1", "127.0.0.1:9", "udp"), null);
  });
}

const route = (destination: string, flags: string, device: string) =>
  `${destination.padEnd(32, "0")} 40 ${"0".repeat(32)} 00 ${"0".repeat(32)} 00000100 00000001 00000000 ${flags} ${device}`;
const routes: [name: string, lines: string[], reachable: boolean][] = [
  ["no routes", [""], false],
  [
    "loopback and link-local alone",
    [route("", "00200200", "lo"), route("fe80", "00000001", "eth0"), route("ff", "00000001", "eth0")],
    false,
  ],
  ["a default route that rejects", [route("", "00200200", "eth0")], false],
  ["a default route", [route("fe80", "00000001", "eth0"), route("", "00000003", "eth0")], true],
  ["a network of its own", [route("fd00", "00000001", "eth0")], true],
];
for (const [name, lines, reachable] of routes) {
  test(`ipv6 route: ${name}`, () => {
    assert.equal(hasIpv6Route(lines.join("\n")), reachable);
  });
}

test("redirected: reads both families", () => {
  const tail = "0a00bb01" + "2a000000" + "00000000";
  assert.deepStrictEqual(redirectedFrom(`20010db8${"00".repeat(11)}01${tail}`), {
    address: "2001:db8::1",
    port: 443,
    pid: 42,
    isHeld: false,
  });
  assert.deepStrictEqual(redirectedFrom(`c0000201${"00".repeat(12)}0200bb012a00000001000000`), {
    address: "192.0.2.1",
    port: 443,
    pid: 42,
    isHeld: true,
  });
});

test("proxy variables: extend the JVM's options", () => {
  const variables = proxyVariables(8080, { JAVA_TOOL_OPTIONS: "-Da=b" });
  assert.equal(variables.HTTPS_PROXY, "http://127.0.0.1:8080");
  assert.match(
    variables.JAVA_TOOL_OPTIONS ?? "",
    /^-Da=b -Dhttps\.proxyHost=127\.0\.0\.1 -Dhttps\.proxyPort=8080 /,
  );
});

test("closed to us: names, suffixes, and what was learned", () => {
  const closed = new ClosedToUs(["Bank.example", "*.pay.example"]);
  const codes = (names: string[]) => names.map((name) => closed.reason(`curl ${name}`, name)?.code ?? null);
  assert.deepStrictEqual(
    codes(["bank.example", "www.bank.example", "a.pay.example", "pay.example", "shop.example"]),
    ["pass-through", null, "pass-through", null, null],
  );
  const ended = (name: string, bytes: number, livedMs: number) =>
    closed.ended(`curl ${name}`, "curl", bytes, livedMs)?.reason.code ?? null;
  // One that lived, one that was silent, and another.
  assert.deepStrictEqual(
    [ended("shop.example", 0, 5000), ended("shop.example", 0, 5)],
    [null, "closed-in-silence"],
  );
  assert.deepStrictEqual(codes(["shop.example"]), [null]);
  assert.equal(ended("shop.example", 0, 5), "not-trusted");
  assert.deepStrictEqual(codes(["shop.example", "other.example"]), ["not-trusted", null]);
  // Who said something once may be silent as often as it likes.
  assert.deepStrictEqual(
    [ended("other.example", 0, 5), ended("other.example", 10, 5), ended("other.example", 0, 5)],
    ["closed-in-silence", null, null],
  );
  assert.deepStrictEqual(codes(["other.example"]), [null]);
});
