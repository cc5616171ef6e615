// Opens the very file that a plan is about and checks that it still has the bytes the plan was made from. The probe is
// then attached through the descriptor, so nobody can put another file in between.
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import type { ProbePlan } from "./messages.ts";

export interface OpenTarget {
  fd: number;
  /** A path of this descriptor, for the kernel. */
  path: string;
}

export class TargetRefused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** The caller closes the descriptor once the probes are attached. Throws TargetRefused with the reason. */
export function openTarget(plan: ProbePlan): OpenTarget {
  const candidates = [{ path: `/proc/${plan.pid}/root${plan.path}`, mapped: false }];
  // The kernel follows this one itself, so it is the mapped file by construction.
  if (plan.range !== null)
    candidates.push({ path: `/proc/${plan.pid}/map_files/${plan.range}`, mapped: true });
  let failure = "no such file";
  for (const candidate of candidates) {
    let fd: number;
    try {
      // A pipe in the place of the file must not hold up the tracer.
      fd = openSync(candidate.path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      failure = error instanceof Error ? error.message : String(error);
      continue;
    }
    if (!candidate.mapped && fstatSync(fd).ino !== plan.inode) {
      failure = "the file at that path is another one by now";
      closeSync(fd);
      continue;
    }
    try {
      verifyBytes(fd, plan);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return { fd, path: `/proc/self/fd/${fd}` };
  }
  throw new TargetRefused("file-gone", `open ${plan.path} of process ${plan.pid}: ${failure}`);
}

/** A probe in the middle of an instruction corrupts the program, so every point must read as it was analysed. */
function verifyBytes(fd: number, plan: ProbePlan): void {
  for (const point of plan.points) {
    const expected = Buffer.from(point.expectedBytes, "hex");
    const actual = Buffer.alloc(expected.length);
    const got = readSync(fd, actual, 0, actual.length, point.fileOffset);
    if (expected.length === 0 || got !== expected.length || !actual.equals(expected)) {
      throw new TargetRefused(
        "bytes-differ",
        `attach ${point.function} in ${plan.path}: the code there is not what was analysed (was the file replaced?)`,
      );
    }
  }
}
