// The proxy between real TLS clients and servers: what is opened is carried byte for byte and shown, what cannot be
// opened meets the client as it would without a proxy.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import tls from "node:tls";
import { promisify } from "node:util";
import { certificate, type TestCertificate } from "./certificates.ts";
import { connectTls, listening, proxyFor, temporaryFolder, type ProxyRig } from "./proxy-rig.ts";

const run = promisify(execFile);
const megabyte = 1024 * 1024;

/** Sends every body back. */
async function echo(t: TestContext, own: TestCertificate): Promise<number> {
  const server = https.createServer({ cert: own.cert, key: own.key }, (request, response) => {
    response.setHeader("content-type", "application/octet-stream");
    request.pipe(response);
  });
  return listening(t, server);
}

interface Asked {
  status: number;
  body: Buffer;
}

function ask(rig: ProxyRig, options: https.RequestOptions = {}, body: Buffer | string = ""): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        host: "127.0.0.1",
        servername: "localhost",
        port: rig.proxy.port,
        method: "POST",
        ca: rig.authority.certificate,
        agent: false,
        ...options,
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk)).on("error", reject);
        response.on("end", () => {
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks) });
        });
      },
    );
    request.on("error", reject).end(body);
  });
}

const isComplete = (event: { type: string; state?: string }) =>
  event.type === "exchange" && event.state === "complete";

test("proxy: HTTP/1.1 with a megabyte each way, byte for byte", async (t) => {
  const own = await certificate();
  const rig = await proxyFor(t, await echo(t, own), [own.cert]);
  const body = randomBytes(megabyte);
  const answer = await ask(rig, { path: "/big?id=1" }, body);
  assert.ok(answer.body.equals(body));
  await rig.seen(isComplete);
  const [exchange] = rig.exchanges();
  assert.ok(exchange?.request && exchange.response);
  const { pid, command, path, protocol, connection } = exchange;
  assert.deepStrictEqual(
    { pid, command, path, protocol, role: connection.role, serverName: connection.serverName },
    {
      pid: 42,
      command: "client",
      path: "mitm",
      protocol: "http/1.1",
      role: "client",
      serverName: "localhost",
    },
  );
  assert.deepStrictEqual([exchange.request.target, exchange.request.bodySize], ["/big?id=1", megabyte]);
  assert.equal(exchange.request.body?.hex, body.toString("hex"));
  assert.equal(exchange.response.body?.hex, body.toString("hex"));
});

test("proxy: HTTP/2 where the server chooses it, streams side by side", async (t) => {
  const own = await certificate();
  const server = http2.createSecureServer({ cert: own.cert, key: own.key });
  server.on("stream", (stream) => {
    stream.respond({ ":status": 201 });
    stream.pipe(stream);
  });
  const rig = await proxyFor(t, await listening(t, server), [own.cert]);
  const session = http2.connect("https://localhost", {
    createConnection: () =>
      tls.connect({
        host: "127.0.0.1",
        port: rig.proxy.port,
        servername: "localhost",
        ca: rig.authority.certificate,
        ALPNProtocols: ["h2", "http/1.1"],
      }),
  });
  t.after(() => {
    session.destroy();
  });
  const bodies = [randomBytes(megabyte), randomBytes(1000), Buffer.alloc(0)];
  const answers = await Promise.all(
    bodies.map(async (body, index) => {
      const stream = session.request({ ":method": "PUT", ":path": `/${index}` });
      stream.end(body);
      const chunks: Buffer[] = [];
      for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
      return Buffer.concat(chunks).equals(body);
    }),
  );
  assert.deepStrictEqual(answers, [true, true, true]);
  session.close();
  await rig.seen(() => rig.exchanges().length === 3);
  const shown = rig
    .exchanges()
    .map(({ protocol, request, response }) => [
      protocol,
      request?.target,
      response?.status,
      response?.bodySize,
    ]);
  assert.deepStrictEqual(shown.sort(), [
    ["h2", "/0", 201, megabyte],
    ["h2", "/1", 201, 1000],
    ["h2", "/2", 201, 0],
  ]);
});

