// What scripts/runtimes.mjs offers to the tests.

/** Paths of the executables; they may not be there. */
export const runtimes: { bun: string; deno: string };
export function installRuntimes(log?: (text: string) => void): void;
