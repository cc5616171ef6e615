// A proxy of the test's own, in front of one server, and the TLS clients that meet it.
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import tls from "node:tls";
import { openAuthority, type Authority } from "../../../src/analyzer/network/authority.ts";
import { startProxy, type Proxy, type ProxyOptions } from "../../../src/analyzer/network/proxy.ts";
import type { ExchangeEvent, MessageEvent, SkippedEvent } from "../../../src/protocol/traffic.ts";

export interface ProxyRig {
  proxy: Proxy;
  authority: Authority;
  events: (ExchangeEvent | MessageEvent | SkippedEvent)[];
  /** Finished exchanges. */
  exchanges(): ExchangeEvent[];
  /** Reasons of connections that were not opened. */
  skipped(): string[];
  /** Resolves once there is an event that fits; rejects after five seconds. */
  seen(fits: (event: ExchangeEvent | MessageEvent | SkippedEvent) => boolean): Promise<void>;
}

export function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-test-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

/** Everything that comes to the proxy is for this port of loopback. */
export async function proxyFor(
  t: TestContext,
  port: number,
  roots: string[],
  options: Partial<ProxyOptions> = {},
): Promise<ProxyRig> {
  const authority = await openAuthority(temporaryFolder(t));
  const events: ProxyRig["events"] = [];
  const waiting = new Set<() => void>();
  const proxy = await startProxy({
    authority,
    traffic: { bodyLimit: 4 * 1024 * 1024, showSecrets: true, metadataOnly: false },
    passThrough: [],
    arrival: () =>
      Promise.resolve({ pid: 42, command: "client", destination: { address: "127.0.0.1", port } }),
    ...options,
    onEvent: (event) => {
      events.push(event);
      for (const check of waiting) check();
    },
  });
  proxy.trust(roots);
  t.after(() => proxy.close());
  return {
    proxy,
    authority,
    events,
    exchanges: () =>
      events.filter(
        (event): event is ExchangeEvent => event.type === "exchange" && event.state !== "pending",
      ),
    skipped: () => events.flatMap((event) => (event.type === "skipped" ? [event.reason.code] : [])),
    seen: (fits) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(new Error(`no such event within 5 s; seen: ${JSON.stringify(events).slice(0, 2000)}`));
        }, 5000);
        const check = () => {
          if (!events.some(fits)) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

/** Listens on a port of this address until the test ends; gives the port. */
export async function listening(t: TestContext, server: net.Server, address = "127.0.0.1"): Promise<number> {
  const sockets = new Set<net.Socket>();
  server.on("connection", (socket: net.Socket) => {
    sockets.add(socket.on("error", () => undefined));
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("tlsClientError", () => undefined);
  server.listen(0, address);
  await once(server, "listening");
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** An HTTP proxy that is not ours: its port, and the requests that it has had. */
export async function httpProxy(t: TestContext, status = 200): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = [];
  const server = http.createServer();
  server.on("connect", (request: http.IncomingMessage, client: net.Socket) => {
    asked.push(`${request.url ?? ""} ${request.headers["proxy-authorization"] ?? ""}`.trim());
    client.on("error", () => undefined);
    if (status !== 200) {
      client.end(`HTTP/1.1 ${status} No\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    const { hostname, port } = new URL(`http://${request.url ?? ""}`);
    const upstream = net.connect(Number(port), hostname, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(client).pipe(upstream);
    });
    upstream.on("error", () => client.destroy());
    t.after(() => upstream.destroy());
  });
  return { port: await listening(t, server), asked };
}

/** A TLS connection to localhost by way of this port; resolves after the handshake, rejects with its failure. */
export function connectTls(port: number, options: tls.ConnectionOptions): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: "127.0.0.1", port, servername: "localhost", ...options });
    socket.once("error", reject).once("secureConnect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
  });
}
