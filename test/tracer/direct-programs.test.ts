// A program's file by the numbers that the kernel knows it by.
import assert from "node:assert/strict";
import { test } from "node:test";
import { programKey } from "../../src/tracer/direct-programs.ts";

// stat(2) has the minor's low 8 bits, 12 of the major, then the rest of each (makedev(3)).
const devices: { name: string; stat: bigint; kernel: number }[] = [
  { name: "8:1, a disk", stat: 0x801n, kernel: (8 << 20) | 1 },
  { name: "259:3, an NVMe disk", stat: 0x10303n, kernel: 259 * 2 ** 20 + 3 },
  { name: "0:300, an overlay", stat: 0x10002cn, kernel: 300 },
  { name: "4095:1048575, the last one", stat: 0xffff_ffffn, kernel: 0xffff_ffff },
];
for (const { name, stat, kernel } of devices) {
  test(`direct programs: device ${name}, as the kernel numbers it`, () => {
    const view = new DataView(programKey(stat, 2n ** 40n + 5n).buffer);
    assert.deepStrictEqual(
      [view.getBigUint64(0, true), view.getUint32(8, true), view.getUint32(12, true)],
      [2n ** 40n + 5n, kernel, 0],
    );
  });
}
