// The local servers whose connections come in through the proxy: the kernel is told their ports, and by these a
// connection is known again when it arrives.
import { readFileSync } from "node:fs";
import { isIPv4 } from "node:net";
import type { Reason } from "../../protocol/coverage.ts";
import type { CallTracer } from "../capture/attachments.ts";
import { hasOwnPorts, ownEnds } from "./own-end.ts";
import type { OwnCertificate } from "./own-certificate.ts";
import type { Arrival, Proxy } from "./proxy.ts";
import { connectUpstream } from "./upstream.ts";

export interface LocalServer {
  pid: number;
  command: string;
  port: number;
}

/** Our end of a connection and the client's, as a socket has them. */
export interface IncomingEnds {
  localAddress?: string | undefined;
  localPort?: number | undefined;
  remoteAddress?: string | undefined;
}

interface Served extends LocalServer {
  own: OwnCertificate;
  /** Whether we may connect to it from ports that no client is given. */
  ownPorts: boolean;
}

export class ServedPorts {
  readonly #proxy: Pick<Proxy, "port" | "descriptors">;
  readonly #call: CallTracer;
  readonly #served = new Map<number, Served>();

  constructor(proxy: Pick<Proxy, "port" | "descriptors">, call: CallTracer) {
    this.#proxy = proxy;
    this.#call = call;
  }

  /** From now on connections to this server arrive here. Gives the reason when they cannot. */
  async add(server: LocalServer, own: OwnCertificate): Promise<Reason | null> {
    const { port } = server;
    // One that takes IPv4 on loopback takes what comes by IPv6 to the same port from there, too.
    const address = "127.0.0.1";
    const ownPorts = hasOwnPorts(readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8"));
    const isReached = await connectUpstream({ address, port, from: ownEnds(address, ownPorts) }).then(
      (socket) => Boolean(socket.destroy()),
      () => false,
    );
    this.#served.set(port, { ...server, own, ownPorts });
    const { descriptors } = this.#proxy;
    const answer = await this.#call({
      type: "serve",
      port,
      ipv6: isReached && descriptors.ipv6 !== null,
      ownPorts,
      pid: process.pid,
      descriptors,
    });
    return answer.type === "failed" ? answer.reason : null;
  }

  /** A connection that came in has the server's port at our end, too; null for any other. */
  arrival({ localAddress = "", localPort = 0, remoteAddress = "" }: IncomingEnds): Arrival | null {
    const served = localPort === this.#proxy.port ? undefined : this.#served.get(localPort);
    if (!served) return null;
    const address = isIPv4(localAddress) ? localAddress : "127.0.0.1";
    const { pid, command, port, own, ownPorts } = served;
    const from = ownEnds(remoteAddress, ownPorts);
    return { pid, command, destination: { address, port, from }, own };
  }
}
