import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { CoverageWatch } from "../../../src/analyzer/server/coverage-watch.ts";

test("watch: scans when processes came or went, and not otherwise", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let pids = "1 2";
  let scans = 0;
  const watch: CoverageWatch = new CoverageWatch({
    intervalMs: 5000,
    fingerprint: () => pids,
    scan() {
      scans += 1;
      watch.scanned(1);
    },
  });
  watch.scanned(1);
  watch.start();
  mock.timers.tick(10_000);
  const unchanged = scans;
  pids = "1 2 3";
  mock.timers.tick(20_000);
  watch.stop();
  pids = "1";
  mock.timers.tick(20_000);
  assert.deepStrictEqual({ unchanged, scans }, { unchanged: 0, scans: 1 });
  mock.timers.reset();
});

test("watch: a costly scan is made seldom", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let scans = 0;
  const watch: CoverageWatch = new CoverageWatch({
    intervalMs: 5000,
    fingerprint: () => String(scans) + "x",
    scan() {
      scans += 1;
    },
  });
  watch.scanned(1000);
  scans = 1;
  watch.start();
  mock.timers.tick(19_999);
  const early = scans;
  mock.timers.tick(1);
  watch.stop();
  assert.deepStrictEqual({ early, scans }, { early: 1, scans: 2 });
  mock.timers.reset();
});
