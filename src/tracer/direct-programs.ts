// Which programs' connections need not be held until somebody has judged them: those whose own file is probed, and those
// that were judged before. They are told from others as the kernel tells files, by device and inode.
import { closeSync, constants, fstatSync, openSync, readlinkSync } from "node:fs";
import type { Programs } from "../../native/index.d.ts";
import { u32 } from "./map-words.ts";

/** Whether a process still runs the program of this path (in its own view); remembers that program when it does. */
export function rememberProgramOf(programs: Programs, pid: number, executable: string): boolean {
  let fd: number;
  try {
    fd = openSync(`/proc/${pid}/exe`, constants.O_RDONLY);
  } catch {
    return false; // it has ended
  }
  try {
    // Seen from here, what a process calls /bin/sh may be below its root.
    const path = readlinkSync(`/proc/self/fd/${fd}`).replace(/ \(deleted\)$/, "");
    if (!path.endsWith(executable)) return false;
    rememberProgram(programs, fd);
    return true;
  } finally {
    closeSync(fd);
  }
}

/** What runs from this open file. */
export function rememberProgram(programs: Programs, fd: number): void {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  programs.updateMap("direct_programs", programKey(dev, ino), u32(1));
}

/**
 * `struct ps_program` of bpf/maps.h. A device's number is spread otherwise in stat(2) (makedev(3)) than in the kernel
 * (MKDEV of linux/kdev_t.h: 12 bits of major, 20 of minor).
 */
export function programKey(device: bigint, inode: bigint): Uint8Array {
  const major = ((device >> 8n) & 0xfffn) | ((device >> 32n) & 0xfffff000n);
  const minor = (device & 0xffn) | ((device >> 12n) & 0xffffff00n);
  const key = new Uint8Array(16);
  const view = new DataView(key.buffer);
  view.setBigUint64(0, inode, true);
  view.setUint32(8, Number((major << 20n) | minor), true);
  return key;
}
