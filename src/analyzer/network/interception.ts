// One connection through the proxy, from its first byte to its last: opened where both ends let us, else passed through
// untouched, so that whatever is wrong meets the program as it would without us.
import type { Socket } from "node:net";
import { TLSSocket, type SecureContext } from "node:tls";
import type { Reason } from "../../protocol/coverage.ts";
import type { Connection, Direction } from "../../protocol/traffic.ts";
import { endpointOf } from "../endpoint.ts";
import { askForTunnel, readHead } from "./connect-request.ts";
import { readBeginning, type ClientHello } from "./first-bytes.ts";
import { abort, relay } from "./relay.ts";
import { connectUpstream, shakeHands, type Destination, type Verification } from "./upstream.ts";

/** What happens on the connection, for whoever shows it. */
export interface Observer {
  /** Plaintext, after it was passed on. */
  seen(direction: Direction, bytes: Buffer): void;
  passedThrough(connection: Connection, reason: Reason): void;
  /** There is no way to the server, or nobody there. */
  unreached(connection: Connection, how: string): void;
  /** The client did not take our certificate: this connection has failed. */
  refused(connection: Connection, how: string): void;
  /** The client left while the server was asked; nothing is opened. */
  abandoned(connection: Connection): void;
  /** The handshake is done on both sides. */
  opened(connection: Connection): void;
  /** After `opened`, once. */
  ended(connection: Connection): void;
}

export interface Interception {
  id: string;
  destination: Destination;
  /** Of the traced process. */
  role: "client" | "server";
  verification: Verification;
  /** What the client meets in place of this certificate (DER). */
  contextFor: (certificate: Buffer) => Promise<SecureContext>;
  /** Why a connection to this server is not to be opened, or null. */
  exempt(serverName: string | null): Reason | null;
  observer: Observer;
  /** It is passed on without a look at what it says. */
  isUntouched?: boolean;
  /** Another connection to where this one has come by now; that of the destination, unless it goes on from there. */
  reach?: () => Promise<Socket>;
}

/** 0x0303 on the wire; older versions are passed through: programs that need them are best left alone. */
const tls12 = 0x0303;

/** Resolves when the connection is over. Never rejects: what goes wrong is told to the client, as an abort. */
export async function intercept(client: Socket, interception: Interception): Promise<void> {
  client.on("error", () => undefined); // its close follows, and is seen
  let server: Socket;
  try {
    server = await connectUpstream(interception.destination);
  } catch (error) {
    const how = error instanceof Error ? error.message : String(error);
    interception.observer.unreached(describe(client, interception, null), how);
    abort({ data: client, tcp: client });
    return;
  }
  try {
    if (interception.isUntouched) await passOn(client, server);
    else await join(client, server, interception);
  } catch {
    // The server went away before it could be opened.
    abort({ data: client, tcp: client });
    server.destroy();
  }
}

async function passOn(client: Socket, server: Socket): Promise<void> {
  server.on("error", () => undefined);
  await relay({ data: client, tcp: client }, { data: server, tcp: server });
}

async function join(client: Socket, server: Socket, interception: Interception): Promise<void> {
  const { destination, observer, role } = interception;
  server.on("error", () => undefined);
  const { beginning, serverFirst } = await whoBegins(client, server);
  const connection = describe(client, interception, beginning.kind === "tls" ? beginning.hello : null);
  const reach = interception.reach ?? (() => connectUpstream(destination));
  const pass = async (to: Socket, reason: Reason | null) => {
    if (reason) observer.passedThrough(connection, reason);
    if (serverFirst) client.write(serverFirst);
    if (beginning.bytes.length > 0) to.write(beginning.bytes);
    if (beginning.kind === "ended") to.end();
    await relay({ data: client, tcp: client }, { data: to, tcp: to });
  };
  if (beginning.kind === "ended") return pass(server, null);
  if (beginning.kind === "other" && role === "client" && !serverFirst && isConnect(beginning.bytes)) {
    return throughTunnel(client, server, { ...interception, reach }, beginning.bytes);
  }
  if (beginning.kind === "other") return pass(server, noTls);
  const { hello } = beginning;
  if (hello.highestVersion < tls12) return pass(server, oldTls);
  const exempt = interception.exempt(hello.serverName);
  if (exempt) return pass(server, exempt);

  const waiting = whoWaits(client);
  const handshake = await Promise.race([
    shakeHands(server, hello, interception.verification),
    waiting.left.then(() => null),
  ]);
  beginning.bytes = Buffer.concat([beginning.bytes, waiting.stop()]);
  if (handshake === null) {
    observer.abandoned(connection);
    server.destroy();
    client.destroy();
    return;
  }
  if (handshake.refused) return pass(await reach(), handshake.refused);
  const { opened, certificate } = handshake;
  opened.on("error", () => undefined);
  const secureContext = await interception.contextFor(certificate.raw);
  const secured = await secureClient(client, beginning.bytes, opened.alpnProtocol, secureContext);
  if ("failure" in secured) {
    if (secured.failure !== null) observer.refused(connection, secured.failure);
    opened.destroy();
    client.destroy();
    return;
  }
  observer.opened(connection);
  await relay(
    { data: secured.client, tcp: client },
    { data: opened, tcp: server },
    {
      fromClient: (bytes) => {
        observer.seen(role === "client" ? "out" : "in", bytes);
      },
      fromServer: (bytes) => {
        observer.seen(role === "client" ? "in" : "out", bytes);
      },
    },
  );
  observer.ended(connection);
}

