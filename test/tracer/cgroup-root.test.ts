import assert from "node:assert/strict";
import { test } from "node:test";
import { cgroupRoot } from "../../src/tracer/cgroup-root.ts";

const cases: [name: string, lines: string[], root: string | null][] = [
  [
    "alone",
    ["30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate"],
    "/sys/fs/cgroup",
  ],
  [
    "beside cgroup 1",
    [
      "31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu",
      "40 30 0:36 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
    ],
    "/sys/fs/cgroup/unified",
  ],
  [
    "the highest of several views",
    ["50 30 0:36 /a/b /mnt/part rw - cgroup2 none rw", "51 30 0:36 / /mnt/whole rw - cgroup2 none rw"],
    "/mnt/whole",
  ],
  ["at a path with a space", ["50 30 0:36 / /mnt/my\\040root rw - cgroup2 none rw"], "/mnt/my root"],
  ["nowhere", ["31 30 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu", ""], null],
];
for (const [name, lines, root] of cases) {
  test(`cgroup root: ${name}`, () => {
    assert.equal(cgroupRoot(lines.join("\n")), root);
  });
}
