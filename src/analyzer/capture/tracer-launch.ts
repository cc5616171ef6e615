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

/** Remedies for what the tracer itself says of the host, by the code of its reason. */
const remedies: Readonly<Record<string, string>> = {
  eperm:
    "needs CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE on the host, which a container may withhold: run it on the host",
  eacces:
    "needs CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE on the host, which a container may withhold: run it on the host",
  "process-namespace": "run it on the host, or with the host's process ids (docker run --pid=host)",
};

/**
 * Turns what went wrong into one sentence and its remedy: the tracer ran and refused (an answer), or it could not be
 * started with enough rights (an error, or nothing where there was no way to try).
 */
export function describeFailure(
  failure: TracerAnswer | Error | null,
  launcher: Launcher | null,
  program: string,
): Problem {
  if (failure !== null && "type" in failure && failure.type === "failed") {
    const { code, text } = failure.reason;
    return {
      code,
      text,
      remedy: remedies[code] ?? "this kernel cannot run the probes: Linux 5.19 or later with BTF is needed",
    };
  }
  if (launcher?.name === "direct" && failure instanceof Error) {
    const remedy = "this is a fault in the installation: build it again (npm run setup) or report it";
    return { code: "tracer-failed", text: failure.message, remedy };
  }
  return {
    code: "not-permitted",
    text: "the tracer needs root, or CAP_BPF and CAP_PERFMON",
    remedy:
      "run it with sudo, or let this user start the tracer as root: whoever may write that file is then root, too",
    command: `echo "$USER ALL=(root) NOPASSWD: ${process.execPath} ${program}" | sudo tee /etc/sudoers.d/plainsight`,
  };
}
