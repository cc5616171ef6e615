// The ways to start the tracer with the rights it needs, in order, and what to tell the user when none works.
import { readFileSync } from "node:fs";
import type { Problem } from "../../protocol/editor.ts";
import type { TracerAnswer } from "../../tracer/messages.ts";

export interface Launcher {
  name: "direct" | "sudo" | "pkexec";
  /** What goes before the program. */
  prefix: string[];
}

/** Thrown when tracing cannot begin at all. */
export class TracerUnavailable extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(`${problem.text} (${problem.remedy})`);
    this.problem = problem;
  }
}

/** CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON, linux/capability.h. */
function hasRights(): boolean {
  if (process.geteuid?.() === 0) return true;
  const line = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  const has = (bit: bigint) => ((BigInt(`0x${line}`) >> bit) & 1n) === 1n;
  return has(21n) || (has(39n) && has(38n));
}

/** What to try here, best first. */
export function launchers(): Launcher[] {
  if (hasRights()) return [{ name: "direct", prefix: [] }];
  const desktop = process.env.DISPLAY !== undefined || process.env.WAYLAND_DISPLAY !== undefined;
  return [
    { name: "sudo", prefix: ["sudo", "-n", "--"] },
    ...(desktop ? [{ name: "pkexec" as const, prefix: ["pkexec", "--disable-internal-agent"] }] : []),
  ];
}

/** Turns what went wrong into one sentence and its remedy. */
export function describeFailure(failure: unknown, launcher: Launcher | null, program: string): Problem {
  const allow = `echo "$USER ALL=(root) NOPASSWD: ${process.execPath} ${program}" | sudo tee /etc/sudoers.d/plainsight`;
  if (launcher?.name === "direct" && isAnswer(failure) && failure.type === "failed") {
    const { code, text } = failure.reason;
    const denied = code === "eperm" || code === "eacces";
    return {
      code: denied ? "not-permitted" : code,
      text,
      remedy: denied
        ? "needs CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE on the host, which a container may withhold: run it on the host, or as root"
        : "this kernel cannot run the probes: Linux 5.19 or later with BTF is needed",
    };
  }
  const detail =
    failure instanceof Error ? failure.message : isAnswer(failure) ? JSON.stringify(failure) : "";
  return {
    code: "not-permitted",
    text: `attaching probes needs root, or CAP_BPF and CAP_PERFMON${detail ? `; ${detail}` : ""}`,
    remedy: "run it with sudo, or let this user start the tracer as root",
    command: allow,
  };
}

const isAnswer = (value: unknown): value is TracerAnswer =>
  typeof value === "object" && value !== null && "type" in value;
