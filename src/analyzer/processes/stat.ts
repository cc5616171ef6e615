// Reads the text of /proc/PID/stat, /proc/PID/status and /proc/stat (proc_pid_stat(5), proc_pid_status(5)).

export interface ProcessStat {
  command: string;
  /** One letter, such as `S` or `Z`. */
  state: string;
  parentPid: number;
  kernelThread: boolean;
  /** Clock ticks since boot, as a number of 1/100 s. */
  startTicks: number;
  /** Bytes of its address space; 0 of what has none any more. */
  memoryBytes: number;
}

/** PF_KTHREAD of linux/sched.h. */
const kernelThreadFlag = 0x00200000;

/** What /proc counts in, whatever the kernel's own tick is: USER_HZ, 100 on x86-64 and arm64. */
const ticksPerSecond = 100;

/** Null when the text is not such a line. The command may itself hold spaces, parentheses and newlines. */
export function parseStat(text: string): ProcessStat | null {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  if (open < 0 || close < open) return null;
  const [state, parentPid, , , , , flags, ...rest] = text
    .slice(close + 1)
    .trim()
    .split(/\s+/);
  const [startTicks, memoryBytes] = rest.slice(12);
  if (state === undefined || flags === undefined || memoryBytes === undefined) return null;
  const numbers = [parentPid, flags, startTicks, memoryBytes].map(Number);
  if (!numbers.every(Number.isSafeInteger)) return null;
  return {
    command: text.slice(open + 1, close),
    state,
    parentPid: Number(parentPid),
    kernelThread: (Number(flags) & kernelThreadFlag) !== 0,
    startTicks: Number(startTicks),
    memoryBytes: Number(memoryBytes),
  };
}

export interface ProcessStatus {
  /** The process that a thread belongs to: its own id for a process. */
  processId: number | null;
  /** Effective user id. */
  userId: number | null;
}

export function parseStatus(text: string): ProcessStatus {
  const number = (pattern: RegExp): number | null => {
    const digits = pattern.exec(text)?.[1];
    return digits === undefined ? null : Number(digits);
  };
  return { processId: number(/^Tgid:\s*(\d+)$/m), userId: number(/^Uid:\s*\d+\s+(\d+)\s/m) };
}

/** Seconds since the epoch at which the machine booted, from /proc/stat. */
export function parseBootTime(text: string): number | null {
  const seconds = /^btime (\d+)$/m.exec(text)?.[1];
  return seconds === undefined ? null : Number(seconds);
}

/** ISO 8601, or null when it is not known or not a time. */
export function startedAt(bootSeconds: number | null, startTicks: number): string | null {
  if (bootSeconds === null) return null;
  const date = new Date((bootSeconds + startTicks / ticksPerSecond) * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}
