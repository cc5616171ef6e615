import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { TracerUnavailable } from "../../../src/analyzer/capture/tracer-launch.ts";
import { openProgramTrust } from "../../../src/analyzer/network/program-trust.ts";
import { temporaryFolder } from "./proxy-rig.ts";

/** A process with exactly this environment. */
function program(t: TestContext, env: Record<string, string>): number {
  const child = spawn("/bin/sleep", ["60"], { env, stdio: "ignore" });
  t.after(() => child.kill());
  assert.ok(child.pid !== undefined);
  return child.pid;
}

test("program trust: a program trusts that was started with what it names, and no other", async (t) => {
  const trust = await openProgramTrust(temporaryFolder(t));
  const { environment } = trust.of({});
  assert.equal(trust.isTrusted(program(t, environment)), true);
  assert.equal(trust.isTrusted(program(t, {})), false);
  assert.equal(trust.isTrusted(program(t, { ...environment, SSL_CERT_FILE: "/etc/hosts" })), false);
});

test("program trust: another user's authority is not ours", async (t) => {
  const [ours, theirs] = [
    await openProgramTrust(temporaryFolder(t)),
    await openProgramTrust(temporaryFolder(t)),
  ];
  const pid = program(t, theirs.of({}).environment);
  assert.deepStrictEqual([ours.isTrusted(pid), theirs.isTrusted(pid)], [false, true]);
});

test("program trust: it is not known of a process that has gone", async (t) => {
  const trust = await openProgramTrust(temporaryFolder(t));
  assert.equal(trust.isTrusted(2 ** 22 + 1), null); // above the largest pid that Linux gives
});

test("program trust: a folder that cannot be one is a problem with its remedy", async (t) => {
  const folder = join(temporaryFolder(t), "file");
  writeFileSync(folder, "");
  await assert.rejects(openProgramTrust(folder), (error) => {
    assert.ok(error instanceof TracerUnavailable);
    assert.equal(error.problem.code, "no-authority");
    assert.match(error.problem.remedy, /XDG_STATE_HOME/);
    return true;
  });
});
