// The local proxy: accepts the connections of chosen programs on loopback, opens those that it may, and gives their
// traffic as events. Who sends connections to it, and how it learns where they were going, is its caller's.
import { randomBytes } from "node:crypto";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { createSecureContext } from "node:tls";
import type { Reason } from "../../protocol/coverage.ts";
import type { Connection, ExchangeEvent, MessageEvent, SkippedEvent } from "../../protocol/traffic.ts";
import type { Authority } from "./authority.ts";
import { ClosedToUs } from "./closed-to-us.ts";
import { intercept } from "./interception.ts";
import { LikenessContexts } from "./likeness-contexts.ts";
import type { OwnCertificate } from "./own-certificate.ts";
import { proxiedTraffic, type ProxiedTraffic, type TrafficOptions } from "./proxied-traffic.ts";
import { abort } from "./relay.ts";
import type { Destination } from "./upstream.ts";

/** Whose a connection is, and where it was going. */
export interface Arrival {
  pid: number;
  command: string;
  destination: Destination;
  /** Of the traced server, for a connection that came in to it; absent for one that the traced process began. */
  own?: OwnCertificate;
  /** Why its connections are not to be opened; absent where they may be. */
  exempt?: Reason;
  /** Others show what it says. */
  isUntouched?: boolean;
  /** The destination could not be reached. */
  onUnreached?: () => void;
}

export interface ProxyOptions {
  authority: Authority;
  /** Read at each event: may change. */
  traffic: TrafficOptions;
  /** Server names whose connections are never opened: exact, or `*.suffix`. */
  passThrough: readonly string[];
  /** Null for a connection that nobody sent here: it is closed. */
  arrival: (socket: Socket) => Promise<Arrival | null>;
  onEvent: (event: ExchangeEvent | MessageEvent | SkippedEvent) => void;
}

export interface Proxy {
  port: number;
  /** Whether ::1 is listened on, too. */
  ipv6: boolean;
  /** Descriptors of the listening sockets. */
  descriptors: { ipv4: number; ipv6: number | null };
  /** Servers are verified by these roots (PEM) as well; at first by none. */
  trust(roots: readonly string[]): void;
  /** Listens no more, and ends the connections that are open. */
  close(): Promise<void>;
}

export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const opened = new Opened(options);
  const four = await listen("127.0.0.1", 0, opened);
  const { port } = four.address() as AddressInfo;
  const six = await listen("::1", port, opened).catch(() => null); // a host without IPv6
  return {
    port,
    ipv6: six !== null,
    descriptors: { ipv4: descriptorOf(four), ipv6: six && descriptorOf(six) },
    trust: (roots) => {
      opened.trust(roots);
    },
    close: async () => {
      const servers = six ? [four, six] : [four];
      const closed = servers.map((server) => new Promise((resolve) => server.close(resolve)));
      await opened.close();
      await Promise.all(closed);
    },
  };
}

/** Node keeps it in the handle, which its types leave out. */
function descriptorOf(server: Server): number {
  return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

function listen(address: string, port: number, opened: Opened): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
    void opened.accept(socket);
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject).listen(port, address, () => {
      resolve(server);
    });
  });
}

/** A program's last connections end a moment after it did. */
const endingMs = 100;

/** What the connections have in common. */
class Opened {
  readonly #options: ProxyOptions;
  readonly #roots = new Set<string>();
  #upstreamContext = createSecureContext({ ca: [] });
  readonly #contexts: LikenessContexts;
  readonly #closedToUs: ClosedToUs;
  readonly #sockets = new Set<Socket>();
  readonly #carried = new Set<Promise<void>>();
  readonly #told = new Set<string>();
  /** No other proxy's connections have its name, an earlier one's of this process neither. */
  readonly #name = `proxy-${randomBytes(4).toString("hex")}`;
  #lastId = 0;