/** More than this of a client that has no answer yet is not read, nor its end behind it. */
const mostEarlyBytes = 64 * 1024;

/** Whether a client stays while its server is asked; it is read meanwhile, for else its end would not be seen. */
function whoWaits(client: Socket): { left: Promise<void>; stop: () => Buffer } {
  const early: Buffer[] = [];
  let earlyBytes = 0;
  let leave: () => void = () => undefined;
  const left = new Promise<void>((resolve) => (leave = resolve));
  const onData = (bytes: Buffer) => {
    early.push(bytes);
    earlyBytes += bytes.length;
    if (earlyBytes > mostEarlyBytes) client.pause();
  };
  if (client.destroyed || client.readableEnded) leave();
  client.on("data", onData).once("end", leave).once("close", leave).resume();
  const stop = () => {
    client.off("data", onData).off("end", leave).off("close", leave).pause();
    return Buffer.concat(early);
  };
  return { left, stop };
}

const isConnect = (bytes: Buffer): boolean => bytes.toString("latin1", 0, 8) === "CONNECT ";

/** The destination is an HTTP proxy of the user's, asked for a way to the server: what follows may be TLS. */
async function throughTunnel(
  client: Socket,
  server: Socket,
  interception: Interception & { reach: () => Promise<Socket> },
  begun: Buffer,
): Promise<void> {
  client.unshift(begun);
  const request = await readHead(client);
  const answer = request === null ? null : await askForTunnel(server, request);
  if (request === null || answer === null) {
    abort({ data: client, tcp: client });
    server.destroy();
    return;
  }
  client.write(answer.head, "latin1");
  const { observer, reach } = interception;
  if (!answer.isOpen) {
    observer.passedThrough(describe(client, interception, null), noTunnel);
    await relay({ data: client, tcp: client }, { data: server, tcp: server });
    return;
  }
  const again = async () => {
    const socket = await reach();
    socket.on("error", () => undefined);
    if ((await askForTunnel(socket, request))?.isOpen) return socket;
    socket.destroy();
    throw new Error("connect again through the HTTP proxy: it gave no second way");
  };
  await join(client, server, { ...interception, reach: again });
}

const noTunnel: Reason = { code: "http-proxy", text: "it is an HTTP proxy, which gave no way to the server" };
const noTls: Reason = { code: "not-tls", text: "it does not begin with TLS" };
const oldTls: Reason = { code: "old-tls", text: "the program speaks a version of TLS before 1.2" };

/** What the client says first, unless the server does (SMTP, MySQL, …), whose words are given too. */
async function whoBegins(client: Socket, server: Socket) {
  const aborter = new AbortController();
  let serverFirst: Buffer | null = null;
  const onServerData = (bytes: Buffer) => {
    serverFirst = serverFirst ? Buffer.concat([serverFirst, bytes]) : bytes;
    server.pause();
    aborter.abort();
  };
  server.on("data", onServerData);
  const onServerEnd = () => {
    aborter.abort();
  };
  server.once("end", onServerEnd);
  const beginning = await readBeginning(client, aborter.signal);
  server.off("data", onServerData).off("end", onServerEnd).pause();
  return { beginning, serverFirst: serverFirst as Buffer | null };
}

function describe(
  client: Socket,
  { id, destination, role }: Interception,
  hello: ClientHello | null,
): Connection {
  const end = (address: string | undefined, port: number | undefined) =>
    address === undefined || port === undefined ? null : endpointOf(address, port);
  const ends = {
    client: end(client.remoteAddress, client.remotePort),
    // What comes in has the server's own address; the destination may be another one of the same server.
    server:
      role === "server"
        ? end(client.localAddress, client.localPort)
        : end(destination.address, destination.port),
  };
  const [local, remote] = role === "client" ? [ends.client, ends.server] : [ends.server, ends.client];
  return { id, role, local, remote, serverName: hello?.serverName ?? null };
}

/** Failure is null when the client went away before it could judge. */
async function secureClient(
  socket: Socket,
  hello: Buffer,
  protocol: string | false | null,
  secureContext: SecureContext,
): Promise<{ client: TLSSocket } | { failure: string | null }> {
  if (socket.destroyed) return { failure: null };
  socket.unshift(hello);
  const client = new TLSSocket(socket, {
    isServer: true,
    secureContext,
    // What the server chose: the two ends speak the same, and we repeat their bytes.
    ...(typeof protocol === "string" && { ALPNProtocols: [protocol] }),
  });
  return new Promise((resolve) => {
    const onError = (error: Error) => {
      resolve({ failure: error.message.replace(/^.*?:SSL routines:[^:]*:/s, "").split(":")[0] ?? "" });
    };
    const onClose = () => {
      resolve({ failure: "it closed the connection" });
    };
    client
      .once("error", onError)
      .once("end", onClose)
      .once("close", onClose)
      .once("secure", () => {
        client.off("end", onClose).off("close", onClose).pause();
        client.on("error", () => undefined);
        resolve({ client });
      })
      .resume(); // else its end would not be seen
  });
}
