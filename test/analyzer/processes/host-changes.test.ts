// What a look at the host's processes notices, of real processes and of a /proc that the test writes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { HostChanges } from "../../../src/analyzer/processes/host-changes.ts";

/** A Python that runs each line that it is given, and answers with an empty one. */
async function python(t: TestContext): Promise<{ pid: number; run: (code: string) => Promise<void> }> {
  const program = "import mmap, os, sys\nfor line in sys.stdin:\n  exec(line)\n  print(flush=True)";
  const child = spawn("python3", ["-c", program], { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const run = async (code: string) => {
    child.stdin.write(`${code}\n`);
    await once(child.stdout, "data");
  };
  await run("pass");
  return { pid: child.pid ?? 0, run };
}

const doings: [what: string, code: string, isNoticed: boolean][] = [
  ["loads a library", "import ssl", true],
  ["executes another program", "os.execvp('sh', ['sh', '-c', 'echo; while read line; do echo; done'])", true],
  ["takes another name", "open('/proc/self/comm', 'w').write('renamed')", true],
  ["takes memory", "kept = bytearray(50_000_000)", false],
  [
    "maps a file that is not code",
    "f = open(sys.executable, 'rb'); m = mmap.mmap(f.fileno(), 0, prot=1)",
    false,
  ],
  ["does nothing", "pass", false],
];
for (const [what, code, isNoticed] of doings) {
  test(`changes: that a process ${what} is ${isNoticed ? "" : "not "}noticed`, async (t) => {
    const { pid, run } = await python(t);
    const changes = new HostChanges();
    assert.ok(changes.look().has(pid), "at the first look all are new");
    await run(code);
    assert.equal(changes.look().has(pid), isNoticed);
    assert.ok(!changes.look().has(pid), "it is told once");
  });
}

test("changes: a process's mappings are read again only when its size changed", (t) => {
  const proc = mkdtempSync(join(tmpdir(), "plainsight-proc-"));
  t.after(() => {
    rmSync(proc, { recursive: true });
  });
  /** As /proc/PID/stat has it: when it started, and the bytes of its memory. */
  const state = (pid: number, started: number, bytes: number, file: string, resident = 1, name = "app") => {
    mkdirSync(join(proc, String(pid)), { recursive: true });
    const flags = name.startsWith("kworker") ? 0x00200000 : 0;
    const line = `${pid} (${name}) S 1 1 1 0 -1 ${flags} ${"0 ".repeat(12)}${started} ${bytes} ${resident}\n`;
    writeFileSync(join(proc, String(pid), "stat"), line);
    writeFileSync(join(proc, String(pid), "maps"), `1000-2000 r-xp 00000000 08:01 12 ${file}\n`);
  };
  const changes = new HostChanges(proc);
  const look = () => [...changes.look()];
  assert.deepStrictEqual(look(), []);
  state(7, 250, 4096, "/usr/bin/app");
  assert.deepStrictEqual(look(), [7]);
  // A change of the resident part alone is none: the file that the test swaps is not looked at.
  state(7, 250, 4096, "/usr/lib/libssl.so.3", 2);
  assert.deepStrictEqual(look(), []);
  state(7, 250, 8192, "/usr/lib/libssl.so.3");
  assert.deepStrictEqual(look(), [7]);
  rmSync(join(proc, "7", "maps"));
  state(8, 250, 4096, "/usr/bin/other");
  assert.deepStrictEqual(look(), [8], "what may not be read any more is left as it was");
  state(8, 900, 4096, "/usr/bin/other");
  assert.deepStrictEqual(look(), [8], "another process with the same id");
  state(9, 1, 0, "", 0, "kworker/0:1-events");
  rmSync(join(proc, "7"), { recursive: true });
  assert.deepStrictEqual(look().sort(), [7, 9]);
  state(9, 1, 0, "", 0, "kworker/0:1-mm_percpu_wq");
  rmSync(join(proc, "8"), { recursive: true });
  assert.deepStrictEqual(look(), [8]);
});