  constructor(options: ProxyOptions) {
    this.#options = options;
    this.#contexts = new LikenessContexts(options.authority);
    this.#closedToUs = new ClosedToUs(options.passThrough);
  }

  trust(roots: readonly string[]): void {
    const before = this.#roots.size;
    for (const root of roots) this.#roots.add(root);
    // Reading a hundred certificates takes some milliseconds.
    if (this.#roots.size > before) this.#upstreamContext = createSecureContext({ ca: [...this.#roots] });
  }

  async accept(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    socket.on("error", () => undefined); // its close follows, and is seen
    const arrival = await this.#options.arrival(socket).catch(() => null);
    if (arrival === null) {
      abort({ data: socket, tcp: socket });
      return;
    }
    const carried = this.#carry(socket, arrival);
    this.#carried.add(carried);
    await carried;
    this.#carried.delete(carried);
  }

  /** What is ending may end; the rest is cut off. */
  async close(): Promise<void> {
    const over = () => Promise.race([Promise.all(this.#carried), sleep(endingMs)]);
    await over();
    for (const socket of this.#sockets) socket.destroy();
    await over();
  }

  async #carry(socket: Socket, arrival: Arrival): Promise<void> {
    const { pid, command, destination, own, isUntouched = false } = arrival;
    const { traffic: options, onEvent } = this.#options;
    const keyOf = (name: string | null) => `${command} ${name ?? destination.address}:${destination.port}`;
    let traffic: ProxiedTraffic | null = null;
    let bytesFromClient = 0;
    let openedMs = 0;
    await intercept(socket, {
      id: `${this.#name}-${++this.#lastId}`,
      destination,
      isUntouched,
      role: own ? "server" : "client",
      verification: own ? { fingerprint: own.fingerprint } : { roots: this.#upstreamContext },
      contextFor: (certificate) =>
        own ? Promise.resolve(own.context) : this.#contexts.contextFor(certificate),
      exempt: (name) => arrival.exempt ?? this.#closedToUs.reason(keyOf(name), name),
      observer: {
        opened: (connection) => {
          openedMs = performance.now();
          traffic = proxiedTraffic({ pid, command, connection }, options, onEvent);
        },
        seen: (direction, bytes) => {
          if (direction === (own ? "in" : "out")) bytesFromClient += bytes.length;
          traffic?.seen(direction, bytes);
        },
        ended: (connection) => {
          traffic?.end();
          if (own) return;
          const key = keyOf(connection.serverName);
          const livedMs = performance.now() - openedMs;
          const learned = this.#closedToUs.ended(key, command, bytesFromClient, livedMs);
          if (learned) this.#tell(arrival, connection, learned.reason, learned.then);
        },
        unreached: (connection, how) => {
          arrival.onUnreached?.();
          const then = "the program met a connection that broke off";
          this.#tell(arrival, connection, { code: "not-reached", text: how }, then);
        },
        abandoned: (connection) => {
          const text = "the program left before the server had answered its handshake";
          this.#tell(arrival, connection, { code: "abandoned", text }, "there was nothing to open");
        },
        passedThrough: (connection, reason) => {
          this.#tell(arrival, connection, reason, "passed through untouched");
        },
        refused: (connection, how) => {
          if (own) return; // it would refuse the server as well: the certificate is the server's own
          const reason = this.#closedToUs.refused(keyOf(connection.serverName), command, how);
          const then = "this connection failed, the next ones are passed through untouched";
          this.#tell(arrival, connection, reason, then);
        },
      },
    });
  }

  /** Once for each process, server and reason. */
  #tell({ pid }: Arrival, connection: Connection, { code, text }: Reason, then: string): void {
    const name = connection.serverName ?? connection.remote ?? "";
    const key = `${pid} ${name} ${code} ${then}`;
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const reason = { code, text: `${name}: ${text}; ${then}` };
    this.#options.onEvent({ type: "skipped", pid, connection, reason });
  }
}
