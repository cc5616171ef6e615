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

test("watch: scans what changed since the whole host was scanned, and nothing otherwise", (t) => {
  playTime(t);
  let changed = [1, 2];
  const scans: number[][] = [];
  const watch = new CoverageWatch({
    intervalMs: 5000,
    look: () => new Set(changed.splice(0)),
    scan: (pids) => scans.push([...pids]),
  });
  watch.scanning();
  watch.start();
  mock.timers.tick(10_000);
  assert.deepStrictEqual(scans, []);
  changed = [3];
  mock.timers.tick(20_000);
  watch.stop();
  changed = [4];
  mock.timers.tick(20_000);
  assert.deepStrictEqual(scans, [[3]]);
});

const costs: [what: string, lookMs: number, scanMs: number, delayMs: number][] = [
  ["what costs nothing is done at every interval", 0, 0, 5000],
  ["a costly scan is made seldom", 0, 200, 20_000],
  ["a costly look is taken seldom", 150, 50, 20_000],
];
for (const [what, lookMs, scanMs, delayMs] of costs) {
  test(`watch: ${what}`, (t) => {
    const time = playTime(t);
    let scans = 0;
    const watch = new CoverageWatch({
      intervalMs: 5000,
      look() {
        time.take(lookMs);
        return new Set([1]);
      },
      scan() {
        time.take(scanMs);
        scans++;
      },
    });
    watch.start();
    mock.timers.tick(5000);
    const first = scans;
    mock.timers.tick(delayMs - 1);
    const early = scans;
    mock.timers.tick(1);
    watch.stop();
    assert.deepStrictEqual([first, early, scans], [1, 1, 2]);
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
  let latest = scanner.scan(everyProcess).report;
  const codeOf = () => latest.processes.find((it) => it.pid === pid)?.reason.code;
  assert.equal(codeOf(), "no-tls-yet");
  await new Promise<void>((resolve) => {
    const watch = new CoverageWatch({
      intervalMs: 20,
      scan(changed) {
        latest = scanner.rescan(latest, changed);
        if (codeOf() === "exported-symbols") resolve();
      },
    });
    t.after(() => {
      watch.stop();
    });
    watch.scanning();
    watch.start();
    python.stdin.write("\n");
  });
});
