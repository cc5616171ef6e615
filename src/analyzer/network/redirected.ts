// What the kernel remembers of a connection that it sent to the proxy: where it was going, and whose it is.
import type { Reason } from "../../protocol/coverage.ts";
import { redirectedLayout } from "../capture/layout.ts";
import { endpoint } from "../endpoint.ts";

/** Of a process of which the kernel sends none. */
export const elsewhere: Reason = {
  code: "other-namespace",
  text: "it begins connections in another network namespace (run plainsight there: nsenter -t PID -n), or is bound to one interface, from where the proxy cannot be reached: they go direct",
};

export interface Redirected {
  /** Without brackets. */
  address: string;
  port: number;
  pid: number;
  /** Its program was not judged yet. */
  isHeld: boolean;
}

/** AF_INET6 of include/linux/socket.h. */
const ipv6Family = 10;

/** @param hex struct ps_redirected of bpf/events.h */
export function redirectedFrom(hex: string): Redirected {
  const bytes = Buffer.from(hex, "hex");
  const isIpv6 = bytes.readUInt16LE(redirectedLayout.family) === ipv6Family;
  const address = bytes.subarray(redirectedLayout.address, redirectedLayout.address + (isIpv6 ? 16 : 4));
  return {
    address: endpoint(address, 0).replace(/^\[?([^\]]*?)\]?:0$/, "$1"),
    port: bytes.readUInt16LE(redirectedLayout.port),
    pid: bytes.readUInt32LE(redirectedLayout.pid),
    isHeld: bytes.readUInt32LE(redirectedLayout.held) !== 0,
  };
}