test("proxy: the client meets the server's subject and names, signed by the authority", async (t) => {
  const own = await certificate({ commonName: "Shop", dnsNames: ["localhost", "*.shop.example"] });
  const rig = await proxyFor(t, await echo(t, own), [own.cert]);
  const socket = await connectTls(rig.proxy.port, { ca: rig.authority.certificate });
  const met = socket.getPeerX509Certificate();
  socket.destroy();
  assert.ok(met);
  assert.equal(met.subject, "CN=Shop\nO=A Shop");
  assert.equal(met.subjectAltName, "DNS:localhost, DNS:*.shop.example");
  assert.match(met.issuer, /^CN=Plainsight for /);
  assert.ok(Date.parse(met.validTo) - Date.now() <= 24 * 3_600_000);
});

test("proxy: a WebSocket is an exchange and then messages", async (t) => {
  const own = await certificate();
  const server = https.createServer({ cert: own.cert, key: own.key });
  server.on("upgrade", (_, socket) => {
    socket.write("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
    socket.once("data", () => {
      socket.end(Buffer.from([0x81, 4, ...Buffer.from("pong")])); // RFC 6455, 5.7
    });
  });
  const rig = await proxyFor(t, await listening(t, server), [own.cert]);
  const socket = await connectTls(rig.proxy.port, { ca: rig.authority.certificate });
  socket.write("GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n");
  await once(socket, "data");
  socket.write(Buffer.from([0x81, 0x84, 0, 0, 0, 0, ...Buffer.from("ping")]));
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.equal(answer.subarray(2).toString(), "pong");
  socket.end();
  await rig.seen((event) => event.type === "message" && event.direction === "in");
  assert.deepStrictEqual(
    rig.events.flatMap((event) =>
      event.type === "message" ? [[event.protocol, event.direction, event.preview]] : [],
    ),
    [
      ["websocket", "out", { text: "ping" }],
      ["websocket", "in", { text: "pong" }],
    ],
  );
  assert.equal(rig.exchanges()[0]?.response?.status, 101);
});

test("proxy: a hundred connections at once, each with its own answer", async (t) => {
  const own = await certificate();
  const rig = await proxyFor(t, await echo(t, own), [own.cert]);
  const bodies = Array.from({ length: 100 }, (_, index) => `answer ${index}`);
  const answers = await Promise.all(bodies.map((body) => ask(rig, {}, body)));
  assert.deepStrictEqual(
    answers.map(({ body }) => body.toString()),
    bodies,
  );
  await rig.seen(() => rig.exchanges().length === 100);
  assert.equal(new Set(rig.exchanges().map(({ connection }) => connection.id)).size, 100);
});

/** What the client thinks of a server by way of the proxy, and without it. */
const badCertificates: [name: string, make: () => Promise<{ shown: TestCertificate; roots: string[] }>][] = [
  ["expired", async () => shownAndTrusted(await certificate({ expired: true }))],
  ["of another name", async () => shownAndTrusted(await certificate({ dnsNames: ["other.example"] }))],
  [
    "of an authority that nobody trusts",
    async () => {
      const issuer = await certificate({ commonName: "Nobody" });
      return { shown: await certificate({ issuer }), roots: [] };
    },
  ],
];
const shownAndTrusted = (shown: TestCertificate) => ({ shown, roots: [shown.cert] });

for (const [name, make] of badCertificates) {
  test(`proxy: a server's certificate that is ${name} meets the client itself`, async (t) => {
    const { shown, roots } = await make();
    const port = await echo(t, shown);
    const rig = await proxyFor(t, port, roots);
    const failure = async (at: number, ca: string[]) =>
      connectTls(at, { ca }).then(
        () => "none",
        (error: unknown) => (error as NodeJS.ErrnoException).code,
      );
    const without = await failure(port, roots);
    assert.notEqual(without, "none");
    assert.equal(await failure(rig.proxy.port, [...roots, rig.authority.certificate]), without);
    // A client that does not look at certificates works as it does without us.
    const careless = await ask(rig, { rejectUnauthorized: false }, "hello");
    assert.equal(careless.body.toString(), "hello");
    assert.deepStrictEqual(rig.skipped(), ["upstream-certificate"]);
    assert.deepStrictEqual(rig.exchanges(), []);
  });
}

for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
  test(`proxy: ${version}: the client's certificate reaches a server that asks for one`, async (t) => {
    const own = await certificate();
    const client = await certificate({ commonName: "The client" });
    const server = tls.createServer(
      { cert: own.cert, key: own.key, ca: client.cert, requestCert: true, maxVersion: version },
      (socket) => socket.end(String(socket.getPeerCertificate().subject.CN)),
    );
    const rig = await proxyFor(t, await listening(t, server), [own.cert]);
    const socket = await connectTls(rig.proxy.port, { ca: own.cert, cert: client.cert, key: client.key });
    const [said] = (await once(socket, "data")) as [Buffer];
    assert.equal(said.toString(), "The client");
    assert.deepStrictEqual(rig.skipped(), ["client-certificate"]);
  });
}

