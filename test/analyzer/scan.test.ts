import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, test } from "node:test";
import { ProcessTable } from "../../src/analyzer/processes/process-table.ts";
import { Scanner } from "../../src/analyzer/scan.ts";
import { everyProcess } from "../../src/analyzer/selection.ts";
import type { CoverageReport, HostReport } from "../../src/protocol/coverage.ts";

const folder = mkdtempSync(join(tmpdir(), "plainsight-"));
after(() => {
  rmSync(folder, { recursive: true });
});

const later = { available: false, reason: "later" } as const;
const host: HostReport = {
  hostname: "web-1",
  kernel: "6.18.44",
  arch: "x86_64",
  paths: { uprobe: { available: true }, agent: later, mitm: later, xdp: later },
};

interface Stated {
  command?: string;
  state?: string;
  kernelThread?: boolean;
  /** The process a thread belongs to. */
  processId?: number;
  cgroup?: string;
  /** Null for a process that has none of it any more. */
  maps?: string | null;
  executable?: string;
  /** What it sees as its root; an empty folder unless it is stated. */
  root?: string;
}

/** Writes a /proc with these processes, as the kernel would show them. */
function procfs(name: string, processes: Record<number, Stated>): ProcessTable {
  const proc = join(folder, name);
  mkdirSync(proc);
  writeFileSync(join(proc, "stat"), "btime 1700000000\n");
  writeFileSync(join(proc, "passwd"), "www-data:x:33:33::/:/bin/sh\n");
  for (const [pid, stated] of Object.entries(processes)) {
    const { command = "app", state = "S", kernelThread = false, processId = pid, cgroup = "0::/" } = stated;
    const own = join(proc, pid);
    mkdirSync(own);
    if (stated.root === undefined) mkdirSync(join(own, "root"));
    else symlinkSync(stated.root, join(own, "root"));
    const flags = kernelThread ? 0x00200000 : 0;
    writeFileSync(
      join(own, "stat"),
      `${pid} (${command}) ${state} 1 1 1 0 -1 ${flags} ${"0 ".repeat(12)}250 0 0\n`,
    );
    writeFileSync(join(own, "status"), `Tgid:\t${processId}\nUid:\t33\t33\t33\t33\n`);
    writeFileSync(join(own, "cmdline"), [command, "--port", "8443", ""].join("\0"));
    writeFileSync(join(own, "cgroup"), `${cgroup}\n`);
    if (stated.maps !== null) writeFileSync(join(own, "maps"), stated.maps ?? "");
    if (stated.executable !== undefined) symlinkSync(stated.executable, join(own, "exe"));
  }
  return new ProcessTable(proc, join(proc, "passwd"));
}

const notElf = `1000-2000 r-xp 00000000 08:01 12 ${join(folder, "gone")}`;
const table = procfs("proc", {
  10: { command: "kworker/0:1", kernelThread: true },
  11: { state: "Z" },
  12: { processId: 10 },
  13: { maps: "" },
  14: { maps: null },
  15: {
    command: "api",
    cgroup: "0::/system.slice/api.service",
    maps: notElf,
    executable: join(folder, "gone"),
  },
});
const scanner = new Scanner(table, () => host);

const skips: [pid: number, code: string, text: RegExp][] = [
  [10, "kernel-thread", /kernel thread/],
  [11, "zombie", /has ended/],
  [12, "no-such-process", /thread of process 10/],
  [13, "exited", /ended while it was read/],
  [14, "exited", /ended while it was read/],
  [99, "no-such-process", /no process 99/],
];
for (const [pid, code, text] of skips) {
  test(`scan: skips a process that was named, with the reason ${code} (${text.source})`, () => {
    const { processes, skipped } = scanner.scan({ ...everyProcess, pids: [pid] }).report;
    assert.deepStrictEqual(processes, []);
    assert.deepStrictEqual(
      skipped.map((it) => [it.pid, it.reason.code]),
      [[pid, code]],
    );
    assert.match(skipped[0]?.reason.text ?? "", text);
  });
}

