// `plainsight report --measure` as a user runs it: exit codes, the gate over what was measured, and Ctrl-C.
import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import type { CoverageReport } from "../../src/protocol/coverage.ts";
import { ask, firstLine, skipReason, start, startEchoServer } from "./rig.ts";

const root = join(import.meta.dirname, "../..");

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a command of the analyzer; `onLine` sees each line of its standard error as it comes. */
async function run(
  t: TestContext,
  script: string,
  args: string[],
  onLine: (line: string, child: ChildProcess) => void = () => undefined,
): Promise<Outcome> {
  const child = spawn(process.execPath, ["--import", "tsx", join(root, script), ...args], { cwd: root });
  t.after(() => child.kill("SIGKILL"));
  let stdout = "";
  const lines: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  createInterface(child.stderr).on("line", (line) => {
    lines.push(line);
    onLine(line, child);
  });
  const [status] = (await once(child, "close")) as [number | null];
  return { status, stdout, stderr: lines.join("\n") };
}

const idleScript = "setInterval(() => {}, 1000); console.log('ready')";
const cli = "src/analyzer/cli.ts";
const json = ["report", "--format", "json"];

test(
  "report: Ctrl-C ends the measuring early and the report is written",
  { skip: skipReason() },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const args = [...json, "--measure", "10m", "--fail-under", "100", "--pid", String(server.pid)];
    const { status, stdout } = await run(t, cli, args, (line, child) => {
      if (!line.startsWith("Measuring 1 process for 600 s")) return;
      void ask(server.port, "/orders", "hello").then(() => child.kill("SIGINT"));
    });
    const { processes, summary } = JSON.parse(stdout) as CoverageReport;
    assert.deepStrictEqual(
      [
        status,
        summary.traceable,
        processes[0]?.basis,
        processes[0]?.measured?.state,
        processes[0]?.measured?.decrypted,
      ],
      [0, 1, "measured", "confirmed", 1],
    );
  },
);

test(
  "report: --measure may stand alone, and a process that only idles keeps its prediction",
  { skip: skipReason() },
  async (t) => {
    const idle = start(t, process.execPath, ["-e", idleScript]);
    await firstLine(idle);
    const args = [
      "report",
      "--measure",
      "--format",
      "json",
      "--fail-under",
      "100",
      "--pid",
      String(idle.pid),
    ];
    const { status, stdout } = await run(t, cli, args, (line, child) => {
      if (line.startsWith("Measuring 1 process for 10 s")) child.kill("SIGINT");
    });
    const { processes } = JSON.parse(stdout) as CoverageReport;
    assert.deepStrictEqual(
      [status, processes[0]?.verdict, processes[0]?.basis, processes[0]?.measured?.state],
      [0, "traceable", "predicted", "not-exercised"],
    );
  },
);

test(
  "report: --measure without rights says what is missing, with exit code 3 and no report",
  { skip: skipReason() },
  async (t) => {
    const idle = spawn(process.execPath, ["-e", idleScript], {
      uid: 65_534,
      gid: 65_534,
      stdio: ["ignore", "pipe", "inherit"],
    });
    t.after(() => idle.kill("SIGKILL"));
    await firstLine(idle);
    const args = ["--measure", "1s", "--pid", String(idle.pid)];
    const { status, stdout, stderr } = await run(t, "test/analyzer/cli/report-as-nobody.ts", args);
    assert.deepStrictEqual([status, stdout], [3, ""]);
    assert.match(stderr, /needs root, or CAP_BPF and CAP_PERFMON \(run it with sudo/);
  },
);