test("proxy: a client that judges within the handshake fails once, then goes through untouched", async (t) => {
  const own = await certificate();
  const rig = await proxyFor(t, await echo(t, own), [own.cert]);
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "own.pem"), own.cert);
  const curl = async () => {
    const options = ["-sS", "--cacert", join(folder, "own.pem"), "-d", "hello"];
    const address = `localhost:${rig.proxy.port}:127.0.0.1`;
    return run("curl", [...options, "--resolve", address, `https://localhost:${rig.proxy.port}/`]);
  };
  await assert.rejects(curl(), { code: 60 });
  assert.equal((await curl()).stdout, "hello");
  assert.deepStrictEqual(rig.skipped(), ["not-trusted", "not-trusted"]);
});

test("proxy: a client that judges as the handshake ends fails once, then goes through untouched", async (t) => {
  const own = await certificate();
  const rig = await proxyFor(t, await echo(t, own), [own.cert]);
  await assert.rejects(ask(rig, { ca: own.cert }, "one"));
  await rig.seen(({ type }) => type === "skipped");
  assert.equal((await ask(rig, { ca: own.cert }, "two")).body.toString(), "two");
  assert.deepStrictEqual(rig.skipped(), ["not-trusted", "not-trusted"]);
});

test("proxy: a client that connects, verifies and leaves, as a health check does, is not taken for one that distrusts", async (t) => {
  const own = await certificate();
  const rig = await proxyFor(t, await echo(t, own), [own.cert]);
  const socket = await connectTls(rig.proxy.port, { ca: rig.authority.certificate });
  socket.end();
  await rig.seen(({ type }) => type === "skipped");
  assert.equal((await ask(rig, {}, "hello")).body.toString(), "hello");
  await rig.seen(isComplete);
  assert.deepStrictEqual(rig.skipped(), ["closed-in-silence"]);
});

test("proxy: a client that leaves while its server is silent leaves no connection behind, and it shows", async (t) => {
  const silent = net.createServer();
  const rig = await proxyFor(t, await listening(t, silent), []);
  const [tcp, [upstream]] = await Promise.all([
    Promise.resolve(net.connect(rig.proxy.port, "127.0.0.1")),
    once(silent, "connection") as Promise<[net.Socket]>,
  ]);
  tls.connect({ socket: tcp, servername: "localhost" }).on("error", () => undefined);
  await once(upstream, "data"); // the proxy's own hello
  const over = once(upstream, "close");
  tcp.end(); // no reset: its end alone has to be noticed
  await Promise.all([over, once(tcp, "close"), rig.seen(() => rig.skipped().includes("abandoned"))]);
});

test("proxy: servers that the user named are not opened", async (t) => {
  const own = await certificate();
  const rig = await proxyFor(t, await echo(t, own), [own.cert], { passThrough: ["LOCALHOST"] });
  assert.equal((await ask(rig, { ca: own.cert }, "hello")).body.toString(), "hello");
  assert.deepStrictEqual(rig.skipped(), ["pass-through"]);
});

test("proxy: what is not TLS passes, whoever speaks first", async (t) => {
  const server = net.createServer((socket) => {
    socket.write("220 ready\r\n");
    socket.on("data", (bytes) => socket.end(`you said ${bytes.toString()}`));
  });
  const rig = await proxyFor(t, await listening(t, server), []);
  const socket = net.connect(rig.proxy.port, "127.0.0.1");
  const [greeting] = (await once(socket, "data")) as [Buffer];
  socket.write("EHLO");
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.deepStrictEqual([greeting.toString(), answer.toString()], ["220 ready\r\n", "you said EHLO"]);
  assert.deepStrictEqual(rig.skipped(), ["not-tls"]);
});

