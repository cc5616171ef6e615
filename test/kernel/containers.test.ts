// A process in mount and pid namespaces of its own, with another libssl at the very path where the host has one: that
// file is analysed and probed, and what the process says is captured.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { Scanner } from "../../src/analyzer/scan.ts";
import { childrenOf, ended, fixtures, openTrace, skipReason, start, startEchoServer } from "./rig.ts";

const libssl = "/usr/lib/x86_64-linux-gnu/libssl.so.3";

/** A root with the C library, a client, and a libssl that was linked anew, with libcrypto within. */
function makeRoot(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "plainsight-root-"));
  t.after(() => {
    rmSync(root, { recursive: true });
  });
  mkdirSync(join(root, dirname(libssl)), { recursive: true });
  const cc = (...args: string[]) => execFileSync("cc", args, { stdio: "inherit" });
  const whole = ["-Wl,--whole-archive", "-l:libssl.a", "-Wl,--no-whole-archive", "-l:libcrypto.a"];
  cc("-shared", "-Wl,-Bsymbolic", "-Wl,-soname,libssl.so.3", "-o", join(root, libssl), ...whole);
  const path = `-Wl,-rpath,${dirname(libssl)}`;
  cc("-O2", join(fixtures, "static-client.c"), "-o", join(root, "client"), join(root, libssl), path);
  for (const file of ["/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"]) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    cpSync(realpathSync(file), join(root, file));
  }
  return root;
}

const buildIdOf = (path: string): string =>
  /Build ID: (\w+)/.exec(execFileSync("readelf", ["-n", path], { encoding: "utf8" }))?.[1] ?? "";

test(
  "containers: another libssl at the host's path is the one that is probed, and the plaintext is whole",
  { skip: skipReason("cc", "unshare", "readelf") },
  async (t) => {
    const root = makeRoot(t);
    const server = await startEchoServer(t, "h1");
    const isolated = ["--mount", "--pid", "--fork", "--kill-child", "chroot", root, "/client", server.port];
    const shell = start(t, "unshare", isolated);
    // unshare's child is the first process of its namespace; on the host it has another pid.
    const client = await new Promise<number>((resolve) => {
      const timer = setInterval(() => {
        const [pid] = childrenOf(shell.pid);
        const scanned = pid === undefined ? null : new Scanner().scanProcess(pid);
        if (pid === undefined || scanned === null || !("process" in scanned)) return;
        if (scanned.process.report.command !== "client" || scanned.process.findings.length === 0) return;
        clearInterval(timer);
        resolve(pid);
      }, 20);
    });

    const scanned = new Scanner().scanProcess(client);
    assert.ok("process" in scanned);
    const { report } = scanned.process;
    const [stack] = report.stacks;
    assert.deepStrictEqual(
      [report.class, report.verdict, stack?.file],
      ["dynamic-openssl", "traceable", libssl],
    );
    assert.equal(stack?.buildId, buildIdOf(join(root, libssl)));
    assert.notEqual(stack.buildId, buildIdOf(libssl), "the host's is another");

    const trace = await openTrace(t);
    const { skipped } = await trace.session.add([client], { followChildren: false });
    assert.deepStrictEqual(skipped, []);
    shell.stdin?.end("go\n");
    assert.equal(await ended(shell), 0);
    await trace.seen(() => trace.exchanges(client).length === 1);
    const [exchange] = trace.exchanges(client);
    assert.deepStrictEqual(
      [exchange?.request?.target, exchange?.request?.body?.text, exchange?.response?.body?.text],
      ["/static", "b".repeat(20_000), "b".repeat(20_000)],
    );
  },
);
