// The tracer's hold on connections for the local proxy: those that traced processes begin, and those that come in for a
// served port, are sent to it. The links fall away with the tracer: connections go direct then.
import { readFileSync } from "node:fs";
import type { Programs } from "../../native/index.d.ts";
import { cgroupRoot } from "./cgroup-root.ts";
import { u32 } from "./map-words.ts";
import type { TracerRequest } from "./messages.ts";

export class ProxyRedirect {
  readonly #programs: Programs;
  readonly #networkNamespace: () => bigint;
  readonly #load: (name: string) => void;
  #serves = false;

  /** @param load loads one object of bpf/ by its name */
  constructor(programs: Programs, networkNamespace: () => bigint, load: (name: string) => void) {
    this.#programs = programs;
    this.#networkNamespace = networkNamespace;
    this.#load = load;
  }

  /** Sends connections of traced processes to the proxy on this port. */
  redirect({ pid, port, ipv6, holds }: Extract<TracerRequest, { type: "redirect" }>): void {
    const root = cgroupRoot(readFileSync("/proc/self/mountinfo", "utf8"));
    if (root === null) throw new Error("redirect to the proxy: cgroup2 is not mounted (mount -t cgroup2)");
    this.#load("redirect");
    // struct ps_proxy of bpf/redirect.bpf.c
    const proxy = new Uint8Array(16);
    const view = new DataView(proxy.buffer);
    view.setBigUint64(0, this.#networkNamespace(), true);
    view.setUint16(8, port, true);
    view.setUint16(10, ipv6 ? 1 : 0, true);
    view.setUint32(12, holds ? 1 : 0, true);
    this.#programs.updateMap("proxy", u32(0), proxy);
    this.#programs.updateMap("proxy_process", u32(0), u32(pid));
    // Who redirects comes last: what it remembers is then already of use.
    for (const program of ["peer4", "peer6", "established", "connect4", "connect6"]) {
      this.#programs.attachCgroup(program, root);
    }
  }

  redirected(family: "ipv4" | "ipv6", port: number): string | null {
    // AF_INET and AF_INET6 of include/linux/socket.h
    const end = ((family === "ipv4" ? 2 : 10) << 16) | port;
    const original = this.#programs.readMap("arrivals", u32(end));
    return original && Buffer.from(original).toString("hex");
  }

  /** Lets connections to where this one was going go there. */
  direct(original: string, milliseconds: number): void {
    const key = Buffer.from(original, "hex");
    key.fill(0, key.length - 8); // pid and held, the last members of struct ps_redirected
    const until = new BigUint64Array([process.hrtime.bigint() + BigInt(milliseconds) * 1_000_000n]);
    this.#programs.updateMap("unreachable", new Uint8Array(key), new Uint8Array(until.buffer));
  }

  /** Gives connections that come in for a port to the proxy. */
  serve({ port, ipv6, ownPorts, pid, descriptors }: Extract<TracerRequest, { type: "serve" }>): void {
    if (!this.#serves) this.#load("incoming");
    this.#programs.putSocket("listeners", 0, pid, descriptors.ipv4);
    if (descriptors.ipv6 !== null) this.#programs.putSocket("listeners", 1, pid, descriptors.ipv6);
    this.#programs.updateMap("proxy_process", u32(0), u32(pid));
    // WITH_IPV6 and WITH_OWN_PORTS of bpf/incoming.bpf.c
    this.#programs.updateMap("served", u32(port), u32((ipv6 ? 1 : 0) | (ownPorts ? 2 : 0)));
    if (!this.#serves) this.#programs.attachNetworkNamespace("incoming");
    this.#serves = true;
  }
}
