// What scripts/http3.mjs offers to the tests.

/** Folder for PYTHONPATH; it may not be there. */
export function aioquicFolder(): string;
export function installAioquic(log?: (text: string) => void): void;