test("proxy: TLS that carries no HTTP is messages", async (t) => {
  const own = await certificate();
  const server = tls.createServer({ cert: own.cert, key: own.key }, (socket) => {
    socket.once("data", () => socket.end("+PONG\r\n"));
  });
  const rig = await proxyFor(t, await listening(t, server), [own.cert]);
  const socket = await connectTls(rig.proxy.port, { ca: rig.authority.certificate });
  socket.write("*1\r\n$4\r\nPING\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.equal(answer.toString(), "+PONG\r\n");
  await rig.seen((event) => event.type === "message" && event.direction === "in");
});

test("proxy: a client that takes the connection and gives it up without a word, again, is learned from", async (t) => {
  const own = await certificate();
  const rig = await proxyFor(t, await echo(t, own), [own.cert]);
  for (const code of ["closed-in-silence", "not-trusted"]) {
    const tcp = net.connect(rig.proxy.port, "127.0.0.1");
    const socket = tls.connect({ socket: tcp, servername: "localhost", ca: rig.authority.certificate });
    await once(socket, "session"); // a ticket: the proxy has taken the handshake as done
    tcp.resetAndDestroy();
    await rig.seen(() => rig.skipped().includes(code));
  }
  assert.equal((await ask(rig, { ca: own.cert }, "hello")).body.toString(), "hello");
});

test("proxy: a server that breaks off in mid-body breaks off for the client, and it shows", async (t) => {
  const own = await certificate();
  const connections: net.Socket[] = [];
  const server = https.createServer({ cert: own.cert, key: own.key }, (_, response) => {
    response.writeHead(200);
    response.write("the first half", () => connections[0]?.resetAndDestroy());
  });
  server.on("connection", (socket: net.Socket) => connections.push(socket));
  const rig = await proxyFor(t, await listening(t, server), [own.cert]);
  await assert.rejects(ask(rig), { code: "ECONNRESET" });
  await rig.seen((event) => event.type === "exchange" && event.state === "incomplete");
});

test("proxy: a server that is not there is a broken connection, not a hanging one", async (t) => {
  const own = await certificate();
  const closed = net.createServer();
  const port = await listening(t, closed);
  closed.close();
  const rig = await proxyFor(t, port, [own.cert]);
  await assert.rejects(ask(rig), { code: "ECONNRESET" });
  assert.deepStrictEqual(rig.skipped(), ["not-reached"]);
});

test("proxy: closed in mid-request, it is an ordinary connection error for the client", async (t) => {
  const own = await certificate();
  let arrived: () => void = () => undefined;
  const server = https.createServer({ cert: own.cert, key: own.key }, () => {
    arrived(); // and no answer
  });
  const rig = await proxyFor(t, await listening(t, server), [own.cert]);
  const waiting = new Promise<void>((resolve) => (arrived = resolve));
  const answer = assert.rejects(ask(rig), { code: "ECONNRESET" });
  await waiting;
  await rig.proxy.close();
  await answer;
  await assert.rejects(ask(rig), { code: "ECONNREFUSED" });
});

test("proxy: with metadata only, no header, body or query leaves it", async (t) => {
  const own = await certificate();
  const traffic = { bodyLimit: 1000, showSecrets: true, metadataOnly: true };
  const rig = await proxyFor(t, await echo(t, own), [own.cert], { traffic });
  await ask(rig, { path: "/orders?name=Ada", headers: { "x-secret": "hush" } }, "a private text");
  await rig.seen(isComplete);
  const [exchange] = rig.exchanges();
  assert.deepStrictEqual(
    [exchange?.request?.target, exchange?.request?.bodySize, exchange?.response?.status],
    ["/orders", 14, 200],
  );
  assert.doesNotMatch(JSON.stringify(rig.events), /Ada|hush|private|octet/);
});

test("proxy: connections that nobody sent to it are closed", async (t) => {
  const own = await certificate();
  const rig = await proxyFor(t, await echo(t, own), [own.cert], { arrival: () => Promise.resolve(null) });
  await assert.rejects(ask(rig), { code: "ECONNRESET" });
  assert.deepStrictEqual(rig.events, []);
});
