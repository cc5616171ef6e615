// `plainsight trace --path xdp` for chosen processes, as a user runs it from the build.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { TraceEvent } from "../../../src/protocol/traffic.ts";
import { skipReason, start, startEchoServer } from "../../kernel/rig.ts";

const program = join(import.meta.dirname, "../../../bin/plainsight");

/** Once it watches; `ended` gives its exit code, its events and what it said beside. */
async function trace(t: TestContext, ...args: string[]) {
  const line = [program, "trace", "--path", "xdp", "--interface", "lo", "--json", ...args];
  const child = spawn(process.execPath, line, { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  let [out, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = once(child, "close").then(([status]) => ({
    status: status as number | null,
    errors,
    events: out
      .trim()
      .split("\n")
      .map((one) => JSON.parse(one) as TraceEvent),
  }));
  while (!errors.includes("Ctrl-C ends it")) await Promise.race([once(child.stderr, "data"), ended]);
  return { ended };
}

const skip = skipReason("curl");

test(
  "trace --path xdp: the children of a chosen process are its own, and it ends with them",
  { skip },
  async (t) => {
    const { port } = await startEchoServer(t, "h1");
    const loud = `curl --silent --insecure --output /dev/null https://localhost:${port}/`;
    const chosen = start(t, "sh", ["-c", `read -r go; (${loud}; ${loud}) & wait`]);
    const other = start(t, "sh", ["-c", `read -r go; ${loud}`]);
    const { ended } = await trace(t, "--pid", String(chosen.pid));
    other.stdin?.write("go\n");
    await once(other, "exit");
    chosen.stdin?.write("go\n");
    const { status, events, errors } = await ended;
    const told = events.flatMap((event) =>
      event.type === "hello" ? [[event.direction, event.command, event.pid === chosen.pid]] : [],
    );
    assert.deepStrictEqual(told, [
      ["out", "curl", false],
      ["out", "curl", false],
    ]);
    assert.equal(status, 0);
    assert.match(errors, /all traced processes have ended/);
  },
);

test(
  "trace --path xdp: a process that is not there is named, and that is no failure",
  { skip },
  async (t) => {
    const { ended } = await trace(t, "--pid", "4194304,2");
    const { status, events, errors } = await ended;
    assert.deepStrictEqual(
      events.map((event) => (event.type === "skipped" ? [event.pid, event.reason.code] : event.type)),
      [[4_194_304, "no-such-process"], [2, "kernel-thread"], "summary"],
    );
    assert.match(errors, /nothing to trace/);
    assert.equal(status, 0);
  },
);
