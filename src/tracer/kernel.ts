// The tracer's hold on the kernel: loads the programs with what this kernel offers, attaches plans, keeps the traced
// set. Every failure leaves as an Error that names the operation and the object.
import { closeSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { LoadOptions, lookAtInterface, Programs } from "../../native/index.d.ts";
import type { Reason } from "../protocol/coverage.ts";
import { cgroupRoot } from "./cgroup-root.ts";
import {
  isGoRole,
  probeRoles,
  type KernelLoss,
  type ProbePlan,
  type ProbeSite,
  type TracerRequest,
  type TracerFeatures,
} from "./messages.ts";
import { NetworkWatch } from "./network-watch.ts";
import { openTarget } from "./open-target.ts";

interface Addon {
  Programs: new (options: LoadOptions) => Programs;
  takeLog(): string;
  networkNamespace(): bigint;
  lookAtInterface: typeof lookAtInterface;
}

/** By enum ps_loss of bpf/events.h. */
const lossReasons: readonly KernelLoss["reason"][] = [
  "ring-buffer-full",
  "payload-not-readable",
  "call-table-full",
];
/** Best first; found by trying, because distributions carry features back to older versions. */
const featureSets: TracerFeatures[] = [true, false].flatMap((uprobeMulti) =>
  [true, false].flatMap((sleepable) =>
    [true, false].map((copyIntoDynptr) => ({ uprobeMulti, sleepable, copyIntoDynptr })),
  ),
);
const rawTracepoints: Record<string, string> = {
  forked: "children of traced processes",
  executed: "processes that start later",
  exited: "the end of traced processes",
  sent: "connection addresses (Linux 6.3)",
  received: "connection addresses (Linux 6.3)",
};

const u32 = (...values: number[]) => new Uint8Array(Uint32Array.from(values).buffer);
const codeOf = (error: unknown) => (error instanceof Error && "code" in error ? String(error.code) : "");

export class Kernel {
  readonly features: TracerFeatures;
  /** What this kernel or these rights do not offer; the rest works. */
  readonly missing: Reason[] = [];
  readonly network: NetworkWatch;
  readonly #addon: Addon;
  readonly #folder: string;
  readonly #programs: Programs;
  #lastTurn = 0;
  #serves = false;

  /** Loads everything below `folder` (dist/). Throws when no set of features loads. */
  constructor(folder: string, ringBytes: number, wanted: Partial<TracerFeatures>) {
    const addon = createRequire(import.meta.url)(join(folder, "native/plainsight.node")) as Addon;
    this.#addon = addon;
    this.#folder = folder;
    const objects = ["tls", "go", "process", "socket"].map((name) => join(folder, `bpf/${name}.bpf.o`));
    let failure: unknown;
    const fitting = featureSets.filter((set) =>
      Object.entries(wanted).every(([name, value]) => set[name as keyof TracerFeatures] === value),
    );
    for (const features of fitting) {
      const { uprobeMulti, copyIntoDynptr } = features;
      const unused = features.sleepable ? "_atomic" : "";
      const without = ["leave", "go_enter", "go_leave"].map((name) => name + unused);
      try {
        const programs = new addon.Programs({ objects, ringBytes, uprobeMulti, copyIntoDynptr, without });
        if (!uprobeMulti || offersUprobeMulti(programs)) {
          this.#programs = programs;
          this.network = new NetworkWatch(programs, addon.lookAtInterface, (name) => {
            programs.load(join(folder, `bpf/${name}.bpf.o`));
          });
          this.features = features;
          this.#attachTracepoints();
          return;
        }
        programs.close();
      } catch (error) {
        failure ??= error;
        if (codeOf(error) === "EPERM") break;
      }
    }
    process.stderr.write(addon.takeLog());
    throw failure instanceof Error
      ? failure
      : new Error("load the BPF programs: no set of kernel features fits");
  }

  #attachTracepoints(): void {
    for (const [program, purpose] of Object.entries(rawTracepoints)) {
      try {
        this.#programs.attachRawTracepoint(program);
      } catch (error) {
        const text = `${purpose}: ${error instanceof Error ? error.message : String(error)}`;
        this.missing.push({ code: `no-${program}`, text });
      }
    }
  }

  trace(pids: number[], followChildren: boolean): void {
    for (const pid of pids) {
      // struct ps_traced of bpf/maps.h; a process that is traced already goes on in its turn.
      const known = this.#programs.readMap("traced", u32(pid));
      const turn = known ? new DataView(known.buffer, known.byteOffset).getUint32(4, true) : ++this.#lastTurn;
      this.#programs.updateMap("traced", u32(pid), u32(followChildren ? 1 : 0, turn));
    }
  }

  untrace(pids: number[]): void {
    for (const pid of pids) this.#programs.deleteFromMap("traced", u32(pid));
  }

  watchEveryExec(wanted: boolean): void {
    this.#programs.updateMap("watch_all", u32(0), u32(wanted ? 1 : 0));
  }

  /** All points of the plan or none. Gives the handles to detach. */
  attach(plan: ProbePlan): number[] {
    const target = openTarget(plan);
    const handles: number[] = [];
    try {
      // Returns first: a call that is seen to enter must be seen to leave.
      for (const site of ["return", "exit", "entry"] as const) {
        for (const inGo of [false, true]) {
          const points = plan.points.filter((point) => point.site === site && isGoRole(point.role) === inGo);
          if (points.length === 0) continue;
          handles.push(
            this.#programs.attachUprobes({
              program: this.#programAt(site, inGo),
              path: target.path,
              pid: plan.scope === "process" ? plan.pid : 0,
              isReturn: site === "return",
              offsets: points.map((point) => point.fileOffset),
              cookies: points.map((point) => cookie(probeRoles[point.role], plan.file, point.frameBias)),
            }),
          );
        }
      }
      return handles;
    } catch (error) {
      this.detach(handles);
      const why = error instanceof Error ? error.message.replace(target.path, plan.path) : String(error);
      throw Object.assign(new Error(why), { code: codeOf(error) });
    } finally {
      closeSync(target.fd);
    }
  }

  detach(handles: number[]): void {
    for (const handle of handles) this.#programs.detach(handle);
  }

  /** Sends connections of traced processes to the proxy on this port. */
  redirect(port: number, ipv6: boolean): void {
    const root = cgroupRoot(readFileSync("/proc/self/mountinfo", "utf8"));
    if (root === null) throw new Error("redirect to the proxy: cgroup2 is not mounted (mount -t cgroup2)");
    this.#programs.load(join(this.#folder, "bpf/redirect.bpf.o"));
    // struct ps_proxy of bpf/redirect.bpf.c
    const proxy = new Uint8Array(16);
    const view = new DataView(proxy.buffer);
    view.setBigUint64(0, this.#addon.networkNamespace(), true);
    view.setUint16(8, port, true);
    view.setUint16(10, ipv6 ? 1 : 0, true);
    this.#programs.updateMap("proxy", u32(0), proxy);
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
    key.fill(0, key.length - 4); // the pid, which is the last member of struct ps_redirected
    const until = new BigUint64Array([process.hrtime.bigint() + BigInt(milliseconds) * 1_000_000n]);
    this.#programs.updateMap("unreachable", new Uint8Array(key), new Uint8Array(until.buffer));
  }

  /** Gives connections that come in for a port to the proxy. */
  serve({ port, ipv6, ownPorts, pid, descriptors }: Extract<TracerRequest, { type: "serve" }>): void {
    if (!this.#serves) this.#programs.load(join(this.#folder, "bpf/incoming.bpf.o"));
    this.#programs.putSocket("listeners", 0, pid, descriptors.ipv4);
    if (descriptors.ipv6 !== null) this.#programs.putSocket("listeners", 1, pid, descriptors.ipv6);
    // WITH_IPV6 and WITH_OWN_PORTS of bpf/incoming.bpf.c
    this.#programs.updateMap("served", u32(port), u32((ipv6 ? 1 : 0) | (ownPorts ? 2 : 0)));
    if (!this.#serves) this.#programs.attachNetworkNamespace("incoming");
    this.#serves = true;
  }

  losses(): KernelLoss[] {
    return lossReasons.map((reason, index) => {
      const value = this.#programs.readMap("losses", u32(index));
      const view = value ? new DataView(value.buffer, value.byteOffset, value.byteLength) : null;
      const read = (offset: number) => (view ? Number(view.getBigUint64(offset, true)) : 0);
      return { reason, records: read(0), bytes: read(8) };
    });
  }

  wait(): Promise<boolean> {
    return this.#programs.wait();
  }

  drain(target: Uint8Array): number {
    return this.#programs.drain(target);
  }

  close(): void {
    this.#programs.close();
  }

  /** In Go a write is copied as it begins, in a library as it ends. */
  #programAt(site: ProbeSite, inGo: boolean): string {
    if (site === "entry" && !inGo) return "enter";
    const name = (inGo ? "go_" : "") + (site === "entry" ? "enter" : "leave");
    return this.features.sleepable ? name : `${name}_atomic`;
  }
}

/** As bpf/connection.h reads it: 8 bits of role, 24 of file, 32 of the signed bias to the frame. */
function cookie(role: number, file: number, frameBias: number): bigint {
  return (BigInt.asUintN(32, BigInt(frameBias)) << 32n) | (BigInt(file) << 8n) | BigInt(role);
}

/**
 * A link on `/` fails with EBADF where the kernel knows multi links, and one for process -1 with EINVAL where its
 * process filter is right: before Linux 6.10 (46ba0e49b642) it matched one thread only.
 */
function offersUprobeMulti(programs: Programs): boolean {
  const attempt = (pid: number) => {
    try {
      const options = { program: "enter", path: "/", pid, isReturn: false, offsets: [0], cookies: [0n] };
      programs.detach(programs.attachUprobes(options));
      return "";
    } catch (error) {
      return codeOf(error);
    }
  };
  return attempt(0) === "EBADF" && attempt(-1) === "EINVAL";
}
