import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mock, test, type TestContext } from "node:test";
import { Scanner } from "../../../src/analyzer/scan.ts";
import { everyProcess } from "../../../src/analyzer/selection.ts";
import { CoverageWatch } from "../../../src/analyzer/server/coverage-watch.ts";

/** Timers and a clock that only the test moves. */
function playTime(t: TestContext): { take(ms: number): void } {
  let nowMs = 0;
  mock.timers.enable({ apis: ["setTimeout"] });
  t.mock.method(performance, "now", () => nowMs);
  t.after(() => {
    mock.timers.reset();
  });
  return {
    take(ms) {
      nowMs += ms;
    },
  };
}

test("watch: scans when processes came or went, and not otherwise", (t) => {
  playTime(t);
  let pids = "1 2";
  let scans = 0;
  const scan = (): void => {
    watch.scanned(() => ++scans);
  };
  const watch = new CoverageWatch({ intervalMs: 5000, fingerprint: () => pids, scan });
  scan();
  watch.start();
  mock.timers.tick(10_000);
  const unchanged = scans;
  pids = "1 2 3";
  mock.timers.tick(20_000);
  watch.stop();
  pids = "1";
  mock.timers.tick(20_000);
  assert.deepStrictEqual({ unchanged, scans }, { unchanged: 1, scans: 2 });
});

test("watch: what changes while a scan is made is looked at again", (t) => {
  playTime(t);
  let loaded = 0;
  let scans = 0;
  const scan = (): void => {
    watch.scanned(() => {
      if (++scans === 1) loaded++;
    });
  };
  const watch = new CoverageWatch({ intervalMs: 5000, fingerprint: () => String(loaded), scan });
  scan();
  watch.start();
  mock.timers.tick(20_000);
  watch.stop();
  assert.equal(scans, 2);
});

const costs: [what: string, lookMs: number, scanMs: number, delayMs: number][] = [
  ["what costs nothing is done at every interval", 0, 0, 5000],
  ["a costly scan is made seldom", 0, 1000, 20_000],
  ["a costly look is taken seldom", 100, 0, 20_000],
];
for (const [what, lookMs, scanMs, delayMs] of costs) {
  test(`watch: ${what}`, (t) => {
    const time = playTime(t);
    let looks = 0;
    const watch = new CoverageWatch({
      intervalMs: 5000,
      fingerprint() {
        time.take(lookMs);
        return String(looks++);
      },
      scan() {
        watch.scanned(() => {
          time.take(scanMs);
        });
      },
    });
    watch.start();
    mock.timers.tick(5000);
    const first = looks;
    mock.timers.tick(delayMs - 1);
    const early = looks;
    mock.timers.tick(1);
    watch.stop();
    // Each time one look by the watch, and one for the scan that it leads to.
    assert.deepStrictEqual([first, early, looks], [2, 2, 4]);
  });
}

test("watch: a Python that loads ssl after it was scanned becomes traceable by itself", async (t) => {
  const program =
    "import sys; print('ready', flush=True); sys.stdin.readline(); import ssl; sys.stdin.read()";
  const python = spawn("python3", ["-c", program], { stdio: ["pipe", "pipe", "ignore"] });
  t.after(() => python.kill("SIGKILL"));
  await once(python.stdout, "data");
  const { pid = 0 } = python;
  const later = { available: false, reason: "later" } as const;
  const paths = { uprobe: { available: true }, agent: later, mitm: later, xdp: later } as const;
  const scanner = new Scanner(undefined, () => ({ hostname: "", kernel: "", arch: "x86_64", paths }));
  const verdict = () =>
    scanner.scan({ ...everyProcess, pids: [pid] }).report.processes[0]?.reason.code ?? "none";
  const seen: string[] = [];
  await new Promise<void>((resolve) => {
    const scan = () => {
      seen.push(watch.scanned(verdict));
      if (seen.at(-1) === "exported-symbols") resolve();
    };
    const watch = new CoverageWatch({ intervalMs: 20, scan });
    t.after(() => {
      watch.stop();
    });
    scan();
    watch.start();
    python.stdin.write("\n");
  });
  assert.equal(seen[0], "no-tls-yet");
});
