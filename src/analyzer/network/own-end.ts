// Where the proxy connects to a local server from: addresses and ports by which bpf/incoming.bpf.c leaves those
// connections to the server, and by which the server trusts its clients no more and no less than without us.
import { randomInt } from "node:crypto";

/** Any port when absent. */
export interface OwnEnd {
  localAddress: string;
  localPort?: number;
}

/** PROXY_ADDRESS: for clients of other hosts, who must not seem to be on 127.0.0.1. */
const stranger: OwnEnd = { localAddress: "127.83.0.1" };

/** FIRST_OWN_PORT, and what ports end with. */
const [firstPort, endOfPorts] = [61_000, 65_536];
/** Each is free unless thousands of connections have just been. */
const tries = 4;

/** @param range /proc/sys/net/ipv4/ip_local_port_range; whether the kernel gives no client a port of ours */
export function hasOwnPorts(range: string): boolean {
  return Number(range.trim().split(/\s+/)[1] ?? NaN) < firstPort;
}

/**
 * In the order to try them. Redis and PostgreSQL take clients of 127.0.0.1 that they refuse from elsewhere.
 * @param client the client's address, as the socket has it
 */
export function ownEnds(client: string, ownPorts: boolean): OwnEnd[] {
  const isLocal = ["127.0.0.1", "::1", "::ffff:127.0.0.1"].includes(client);
  if (!isLocal || !ownPorts) return [stranger];
  const local = () => ({ localAddress: "127.0.0.1", localPort: randomInt(firstPort, endOfPorts) });
  return [...Array.from({ length: tries }, local), stranger];
}
