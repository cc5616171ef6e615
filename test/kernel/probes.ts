// What is in a process's memory where probes would sit: the only proof that one is there, or gone.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Scanner } from "../../src/analyzer/scan.ts";
import { partsOf, planFile } from "../../src/analyzer/capture/plan.ts";
import type { ProbePlan } from "../../src/tracer/messages.ts";

export interface Place {
  name: string;
  address: number;
}

/** What would be attached to this process, file by file. */
export function plans(pid: number): ProbePlan[] {
  const scanned = new Scanner().scanProcess(pid);
  if ("skipped" in scanned) throw new Error(`plan the probes of ${pid}: ${scanned.skipped.reason.text}`);
  return scanned.process.findings.flatMap(partsOf).map(({ file, functions }) => ({
    ...planFile(pid, file, functions, "process"),
    file: 0,
  }));
}

/** Where each probe point is in this process's memory. */
export function places(pid: number): Place[] {
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  const addressOf = (wanted: number, fileOffset: number): number[] => {
    for (const line of maps) {
      const [range = "", permissions = "", offset = "", , inode] = line.split(/\s+/);
      if (Number(inode) !== wanted || !permissions.includes("x")) continue;
      const [start = 0, end = 0] = range.split("-").map((text) => parseInt(text, 16));
      const address = start + fileOffset - parseInt(offset, 16);
      if (address >= start && address < end) return [address];
    }
    return [];
  };
  return plans(pid).flatMap(({ inode, points }) =>
    points.flatMap((point) =>
      addressOf(inode, point.fileOffset).map((address) => ({ name: point.function, address })),
    ),
  );
}

/** Names of the functions that have a breakpoint by now. Throws when the process is gone. */
export function breakpoints(pid: number, where: Place[]): string[] {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    const byte = Buffer.alloc(1);
    const names = where
      .filter(({ address }) => readSync(memory, byte, 0, 1, address) === 1 && byte[0] === 0xcc)
      .map(({ name }) => name);
    return [...new Set(names)].sort();
  } finally {
    closeSync(memory);
  }
}

/** The kernel takes breakpoints out after the links are gone, and says nothing when it has. */
export async function withoutBreakpoints(pid: number, where: Place[]): Promise<void> {
  const startedMs = performance.now();
  for (;;) {
    const left = breakpoints(pid, where);
    if (left.length === 0) return;
    if (performance.now() - startedMs > 5000) throw new Error(`breakpoints are left at ${left.join(", ")}`);
    await sleep(20);
  }
}