test("scan: of the whole host lists no kernel thread, and everything else that it left out", () => {
  const { report, findings } = scanner.scan(everyProcess);
  assert.deepStrictEqual(
    report.skipped.map(({ pid, reason }) => [pid, reason.code]),
    [
      [11, "zombie"],
      [12, "exited"],
      [13, "exited"],
      [14, "exited"],
    ],
  );
  assert.deepStrictEqual([...findings], [[15, []]]);
  assert.equal(report.summary.processes, 1);
});

test("scan: of a host of which little changed, looks at that alone, and at what it could not tell before", () => {
  const known = {
    maps: `1000-2000 r-xp 00000000 08:01 12 ${realpathSync("/bin/sh")}`,
    executable: realpathSync("/bin/sh"),
  };
  const identified: number[] = [];
  const inner = procfs("little", {
    20: known,
    21: known,
    22: { maps: "" },
    23: known,
    24: { kernelThread: true },
  });
  let pids = [20, 21, 22, 24];
  const table = Object.assign(inner, { pids: () => pids });
  const again = new Scanner(table, () => host);
  const before = again.scan(everyProcess).report;
  const settled: CoverageReport = {
    ...before,
    processes: before.processes.map((it) => ({ ...it, verdict: "no-tls", command: `${it.command} before` })),
  };
  assert.deepStrictEqual(
    settled.processes.map(({ pid }) => pid),
    [20, 21],
  );
  const identify = inner.identify.bind(inner);
  table.identify = (pid) => {
    if (!identified.includes(pid)) identified.push(pid);
    return identify(pid);
  };
  pids = [21, 22, 23, 24];
  const after = again.rescan(settled, new Set([20, 23]));
  assert.deepStrictEqual(identified, [22, 23, 24]);
  assert.deepStrictEqual(
    after.processes.map(({ pid, command }) => [pid, command]),
    [
      [21, "app before"],
      [23, "app"],
    ],
  );
  assert.deepStrictEqual(
    after.skipped.map(({ pid, reason }) => [pid, reason.code]),
    [[22, "exited"]],
  );
  assert.equal(after.summary.processes, 2);
  const unknown = {
    ...settled,
    processes: before.processes.map((it) => ({ ...it, verdict: "unknown" as const })),
  };
  identified.length = 0;
  again.rescan(unknown, new Set());
  assert.ok(identified.includes(21), "what was unknown is looked at again");
});

test("scan: reports a process whose executable cannot be read as unknown, with the reason", () => {
  const { processes } = scanner.scan({ ...everyProcess, services: ["api"] }).report;
  assert.equal(processes.length, 1);
  const [{ reason, ...report }] = processes as [(typeof processes)[0]];
  assert.equal(reason.code, "unreadable-file");
  assert.match(reason.text, /^gone could not be read: /);
  assert.deepStrictEqual(report, {
    pid: 15,
    parentPid: 1,
    startedAt: "2023-11-14T22:13:22.500Z",
    command: "api",
    arguments: ["api", "--port", "8443"],
    executable: join(folder, "gone"),
    workingDirectory: null,
    user: "www-data",
    container: null,
    service: "api.service",
    class: "unknown",
    runtime: null,
    stacks: [],
    path: "none",
    verdict: "unknown",
    basis: "predicted",
    probes: [],
    measured: null,
  });
});

test("scan: a pid that is named twice is reported once, and one that the other options exclude not at all", () => {
  assert.equal(scanner.scan({ ...everyProcess, pids: [15, 15] }).report.processes.length, 1);
  const { processes, skipped } = scanner.scan({ ...everyProcess, pids: [15], names: ["other"] }).report;
  assert.deepStrictEqual([processes, skipped], [[], []]);
});

test("scan: a program whose code is not mapped from its file is unknown, not without TLS", () => {
  const packed = new Scanner(
    procfs("packed", { 20: { maps: notElf, executable: "/bin/packed" } }),
    () => host,
  );
  const [report] = packed.scan(everyProcess).report.processes;
  assert.deepStrictEqual([report?.class, report?.reason.code], ["unknown", "unreadable-file"]);
  assert.match(report?.reason.text ?? "", /packed/);
});

