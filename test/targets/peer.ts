// Our end of each exchange: an HTTPS server for clients and a client for servers, which keep what they said and heard
// to the byte. The certificate is made by an authority of our own.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { bodyOf } from "../fixtures/bodies.mjs";

export interface Certificates {
  ca: string;
  cert: string;
  key: string;
}

/** What went over the wire; null where that side said nothing. */
export interface Said {
  target: string;
  request: string;
  response: string;
}

export const requestBody = "what the reference matrix asks of each program";
export const responseBody = bodyOf(20_000, 7);

/** An authority and a certificate of localhost in this folder. */
export function makeCertificates(folder: string): Certificates {
  const path = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync("openssl", args, { cwd: folder, stdio: "ignore" });
  const key = ["-newkey", "rsa:2048", "-nodes"];
  openssl("req", "-x509", ...key, "-days", "2", "-subj", "/CN=matrix", "-keyout", "ca.key", "-out", "ca.pem");
  openssl("req", ...key, "-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "request.pem");
  writeFileSync(path("names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n");
  const signing = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", "2"];
  openssl("x509", "-req", "-in", "request.pem", ...signing, "-out", "cert.pem");
  return { ca: path("ca.pem"), cert: path("cert.pem"), key: path("key.pem") };
}

export interface Peer {
  port: number;
  close(): void;
}

/** The other end of a request's connection. */
export interface Client {
  port: number;
  /** The server's name that it sent. */
  serverName: string | null;
}

/**
 * Answers by HTTP/1.1 or HTTP/2, whichever the client prefers.
 * @param onRequest is called before the answer: the client waits meanwhile
 */
export async function startPeer(
  { cert, key }: Certificates,
  onRequest: (said: Said, client: Client) => void,
): Promise<Peer> {
  const options = { cert: readFileSync(cert), key: readFileSync(key), allowHTTP1: true };
  const sockets = new Set<Socket>();
  const server = http2.createSecureServer(options, (request, response) => {
    let body = "";
    const { remotePort = 0, servername } = request.socket as TLSSocket;
    const client = { port: remotePort, serverName: typeof servername === "string" ? servername : null };
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      // The client written in C says what it was built to say, and is answered with the same.
      const answer = request.url === "/static" ? body : responseBody;
      onRequest({ target: request.url, request: body, response: answer }, client);
      response.writeHead(200, { "content-type": "text/plain", "content-length": answer.length });
      response.end(answer);
    });
  });
  server.on("connection", (socket: Socket) => {
    sockets.add(socket.on("error", () => undefined));
  });
  server.on("sessionError", () => undefined).on("tlsClientError", () => undefined);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** One request of ours on a connection of its own; rejects after ten seconds. */
export function ask(port: number, ca: string, target: string, body: string | null): Promise<Said> {
  return new Promise((resolve, reject) => {
    const options = {
      ...{ host: "127.0.0.1", servername: "localhost", port, path: target, agent: false as const },
      ...{ method: body === null ? "GET" : "POST", ca: readFileSync(ca), timeout: 10_000 },
      headers: { host: "localhost", ...(body !== null && { "content-length": Buffer.byteLength(body) }) },
    };
    const request = https.request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("error", reject).on("end", () => {
        resolve({ target, request: body ?? "", response: text });
      });
    });
    request.on("timeout", () => request.destroy(new Error("it did not answer within ten seconds")));
    request.on("error", reject).end(body ?? undefined);
  });
}

/** The same by HTTP/2. */
export function askHttp2(port: number, ca: string, target: string, body: string): Promise<Said> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(`https://localhost:${port}`, { ca: readFileSync(ca) });
    session.on("error", reject);
    const stream = session.request({ ":method": "POST", ":path": target });
    let text = "";
    stream.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
    stream.on("error", reject).on("end", () => {
      session.close();
      resolve({ target, request: body, response: text });
    });
    stream.end(body);
  });
}
