// Durations, sizes and counts as people write and read them.
import { UsageError } from "./usage.ts";

const milliseconds: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `10s`, `500ms`, `2m`, or a number of seconds; gives milliseconds. Throws a {@link UsageError}. */
export function parseDuration(option: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const value = Number(match?.[1]) * (milliseconds[match?.[2] ?? "s"] ?? NaN);
  // A longer timer overflows setTimeout's 32 bits.
  if (!(value > 0) || value >= 2 ** 31) {
    throw new UsageError(`${option} ${JSON.stringify(text)} is not a duration such as 10s, 500ms or 2m`);
  }
  return value;
}

const bytes: Readonly<Record<string, number>> = {
  "": 1,
  B: 1,
  KiB: 1024,
  MiB: 1024 ** 2,
  K: 1024,
  M: 1024 ** 2,
};

/** `64KiB`, `1MiB`, or a number of bytes. Throws a {@link UsageError}. */
export function parseSize(option: string, text: string): number {
  const match = /^(\d+)(B|KiB|MiB|K|M)?$/.exec(text);
  const value = Number(match?.[1]) * (bytes[match?.[2] ?? ""] ?? NaN);
  if (!Number.isSafeInteger(value) || value > 64 * 1024 ** 2) {
    throw new UsageError(`${option} ${JSON.stringify(text)} is not a size such as 64KiB (at most 64MiB)`);
  }
  return value;
}

/** `1 exchange`, `12 exchanges`. */
export function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** Three digits at the most: `3.4 ms`, `1.25 s`; more only of hours. */
export function formatDuration(durationMs: number): string {
  if (durationMs >= 3_600_000) return `${(durationMs / 3_600_000).toFixed(1)} h`;
  if (durationMs >= 60_000) return `${(durationMs / 60_000).toPrecision(3)} min`;
  if (durationMs >= 1000) return `${(durationMs / 1000).toPrecision(3)} s`;
  return `${durationMs >= 100 ? durationMs.toFixed(0) : durationMs.toFixed(1)} ms`;
}

/** `512 B`, `1.5 KiB`, `20.1 MiB`. */
export function formatSize(size: number): string {
  if (size < 1024) return `${size} B`;
  if (size < 1024 ** 2) return `${(size / 1024).toFixed(1)} KiB`;
  return `${(size / 1024 ** 2).toFixed(1)} MiB`;
}
