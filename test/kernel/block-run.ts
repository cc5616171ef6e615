// `plainsight block` as a person runs it, in a network namespace: what it said, and what it refused.
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { BlockedEvent, TraceEvent } from "../../src/protocol/traffic.ts";
import type { Namespace } from "./network-rig.ts";

const program = join(import.meta.dirname, "../../bin/plainsight");

export interface Blocking {
  pid: number;
  file: string;
  /** Resolves once it was said. */
  hears(text: RegExp): Promise<void>;
  said(): string;
  /** Resolves with all refusals once there are so many. */
  blocked(count: number): Promise<BlockedEvent[]>;
  /** Resolves with the exit code. */
  ended: Promise<number | null>;
}

/** `plainsight block` with this list in a namespace, once it refuses. */
export async function block(
  t: TestContext,
  namespace: Namespace,
  text: string,
  ...args: string[]
): Promise<Blocking> {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-block-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "names.txt");
  writeFileSync(file, text);
  const line = [program, "block", "--server-names", file, "--json", ...args];
  // Its errors come in order with its output.
  const child = namespace.start("sh", "-c", 'exec "$@" 2>&1', "sh", process.execPath, ...line);
  let said = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
  const ended = once(child, "close").then(([status]) => status as number | null);
  const until = async (met: () => boolean, what: string) => {
    while (!met()) {
      const over = ended.then(() => {
        throw new Error(`it ended without ${what}: ${said}`);
      });
      await Promise.race([once(child.stdout as NodeJS.ReadableStream, "data"), over]);
    }
  };
  const hears = (what: RegExp) => until(() => what.test(said), String(what));
  const blocked = () =>
    said
      .split("\n")
      .slice(0, -1)
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as TraceEvent)
      .filter((event): event is BlockedEvent => event.type === "blocked");
  await hears(/^refusing .*; Ctrl-C ends it$/m);
  return {
    pid: child.pid,
    file,
    hears,
    said: () => said,
    blocked: async (count) => {
      await until(() => blocked().length >= count, `${count} refusals`);
      return blocked();
    },
    ended,
  };
}
