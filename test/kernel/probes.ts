// What is in a process's memory where probes would sit: the only proof that one is there, or gone.
import { closeSync, openSync, readFileSync, readSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Scanner } from "../../src/analyzer/scan.ts";
import type { FoundFunction, MappedFile } from "../../src/analyzer/stacks/finding.ts";

export interface Place {
  function: FoundFunction;
  file: MappedFile;
  address: number;
}

/** Where each function that can be probed is mapped in this process. */
export function places(pid: number): Place[] {
  const scanned = new Scanner().scanProcess(pid);
  if ("skipped" in scanned) throw new Error(`find the functions of ${pid}: ${scanned.skipped.reason.text}`);
  const maps = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  return scanned.process.findings.flatMap(({ file, functions }) =>
    functions.flatMap((found) => {
      for (const line of maps) {
        const [range = "", permissions = "", offset = "", , inode] = line.split(/\s+/);
        if (Number(inode) !== file.inode || !permissions.includes("x")) continue;
        const [start = 0, end = 0] = range.split("-").map((text) => parseInt(text, 16));
        const address = start + found.fileOffset - parseInt(offset, 16);
        if (address >= start && address < end) return [{ function: found, file, address }];
      }
      return [];
    }),
  );
}

/** Names of the functions whose first byte is a breakpoint by now. Throws when the process is gone. */
export function breakpoints(pid: number, where: Place[]): string[] {
  const memory = openSync(`/proc/${pid}/mem`, "r");
  try {
    const byte = Buffer.alloc(1);
    return where
      .filter(({ address }) => readSync(memory, byte, 0, 1, address) === 1 && byte[0] === 0xcc)
      .map((place) => place.function.name)
      .sort();
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
