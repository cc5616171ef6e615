// Integers as the kernel's maps have them: in this host's byte order.

export const u32 = (...values: number[]): Uint8Array => new Uint8Array(Uint32Array.from(values).buffer);
