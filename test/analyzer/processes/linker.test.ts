import assert from "node:assert/strict";
import { test } from "node:test";
import { linkerOf } from "../../../src/analyzer/processes/linker.ts";
import { parseMaps } from "../../../src/analyzer/processes/maps.ts";

/** Pairs of a key and its value, as the kernel lays them out. */
const auxv = (...pairs: [key: number, value: bigint][]): Buffer => {
  const bytes = Buffer.alloc(pairs.length * 16);
  for (const [at, [key, value]] of pairs.entries()) {
    bytes.writeBigUInt64LE(BigInt(key), at * 16);
    bytes.writeBigUInt64LE(value, at * 16 + 8);
  }
  return bytes;
};
const programHeaders = 3;
const interpreterBase = 7;

const table = (program: string, linker: string) =>
  parseMaps(
    [
      `55d000000000-55d000001000 r--p 00000000 08:01 1 ${program}`,
      `55d000001000-55d000002000 r-xp 00001000 08:01 1 ${program}`,
      "7fd000000000-7fd000100000 r-xp 00000000 08:01 2 /usr/lib/libssl.so.3",
      `7fe000000000-7fe000014000 r--p 00000000 08:01 3 ${linker}`,
      `7fe000014000-7fe000062000 r-xp 00014000 08:01 3 ${linker}`,
    ].join("\n"),
  );
const base = 0x7fe000000000n;

const cases: [about: string, linker: string][] = [
  ["glibc's", "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"],
  ["musl's, where its path is a link to the whole C library", "/usr/lib/x86_64-linux-musl/libc.so"],
  ["one that was replaced since", "/lib/ld-musl-x86_64.so.1 (deleted)"],
];
for (const [about, path] of cases) {
  test(`linker: finds ${about}`, () => {
    const found = linkerOf(
      auxv([programHeaders, 0x55d000000040n], [interpreterBase, base], [0, 0n]),
      table("/bin/app", path),
      "/bin/app",
    );
    assert.deepStrictEqual([found?.inode, found?.path], [3, path.replace(" (deleted)", "")]);
  });
}

for (const linker of ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1", "/usr/lib/libc.so"]) {
  test(`linker: is the executable where ${linker} was run as a program`, () => {
    const found = linkerOf(auxv([interpreterBase, 0n]), table("/bin/app", linker), linker);
    assert.equal(found?.inode, 3);
  });
}

const without: [about: string, auxv: Buffer][] = [
  ["a static program", auxv([programHeaders, 0x400040n], [interpreterBase, 0n], [0, 0n])],
  ["a linker that is not mapped", auxv([interpreterBase, 0x7fff00000000n])],
  ["a table that is empty", Buffer.alloc(0)],
  ["a table that is cut short", auxv([interpreterBase, base]).subarray(0, 15)],
];
for (const [about, bytes] of without) {
  test(`linker: is none for ${about}`, () => {
    assert.equal(linkerOf(bytes, table("/bin/app", "/lib/ld-linux-x86-64.so.2"), "/bin/app"), null);
  });
}
