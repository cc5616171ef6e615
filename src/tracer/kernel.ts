// The tracer's hold on the kernel: the programs that are loaded, the plans that are attached, and the traced set. Every
// failure leaves as an Error that names the operation and the object.
import { closeSync } from "node:fs";
import type { Programs } from "../../native/index.d.ts";
import type { Reason } from "../protocol/coverage.ts";
import { errorCode, loadAddon, loadPrograms, objectFile } from "./load-programs.ts";
import { rememberProgram, rememberProgramOf } from "./direct-programs.ts";
import { u32 } from "./map-words.ts";
import {
  isGoRole,
  probeRoles,
  type KernelLoss,
  type ProbePlan,
  type ProbeSite,
  type Proxied,
  type TracerFeatures,
} from "./messages.ts";
import { NetworkWatch } from "./network-watch.ts";
import { openTarget } from "./open-target.ts";
import { ProxyRedirect } from "./proxy-redirect.ts";

/** By enum ps_loss of bpf/events.h. */
const lossReasons: readonly KernelLoss["reason"][] = [
  "ring-buffer-full",
  "payload-not-readable",
  "call-table-full",
];
const rawTracepoints: Record<string, string> = {
  forked: "children of traced processes",
  executed: "processes that start later",
  exited: "the end of traced processes",
  sent: "connection addresses (Linux 6.3)",
  received: "connection addresses (Linux 6.3)",
};

export class Kernel {
  readonly features: TracerFeatures;
  /** What this kernel or these rights do not offer; the rest works. */
  readonly missing: Reason[] = [];
  readonly network: NetworkWatch;
  readonly proxy: ProxyRedirect;
  readonly #programs: Programs;
  #lastTurn = 0;

  /** Loads everything below `folder` (dist/). Throws when no set of features loads. */
  constructor(folder: string, ringBytes: number, wanted: Partial<TracerFeatures>) {
    const addon = loadAddon(folder);
    const { programs, features } = loadPrograms(addon, folder, ringBytes, wanted);
    this.#programs = programs;
    this.features = features;
    const load = (name: string) => {
      programs.load(objectFile(folder, name));
    };
    this.network = new NetworkWatch(programs, addon.lookAtInterface, load);
    this.proxy = new ProxyRedirect(programs, addon.networkNamespace, load);
    this.#attachTracepoints();
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

  trace(pids: number[], followChildren: boolean, proxied: Proxied | null): void {
    // PS_TRACED_ of bpf/maps.h
    const flags = (followChildren ? 1 : 0) | (proxied ? 2 : 0) | (proxied === "program" ? 4 : 0);
    for (const pid of pids) {
      // struct ps_traced of bpf/maps.h; a process that is traced already goes on in its turn.
      const known = this.#programs.readMap("traced", u32(pid));
      const turn = known ? new DataView(known.buffer, known.byteOffset).getUint32(4, true) : ++this.#lastTurn;
      this.#programs.updateMap("traced", u32(pid), u32(flags, turn));
    }
  }

  /** What it begins goes direct, while it runs this program. */
  release(pid: number, executable: string): void {
    const known = this.#programs.readMap("traced", u32(pid));
    if (!known || !rememberProgramOf(this.#programs, pid, executable)) return;
    // PS_TRACED_CHILDREN of bpf/maps.h
    const view = new DataView(known.buffer, known.byteOffset);
    this.#programs.updateMap("traced", u32(pid), u32(view.getUint32(0, true) & 1, view.getUint32(4, true)));
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
      if (plan.scope === "file") rememberProgram(this.#programs, target.fd);
      return handles;
    } catch (error) {
      this.detach(handles);
      const why = error instanceof Error ? error.message.replace(target.path, plan.path) : String(error);
      throw Object.assign(new Error(why), { code: errorCode(error) });
    } finally {
      closeSync(target.fd);
    }
  }

  detach(handles: number[]): void {
    for (const handle of handles) this.#programs.detach(handle);
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
