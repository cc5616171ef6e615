// The command line as a user meets it: output, exit codes, and the contract of --json.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { readElf } from "../../../src/analyzer/elf/elf-file.ts";
import type { CoverageReport } from "../../../src/protocol/coverage.ts";
import { openReader } from "../elf/host-tools.ts";

const root = new URL("../../../", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "plainsight-"));

interface Outcome {
  status: number | null;
  stdout: string;
  stderr: string;
}

function run(args: string[], env: Record<string, string> = {}): Outcome {
  return runScript(join(root, "src/analyzer/cli.ts"), args, env);
}

function runScript(script: string, args: string[], env: Record<string, string> = {}): Outcome {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", script, ...args], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

/** A process with TLS and one without, of which the tests know everything. */
const node = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000); console.log('ready')"], {
  stdio: ["ignore", "pipe", "ignore"],
});
const shell = spawn("sh", ["-c", "echo ready; read line"], { stdio: ["pipe", "pipe", "ignore"] });
/**
 * A Go program, which waits for its input to end, with a Read of crypto/tls that is not as a compiler makes it: its TLS
 * is recognised and cannot be captured. It never reads.
 */
const require = createRequire(import.meta.url);
const { version: goVersion } = require("esbuild/package.json") as { version: string };
const go = spawn(
  withOtherRead(require.resolve("@esbuild/linux-x64/bin/esbuild")),
  [`--service=${goVersion}`],
  {
    stdio: ["pipe", "ignore", "ignore"],
  },
);
function withOtherRead(path: string): string {
  const reader = openReader(path);
  const { elf } = readElf(reader);
  const [read] = elf?.goFunctions(new Set(["crypto/tls.(*Conn).Read"])) ?? [];
  reader.close();
  assert.ok(read, "esbuild has crypto/tls");
  const bytes = readFileSync(path);
  bytes.fill(0x90, read.fileOffset, read.fileOffset + 4);
  const copy = join(folder, "esbuild");
  writeFileSync(copy, bytes, { mode: 0o755 });
  return copy;
}

before(() => Promise.all([once(node.stdout, "data"), once(shell.stdout, "data"), once(go, "spawn")]));
after(() => {
  node.kill("SIGKILL");
  shell.kill("SIGKILL");
  go.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});
const nodePid = String(node.pid);
const shellPid = String(shell.pid);

const wrong: [args: string[], message: RegExp][] = [
  [["unknown"], /there is no command "unknown"/],
  [["toString"], /there is no command "toString"/],
  [["scan", "--unknown"], /Unknown option '--unknown'/],
  [["scan", "stray"], /Unexpected argument 'stray'/],
  [["scan", "--pid", "x"], /--pid "x" is not a process id/],
  [["scan", "--json", "--all"], /--json lists every process already/],
  [
    ["trace", "--pid", "1", "--duration", "-1s"],
    /--duration needs a value; one that begins with a dash is written --duration=VALUE$/m,
  ],
  [["scan", "--name"], /--name needs a value$/m],
  [["report", "--fail-under=-1"], /--fail-under -1 is not a percentage/],
  [["report", "--output", ""], /--output needs a value/],
  [["help", "scam"], /there is no command "scam"/],
  [["report", "--format", "pdf"], /--format pdf is not one of html, markdown, json/],
  [["report", "--format", "constructor"], /is not one of/],
  [["report", "--fail-under", "101"], /is not a percentage/],
  [["report", "--fail-under", "many"], /is not a percentage/],
  [["report", "--measure", "soon"], /--measure "soon" is not a duration/],
  [["report", "--measure", "-1s"], /--measure "-1s" is not a duration/],
  [["report", "--pid", shellPid, "--output", join(folder, "no/such/folder.md")], /ENOENT/],
  [["report", "--output", join(folder, "no/such.md"), "--measure", "10m"], /write .*ENOENT/],
  [["report", "--output", folder, "--measure", "10m"], /write .*it is a folder/],
  [["lsp", "--socket=5000"], /Unknown option '--socket'/],
];
for (const [args, message] of wrong) {
  test(`cli: refuses ${args.slice(0, 3).join(" ")} on standard error, with exit code 2`, () => {
    const { status, stdout, stderr } = run(args);
    assert.deepStrictEqual({ status, stdout }, { status: 2, stdout: "" });
    assert.match(stderr, message);
    assert.match(stderr, /^plainsight: .*\nSee plainsight (?:scan |trace |report |lsp )?--help\n$/);
  });
}

test("cli: without a command tells the commands on standard error, with exit code 2", () => {
  const { status, stdout, stderr } = run([]);
  assert.deepStrictEqual({ status, stdout }, { status: 2, stdout: "" });
  assert.match(stderr, /^Usage: plainsight COMMAND/);
});

