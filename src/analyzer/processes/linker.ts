// Which of a process's files is its dynamic linker, by where the kernel put it. What can be noticed there is for
// capture/linker.ts.
import { basename } from "node:path";
import type { MappedFile } from "../stacks/finding.ts";
import type { Mapping } from "./maps.ts";

/** `AT_BASE` of getauxval(3): where the interpreter that the executable names was loaded. */
const baseKey = 7n;
/** glibc's and musl's, the latter also by the name of the library that it is. */
const linkerName = /^ld-(?:linux|musl)[^/]*\.so\.\d+$|^ld-[\d.]+\.so$|^libc\.so$/;

/**
 * Its path tells nothing: it may be a link, to musl's `libc.so` for one. A program that was started by naming the
 * linker has none, for the kernel: there the executable is the linker, and known by its name.
 * @param auxv as /proc/PID/auxv has it for a 64-bit program (proc_pid_auxv(5)); it may be cut short
 * @param executable path of the process's own executable
 * @returns null for a program without one
 */
export function linkerOf(
  auxv: Buffer,
  mappings: readonly Mapping[],
  executable: string | null,
): MappedFile | null {
  const base = interpreterBase(auxv);
  const isLinker =
    base === 0n
      ? ({ file, executable: runs }: Mapping) =>
          runs && file.path === executable && linkerName.test(basename(file.path))
      : ({ file }: Mapping) => startOf(file.range) === base;
  return mappings.find(isLinker)?.file ?? null;
}

/** Zero where there is none. */
function interpreterBase(auxv: Buffer): bigint {
  for (let at = 0; at + 16 <= auxv.length; at += 16) {
    if (auxv.readBigUInt64LE(at) === baseKey) return auxv.readBigUInt64LE(at + 8);
  }
  return 0n;
}

const startOf = (range: string): bigint => BigInt(`0x${range.slice(0, range.indexOf("-"))}`);