/** A line of the table of mappings that maps a file of this machine, with so much of its code. */
function mapped(path: string, codeBytes: number): string {
  const { ino } = statSync(path);
  return `10000000-${(0x10000000 + codeBytes).toString(16)} r-xp 00000000 00:00 ${ino} ${path}`;
}

test("scan: finds the stack that is linked into a library of any name, and opens no library twice", () => {
  const shell = realpathSync("/bin/sh");
  // Node's program stands for a Python wheel: OpenSSL is linked into it.
  const [wheel, other] = [join(folder, "_rust.abi3.so"), join(folder, "libother.so.1")];
  copyFileSync(process.execPath, wheel);
  copyFileSync(shell, other);
  const maps = [mapped(shell, 0x1000), mapped(other, 1 << 20), mapped(wheel, 1 << 20)].join("\n");
  const stated = { maps, executable: shell, root: "/" };
  const inner = procfs("wheel", { 20: stated, 21: stated });
  const opened: string[] = [];
  const open = inner.open.bind(inner);
  inner.open = (facts, file) => {
    opened.push(`${facts.pid} ${basename(file.path)}`);
    return open(facts, file);
  };
  const { processes } = new Scanner(inner, () => host).scan(everyProcess).report;
  assert.deepStrictEqual(
    processes.map(({ stacks, verdict }) => [
      verdict,
      stacks.map((it) => `${it.stack} ${it.linkage} ${basename(it.file ?? "")}`),
    ]),
    [
      ["traceable", ["openssl static _rust.abi3.so"]],
      ["traceable", ["openssl static _rust.abi3.so"]],
    ],
  );
  const name = basename(shell);
  assert.deepStrictEqual(opened, [
    `20 ${name}`,
    "20 libother.so.1",
    "20 _rust.abi3.so",
    `21 ${name}`,
    "21 _rust.abi3.so",
  ]);
});

test("scan: a large library that cannot be read leaves it unknown whether there is TLS", () => {
  const shell = realpathSync("/bin/sh");
  const maps = [mapped(shell, 0x1000), "10000000-10100000 r-xp 00000000 08:01 12 /gone/libother.so"].join(
    "\n",
  );
  const [report] = new Scanner(
    procfs("unreadable", { 20: { maps, executable: shell, root: "/" } }),
    () => host,
  ).scan(everyProcess).report.processes;
  assert.deepStrictEqual([report?.verdict, report?.reason.code], ["unknown", "unreadable-file"]);
  assert.match(report?.reason.text ?? "", /^libother\.so could not be read/);
});

test("scan: asks once what the host offers", () => {
  let asked = 0;
  const counting = new Scanner(table, () => {
    asked++;
    return host;
  });
  counting.scan(everyProcess);
  counting.scan({ ...everyProcess, pids: [15] });
  assert.equal(asked, 1);
});

test("scan: analyses a program before any process maps it", () => {
  const [finding, ...others] = scanner.analyseFile(process.execPath);
  assert.deepStrictEqual(others, []);
  assert.equal(finding?.stack, "openssl");
  assert.equal(finding.file.range, null);
  assert.ok(finding.functions.some(({ name }) => name === "SSL_write"));
});

test("scan: finds no stack in a script, and throws for a file that is not there", () => {
  const script = join(folder, "script");
  writeFileSync(script, "#!/bin/sh\n");
  assert.deepStrictEqual(scanner.analyseFile(script), []);
  assert.throws(() => scanner.analyseFile(join(folder, "nothing")), /ENOENT/);
});

test("scan: analyses the new file when a path's content was replaced", () => {
  const path = join(folder, basename(process.execPath));
  writeFileSync(path, "#!/bin/sh\n");
  assert.equal(scanner.analyseFile(path).length, 0);
  rmSync(path);
  copyFileSync(process.execPath, path);
  assert.equal(scanner.analyseFile(path).length, 1);
});
