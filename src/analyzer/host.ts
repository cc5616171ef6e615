// What this host offers: kernel, architecture, and which paths to plaintext are open to whoever runs the analyzer.
// It only asks; attaching is the tracer's.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { hostname, machine, release } from "node:os";
import type { HostReport, PathAvailability } from "../protocol/coverage.ts";

/** What decides whether uprobes can be had. */
export interface Rights {
  arch: string;
  kernel: string;
  btf: boolean;
  /** Effective capabilities, bit by bit as `CapEff` of /proc/self/status has them. */
  capabilities: bigint;
  /** False in a rootless container, whose root has no rights over the kernel. */
  initialUserNamespace: boolean;
  /** False in a container with process ids of its own, which are not those that the probes see. */
  hostProcessIds: boolean;
  /** True when `sudo -n true` succeeds, so that the tracer can be started through it. */
  sudo: boolean;
}

/** Bit numbers of linux/capability.h. */
const capNetAdmin = 12n;
const capSysAdmin = 21n;
const capPerfmon = 38n;
const capBpf = 39n;

/** Ring buffer records of any size (bpf_ringbuf_reserve_dynptr) came with Linux 5.19, bpf_loop and cookies before. */
const oldestKernel: [major: number, minor: number] = [5, 19];

/** Says whether plaintext can be captured by uprobes, and when not, what is missing and the remedy. */
export function uprobeAvailability(rights: Rights): PathAvailability {
  const no = (reason: string): PathAvailability => ({ available: false, reason });
  if (rights.arch !== "x86_64") return no(`this version captures on x86_64 only, not on ${rights.arch}`);
  const [major = 0, minor = 0] = rights.kernel.split(".").map((part) => Number.parseInt(part, 10));
  if (major < oldestKernel[0] || (major === oldestKernel[0] && minor < oldestKernel[1])) {
    return no(`kernel ${rights.kernel} is too old: the probes need Linux ${oldestKernel.join(".")} or later`);
  }
  if (!rights.btf)
    return no("the kernel has no BTF at /sys/kernel/btf/vmlinux (needs CONFIG_DEBUG_INFO_BTF)");
  if (!rights.hostProcessIds) {
    return no("this container's process ids are not the kernel's: run it on the host, or with --pid=host");
  }
  if (rights.sudo) return { available: true };
  const has = (capability: bigint): boolean => ((rights.capabilities >> capability) & 1n) === 1n;
  const enough = has(capSysAdmin) || (has(capBpf) && has(capPerfmon));
  if (!enough) return no("not permitted (needs CAP_BPF and CAP_PERFMON; try sudo)");
  if (!rights.initialUserNamespace) {
    return no(
      "root of a user namespace has no rights over the kernel: run it outside the rootless container",
    );
  }
  return { available: true };
}

/** Says whether ClientHellos can be read off the network: it takes what probes take, and rights over interfaces. */
export function networkAvailability(rights: Rights): PathAvailability {
  const probes = uprobeAvailability(rights);
  if (!probes.available || rights.sudo) return probes;
  return ((rights.capabilities >> capNetAdmin) & 1n) === 1n
    ? { available: true }
    : { available: false, reason: "not permitted (needs CAP_NET_ADMIN; try sudo)" };
}

function readOwn(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

function ownRights(): Rights {
  const capabilities = /^CapEff:\s*([0-9a-f]+)$/m.exec(readOwn("/proc/self/status"))?.[1] ?? "0";
  const rights: Rights = {
    arch: machine(),
    kernel: release(),
    btf: existsSync("/sys/kernel/btf/vmlinux"),
    capabilities: BigInt(`0x${capabilities}`),
    initialUserNamespace: /^\s*0\s+0\s+4294967295\s*$/.test(readOwn("/proc/self/uid_map")),
    // PROC_PID_INIT_INO of linux/proc_ns.h
    hostProcessIds: linkOf("/proc/self/ns/pid") === "pid:[4026531836]",
    sudo: false,
  };
  if (networkAvailability(rights).available) return rights;
  const sudo = spawnSync("sudo", ["-n", "true"], { stdio: "ignore", timeout: 2000 });
  return { ...rights, sudo: sudo.status === 0 };
}

/** Describes the host as the analyzer's own process sees it. */
export function describeHost(): HostReport {
  const later = (what: string): PathAvailability => ({
    available: false,
    reason: `${what} belongs to a later version`,
  });
  const rights = ownRights();
  return {
    hostname: hostname(),
    kernel: release(),
    arch: machine(),
    paths: {
      uprobe: uprobeAvailability(rights),
      agent: later("capture inside a managed runtime"),
      // With rights the kernel sends it any program's connections; without, programs that honour HTTPS_PROXY do.
      mitm: { available: true },
      xdp: networkAvailability(rights),
    },
  };
}
