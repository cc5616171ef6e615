// The user's own HTTP proxy: what environments name, and connections that go on through it.
import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { test, type TestContext } from "node:test";
import tls from "node:tls";
import { ownProxy } from "../../../src/analyzer/network/own-proxy.ts";
import { connectUpstream } from "../../../src/analyzer/network/upstream.ts";
import { certificate, type TestCertificate } from "./certificates.ts";
import { connectTls, httpProxy, listening, proxyFor } from "./proxy-rig.ts";

const cases: [name: string, environment: NodeJS.ProcessEnv, host: string, expected: unknown][] = [
  ["none", {}, "shop.example", undefined],
  ["one that is empty", { HTTPS_PROXY: "" }, "shop.example", undefined],
  [
    "a URL with credentials",
    { HTTPS_PROXY: "http://ada:l%40ve@proxy.example:3128/" },
    "shop.example",
    {
      address: "proxy.example",
      port: 3128,
      credentials: Buffer.from("ada:l@ve").toString("base64"),
    },
  ],
  [
    "a name alone, the small letters first",
    { https_proxy: "[::1]:8080", HTTPS_PROXY: "http://other.example" },
    "shop.example",
    { address: "::1", port: 8080, credentials: null },
  ],
  [
    "an exception",
    { HTTPS_PROXY: "proxy.example:1", NO_PROXY: "a.example, shop.example" },
    "shop.example",
    null,
  ],
  [
    "an exception for all below",
    { HTTPS_PROXY: "proxy.example:1", no_proxy: ".example" },
    "shop.example",
    null,
  ],
  ["an exception for all", { HTTPS_PROXY: "proxy.example:1", no_proxy: "*" }, "shop.example", null],
  [
    "an exception for another name",
    { HTTPS_PROXY: "proxy.example:1", no_proxy: "op.example" },
    "shop.example",
    { address: "proxy.example", port: 1, credentials: null },
  ],
];
for (const [name, environment, host, expected] of cases) {
  test(`own proxy: ${name}`, () => {
    assert.deepStrictEqual(ownProxy(environment)?.viaFor(host), expected);
  });
}

test("own proxy: one of another kind is refused, without its password", () => {
  assert.throws(
    () => ownProxy({ HTTPS_PROXY: "socks5://ada:secret@proxy.example:1080" }),
    /^Error: socks5:\/\/proxy\.example:1080 is no proxy of the form http:\/\/HOST:PORT$/,
  );
});

async function echo(t: TestContext, own: TestCertificate): Promise<number> {
  const server = https.createServer({ cert: own.cert, key: own.key }, (request, response) => {
    request.pipe(response);
  });
  return listening(t, server);
}

test("own proxy: an upstream is reached through it", async (t) => {
  const own = await certificate();
  const [port, proxy] = [await echo(t, own), await httpProxy(t)];
  const via = { address: "127.0.0.1", port: proxy.port, credentials: "YTpi" };
  const socket = await connectUpstream({ address: "127.0.0.1", port, via });
  t.after(() => socket.destroy());
  const secured = tls.connect({ socket, ca: own.cert, servername: "localhost" });
  await once(secured, "secureConnect");
  secured.destroy();
  assert.deepStrictEqual(proxy.asked, [`127.0.0.1:${port} Basic YTpi`]);
});

test("own proxy: its refusal is why the upstream is not reached", async (t) => {
  const proxy = await httpProxy(t, 407);
  const via = { address: "127.0.0.1", port: proxy.port, credentials: null };
  await assert.rejects(
    connectUpstream({ address: "shop.example", port: 443, via }),
    new RegExp(`the HTTP proxy 127\\.0\\.0\\.1:${proxy.port} answered HTTP/1\\.1 407 No`),
  );
});

/** What the server answers by way of the HTTP proxy at this port. */
async function askThrough(port: number, target: string, options: tls.ConnectionOptions): Promise<string> {
  const request = http
    .request({ port, host: "127.0.0.1", method: "CONNECT", path: target, agent: false })
    .end();
  const [answer, socket] = (await once(request, "connect")) as [http.IncomingMessage, net.Socket];
  if (answer.statusCode !== 200) return String(answer.statusCode);
  const secured = await connectTls(0, { ...options, socket });
  secured.write(
    "POST /through HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello",
  );
  let said = "";
  for await (const chunk of secured) said += String(chunk);
  return said.split("\r\n")[0] ?? "";
}

test("own proxy: TLS that a program sends through it is opened", async (t) => {
  const own = await certificate();
  const [port, theirs] = [await echo(t, own), await httpProxy(t)];
  const rig = await proxyFor(t, theirs.port, [own.cert]);
  const said = await askThrough(rig.proxy.port, `127.0.0.1:${port}`, { ca: rig.authority.certificate });
  assert.equal(said, "HTTP/1.1 200 OK");
  await rig.seen((event) => event.type === "exchange" && event.state === "complete");
  const [exchange] = rig.exchanges();
  assert.deepStrictEqual(
    [exchange?.request?.target, exchange?.connection.serverName, exchange?.connection.remote],
    ["/through", "localhost", `127.0.0.1:${theirs.port}`],
  );
  assert.deepStrictEqual(rig.skipped(), []);
});

test("own proxy: a server behind it that is not good meets the program itself", async (t) => {
  const own = await certificate();
  const [port, theirs] = [await echo(t, own), await httpProxy(t)];
  const rig = await proxyFor(t, theirs.port, []);
  const said = await askThrough(rig.proxy.port, `127.0.0.1:${port}`, { ca: own.cert });
  assert.equal(said, "HTTP/1.1 200 OK");
  assert.deepStrictEqual(rig.skipped(), ["upstream-certificate"]);
  assert.equal(theirs.asked.length, 2);
});

test("own proxy: its refusal reaches the program, and shows", async (t) => {
  const theirs = await httpProxy(t, 403);
  const rig = await proxyFor(t, theirs.port, []);
  assert.equal(await askThrough(rig.proxy.port, "127.0.0.1:9", {}), "403");
  assert.deepStrictEqual(rig.skipped(), ["http-proxy"]);
});