for (const args of [
  ["--help"],
  ["scan", "--help"],
  ["report", "-h"],
  ["block", "--help"],
  ["help", "block"],
  ["lsp", "--help"],
]) {
  test(`cli: ${args.join(" ")} tells the usage`, () => {
    const { status, stdout, stderr } = run(args);
    assert.deepStrictEqual({ status, stderr }, { status: 0, stderr: "" });
    assert.match(stdout, /^Usage: plainsight /);
    for (const line of stdout.split("\n")) assert.ok(line.length <= 110, line);
  });
}

test("cli: a full disk is told in one line, and is no gate that was not met", () => {
  for (const args of ["--version", `scan --pid ${shellPid}`, `report --pid ${shellPid} --fail-under 0`]) {
    const command = `"$0" --import tsx src/analyzer/cli.ts ${args} > /dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", command, process.execPath], {
      cwd: root,
      encoding: "utf8",
    });
    assert.equal(status, 2);
    assert.match(stderr, /^plainsight: write standard output: ENOSPC: no space left on device, write$/m);
    assert.doesNotMatch(stderr, /^\s+at /m);
  }
});

test("cli: --version is the package's", () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  assert.deepStrictEqual(run(["--version"]), { status: 0, stdout: `${version}\n`, stderr: "" });
});

test("cli: block needs a list that can be read and names a server, with exit code 2", () => {
  for (const [args, said] of [
    [[], /--server-names FILE says what to refuse/],
    [["--server-names", "/nowhere/names"], /\/nowhere\/names: ENOENT/],
    [["--server-names", "/dev/null"], /names no server/],
  ] as const) {
    const { status, stderr } = run(["block", ...args]);
    assert.equal(status, 2);
    assert.match(stderr, said);
  }
});

test("cli: scan shows what was selected, without colours into a pipe", () => {
  const { status, stdout } = run(["scan", "--pid", `${nodePid},${shellPid}`], {
    COLUMNS: "160",
    FORCE_COLOR: "1",
  });
  assert.equal(status, 0);
  assert.ok(!stdout.includes("\u001b"));
  assert.match(stdout, new RegExp(`^. (?:traceable|dark) +${nodePid}  node `, "m"));
  assert.match(stdout, new RegExp(`^· no-tls +${shellPid}  sh `, "m"));
  assert.match(stdout, /of 1 process with TLS is traceable/);
});

/** The keys of an object and of everything in it, and the types of its values. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (value === null || typeof value !== "object") return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, of]) => [key, shape(of)]));
}

test("cli: scan --json has the shape of the contract", () => {
  const { status, stdout } = run(["scan", "--json", "--pid", nodePid, "--pid", "4194304"]);
  assert.equal(status, 0);
  const report = JSON.parse(stdout) as CoverageReport;
  // Whether uprobes can be had depends on who runs the tests.
  const uprobe = report.host.paths.uprobe.available
    ? { available: "boolean" }
    : { available: "boolean", reason: "string" };
  const absent = { available: "boolean", reason: "string" };
  const xdp = report.host.paths.xdp.available ? { available: "boolean" } : absent;
  const reason = { code: "string", text: "string" };
  assert.deepStrictEqual(shape(report), {
    schema: "string",
    generatedAt: "string",
    host: {
      hostname: "string",
      kernel: "string",
      arch: "string",
      paths: { uprobe, agent: absent, mitm: { available: "boolean" }, xdp },
    },
    processes: [
      {
        pid: "number",
        parentPid: "number",
        startedAt: "string",
        command: "string",
        arguments: ["string"],
        executable: "string",
        workingDirectory: "string",
        user: "string",
        service: report.processes[0]?.service === null ? "null" : "string",
        container: report.processes[0]?.container === null ? "null" : "string",
        class: "string",
        runtime: "string",
        stacks: [
          {
            stack: "string",
            linkage: "string",
            file: "string",
            buildId: "string",
            version: "string",
            symbols: "string",
            evidence: ["string"],
          },
        ],
        path: "string",
        verdict: "string",
        basis: "string",
        reason,
        probes: report.host.paths.uprobe.available
          ? [{ function: "string", file: "string", offset: "string" }]
          : [],
        measured: "null",
      },
    ],
    skipped: [{ pid: "number", reason }],
    summary: {
      processes: "number",
      withTls: "number",
      traceable: "number",
      proxy: "number",
      metadata: "number",
      dark: "number",
      unknown: "number",
    },
  });
  assert.equal(report.schema, "plainsight.coverage/1");
  assert.equal(new Date(report.generatedAt).toISOString(), report.generatedAt);
  assert.deepStrictEqual(
    report.skipped.map(({ pid, reason: { code } }) => [pid, code]),
    [[4194304, "no-such-process"]],
  );
});

test("cli: scan of the whole host leaves out itself and kernel threads, and ends well", () => {
  const { status, stdout } = run(["scan", "--json"]);
  assert.equal(status, 0);
  const { processes, skipped } = JSON.parse(stdout) as CoverageReport;
  assert.ok(processes.some(({ pid }) => pid === node.pid));
  assert.equal(skipped.filter(({ reason }) => reason.code === "self").length, 1);
  assert.ok(!skipped.some(({ reason }) => reason.code === "kernel-thread"));
});

test("cli: scan of a process that may not be read skips it with its reason, with exit code 3 and the remedy", () => {
  // Loaded with the rights of whoever runs the tests, and then run as nobody: the process with pid 1 is another user's.
  const script = new URL("scan-as-nobody.ts", import.meta.url).pathname;
  const { status, stdout, stderr } = runScript(script, ["--json", "--pid", "1"]);
  const { processes, skipped } = JSON.parse(stdout) as CoverageReport;
  assert.deepStrictEqual(
    [status, processes, skipped.map(({ pid, reason }) => [pid, reason.code])],
    [3, [], [[1, "not-readable"]]],
  );
  assert.match(stderr, /use sudo/);
});

test("cli: a reader that has seen enough ends the command without complaint", () => {
  const { stdout, stderr } = spawnSync(
    "sh",
    [
      "-c",
      '"$@" | true',
      "sh",
      process.execPath,
      "--import",
      "tsx",
      join(root, "src/analyzer/cli.ts"),
      "scan",
      "--json",
    ],
    { encoding: "utf8", cwd: root },
  );
  assert.deepStrictEqual({ stdout, stderr }, { stdout: "", stderr: "" });
});

test("cli: report writes a file in the format that its name tells", () => {
  const path = join(folder, "coverage.html");
  const { status, stdout, stderr } = run(["report", "--pid", nodePid, "--output", path]);
  assert.deepStrictEqual({ status, stdout, stderr }, { status: 0, stdout: "", stderr: `Wrote ${path}\n` });
  assert.match(readFileSync(path, "utf8"), /^<!doctype html>/);
});

for (const [option, value] of [
  ["--service", "no-such-service"],
  ["--name", "no-such-name*"],
  ["--container", "no-such-container"],
] as const) {
  test(`cli: scan and report say that nothing matches a ${option} which is not there`, () => {
    const said = `plainsight: no process matches ${option} ${value}\n`;
    assert.deepStrictEqual(run(["scan", option, value]), { status: 0, stdout: "", stderr: said });
    const { status, stderr } = run(["report", "--format", "json", option, value]);
    assert.deepStrictEqual([status, stderr], [0, said]);
  });
}

test("cli: report --fail-under says why a process that was named does not count", () => {
  const { status, stderr } = run(["report", "--pid", "4194304", "--fail-under", "50"]);
  assert.equal(status, 1);
  assert.match(stderr, /not counted, for it was skipped: 4194304: there is no process 4194304$/m);
});

test("cli: report --format json is what scan --json prints", () => {
  const untimed = (args: string[]): unknown => ({
    ...(JSON.parse(run(args).stdout) as object),
    generatedAt: null,
  });
  assert.deepStrictEqual(
    untimed(["report", "--format", "json", "--pid", nodePid]),
    untimed(["scan", "--json", "--pid", nodePid]),
  );
});

test("cli: report --fail-under passes with what is covered, tells what fell short, and is not met by nothing", () => {
  const met = run(["report", "--pid", nodePid, "--fail-under", "0"]);
  assert.equal(met.status, 0);
  assert.match(met.stdout, /^# TLS coverage/);

  const nothing = run(["report", "--pid", shellPid, "--fail-under", "1"]);
  assert.equal(nothing.status, 1);
  assert.match(nothing.stderr, /no process with TLS was found/);

  const short = run(["report", "--pid", `${nodePid},${String(go.pid)}`, "--fail-under", "90"]);
  assert.equal(short.status, 1);
  assert.match(
    short.stderr,
    /^plainsight: (?:50|0) % of the processes with TLS are traceable, which is under 90 %$/m,
  );
  assert.match(
    short.stderr,
    new RegExp(
      `^ {2}${String(go.pid)} esbuild: proxy \\(predicted\\), Go's own crypto/tls is not probed .*Read: it does not`,
      "m",
    ),
  );
});
