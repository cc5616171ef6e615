// The columns that all lines of a trace share, and what stands in the first two of them: the time and the process.
import { printable, type Terminal } from "./terminal.ts";

/** Below this many columns the request's size and the milliseconds of the time are left out. */
const wideColumns = 120;

export interface Columns {
  wide: boolean;
  time: number;
  process: number;
  sizes: number;
  target: number;
}

export const methodWidth = 7;
export const durationWidth = 8;
export const statusWidth = 3;

export function columnsOf({ width }: Terminal): Columns {
  const wide = width >= wideColumns;
  const fixed = { wide, time: wide ? 12 : 8, process: wide ? 20 : 14, sizes: wide ? 21 : 9 };
  // Two spaces after time and process and before the sizes, one between the others, and the arrow.
  const taken =
    fixed.time + fixed.process + fixed.sizes + methodWidth + durationWidth + statusWidth + 2 * 3 + 3 + 2;
  return { ...fixed, target: Math.max(12, width - taken) };
}

/** Command and process id, as far as they are known. */
export function processName({ command, pid }: { command: string | null; pid: number | null }): string {
  const known = [command, pid].filter((part) => part !== null);
  return known.length === 0 ? "–" : printable(known.join(" "));
}

/** Local time of day, with milliseconds where there is room. */
export function clock(iso: string, width: number): string {
  const at = new Date(iso);
  const two = (value: number) => String(value).padStart(2, "0");
  const seconds = `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
  return `${seconds}.${String(at.getMilliseconds()).padStart(3, "0")}`.slice(0, width);
}
