// Programs in mount and pid namespaces of their own, below a root that the test makes.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf, start } from "./rig.ts";

/** An empty folder to become a root; it goes with the test. */
export function makeFolder(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), "plainsight-root-"));
  t.after(() => {
    rmSync(root, { recursive: true });
  });
  return root;
}

/** A program (a path below the root) as the first process of its pid namespace. It dies with the shell. */
export function startIsolated(
  t: TestContext,
  root: string,
  command: readonly string[],
): ReturnType<typeof start> {
  const isolated = ["--mount", "--pid", "--fork", "--kill-child", "chroot", root, ...command];
  return start(t, "unshare", isolated);
}

/** What unshare has started, by its pid on the host, once `isThere` says so; rejects after ten seconds. */
export async function isolatedPid(shell: number, isThere: (pid: number) => boolean): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const [pid] = childrenOf(shell);
    if (pid !== undefined && isThere(pid)) return pid;
    await sleep(20);
  }
  throw new Error("the isolated program has not begun within ten seconds");
}

/** The build id of an ELF file, empty where it has none. */
export function buildIdOf(path: string): string {
  return /Build ID: (\w+)/.exec(execFileSync("readelf", ["-n", path], { encoding: "utf8" }))?.[1] ?? "";
}
