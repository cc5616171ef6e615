// Scans while processes end and begin, and of processes whose files have unusual names: each is reported or skipped with
// its reason, and the rest goes on.
import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { ProcessTable } from "../../src/analyzer/processes/process-table.ts";
import { Scanner } from "../../src/analyzer/scan.ts";
import { everyProcess } from "../../src/analyzer/selection.ts";
import type { HostReport } from "../../src/protocol/coverage.ts";

const later = { available: false, reason: "later" } as const;
const host: HostReport = {
  hostname: "here",
  kernel: "6.18",
  arch: "x86_64",
  paths: { uprobe: { available: true }, agent: later, mitm: later, xdp: later },
};

function start(t: TestContext, program: string, args: string[]): ChildProcess & { pid: number } {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  assert.ok(child.pid !== undefined, program);
  return child as ChildProcess & { pid: number };
}

/** A shell that reaps its child, `openssl`, at once; gives the child's pid. */
async function startOrphan(t: TestContext): Promise<number> {
  const shell = start(t, "sh", ["-c", 'openssl s_server -accept 127.0.0.1:0 -nocert & echo "pid $!"; wait']);
  let text = "";
  while (!text.includes("ACCEPT")) text += String((await once(shell.stdout ?? shell, "data"))[0]);
  return Number(/pid (\d+)/.exec(text)?.[1]);
}

function endNow(pid: number): void {
  process.kill(pid, "SIGKILL");
  const waiting = new Int32Array(new SharedArrayBuffer(4));
  for (let tries = 0; existsSync(`/proc/${pid}`); tries++) {
    assert.ok(tries < 500, "it does not end");
    Atomics.wait(waiting, 0, 0, 10);
  }
}

const steps = ["pids", "identify", "files", "open"] as const;
for (const step of steps) {
  test(`scan: a process that ends after the step "${step}" is skipped as exited, and the rest goes on`, async (t) => {
    const [dying, living] = [await startOrphan(t), await startOrphan(t)];
    t.after(() => {
      process.kill(living, "SIGKILL");
    });
    let done: (typeof steps)[number] | null = null;
    const endAfter = (now: (typeof steps)[number]) => {
      if (now === step && done === null) endNow(dying);
      if (now === step) done = now;
    };
    class DyingTable extends ProcessTable {
      override pids(): number[] {
        endAfter("pids");
        return [dying, living];
      }
      override identify(pid: number): ReturnType<ProcessTable["identify"]> {
        const found = super.identify(pid);
        if (pid === dying) endAfter("identify");
        return found;
      }
      override files(...args: Parameters<ProcessTable["files"]>): ReturnType<ProcessTable["files"]> {
        const found = super.files(...args);
        if (args[0].pid === dying) endAfter("files");
        return found;
      }
      override open(...args: Parameters<ProcessTable["open"]>): ReturnType<ProcessTable["open"]> {
        const opened = super.open(...args);
        if (args[0].pid === dying) endAfter("open");
        return opened;
      }
    }
    const { processes, skipped } = new Scanner(new DyingTable(), () => host).scan(everyProcess).report;
    assert.equal(done, step);
    assert.deepStrictEqual(
      skipped.map(({ pid, reason }) => [pid, reason.code]),
      [[dying, "exited"]],
    );
    assert.deepStrictEqual(
      processes.map(({ pid, verdict }) => [pid, verdict]),
      [[living, "traceable"]],
    );
  });
}

test("scan: among processes that live for a moment, each is reported or skipped with a reason", async (t) => {
  const swarm = start(t, "sh", ["-c", "echo; while :; do /bin/true & /bin/true & wait; done"]);
  await once(swarm.stdout ?? swarm, "data");
  let listed: number[] = [];
  class RecordingTable extends ProcessTable {
    override pids(): number[] {
      // By the kernel's order the youngest come last: looked at first, they have a chance to be seen.
      return (listed = super.pids().toReversed());
    }
  }
  const table = new RecordingTable();
  const scanner = new Scanner(table, () => host);
  const codes = new Set<string>();
  for (let scans = 0; scans < 10 || (scans < 300 && !codes.has("exited")); scans++) {
    const { processes, skipped } = scanner.scan(everyProcess).report;
    const told = new Set([...processes, ...skipped].map(({ pid }) => pid));
    const missed = listed.filter(
      (pid) => !told.has(pid) && table.identify(pid).missing?.code !== "kernel-thread",
    );
    assert.deepStrictEqual(missed, []);
    assert.equal(told.size, processes.length + skipped.length);
    for (const { reason } of skipped) {
      assert.ok(reason.text.length > 0);
      codes.add(reason.code);
    }
  }
  assert.ok(codes.has("exited"), `no process ended while it was read: ${[...codes].join(", ")}`);
});

const names = ["with spaces in it", "with\na newline", "gone (deleted)", "übers\u{1f512}"];
for (const name of names) {
  for (const isReplaced of [false, true]) {
    test(`scan: reads a program and its library in a folder named ${JSON.stringify(name)}${isReplaced ? ", replaced since" : ""}`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), "plainsight-names-"));
      t.after(() => {
        rmSync(folder, { recursive: true });
      });
      const place = join(folder, name);
      mkdirSync(place);
      const program = join(place, name);
      const found = spawnSync("sh", ["-c", "command -v openssl"], { encoding: "utf8" }).stdout.trim();
      copyFileSync(found, program);
      const server = start(t, program, ["s_server", "-accept", "127.0.0.1:0", "-nocert"]);
      await once(server.stdout ?? server, "data");
      if (isReplaced) {
        copyFileSync("/bin/true", join(place, "new"));
        renameSync(join(place, "new"), program);
      }
      const outcome = new Scanner(undefined, () => host).scanProcess(server.pid);
      assert.ok("process" in outcome, JSON.stringify(outcome));
      const { report } = outcome.process;
      // Where the kernel adds no mark of its own, the name is taken for one: the two cannot be told apart.
      const told = isReplaced ? program : program.replace(/ \(deleted\)$/, "");
      assert.deepStrictEqual([report.executable, report.verdict], [told, "traceable"]);
    });
  }
}
