// The scan of real processes of this host: Node, Python and openssl, and files that were removed after their start.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import type { ChildProcessByStdio, SpawnOptions } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { after, test } from "node:test";
import type { Readable, Writable } from "node:stream";
import type { OpenedFile } from "../../src/analyzer/processes/mapped-file.ts";
import { ProcessTable } from "../../src/analyzer/processes/process-table.ts";
import { Scanner } from "../../src/analyzer/scan.ts";
import { everyProcess } from "../../src/analyzer/selection.ts";
import type { HostReport, ProcessReport } from "../../src/protocol/coverage.ts";

type Target = ChildProcessByStdio<Writable, Readable, null>;

const folder = mkdtempSync(join(tmpdir(), "plainsight-"));
const targets: Target[] = [];
after(() => {
  for (const target of targets) target.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});

/** What a process needs does not depend on who asks, so the host is stated: this test needs no rights for eBPF. */
const later = { available: false, reason: "later" } as const;
const host: HostReport = {
  hostname: "here",
  kernel: "6.18",
  arch: "x86_64",
  paths: { uprobe: { available: true }, agent: later, mitm: later, xdp: later },
};
const scanner = new Scanner(undefined, () => host);

/** Starts a program and waits for a line, by which time it has mapped its libraries. Gives the line's match. */
async function start(
  program: string,
  args: string[],
  until: RegExp,
  options: SpawnOptions = {},
): Promise<{ target: Target; found: RegExpExecArray }> {
  const target = spawn(program, args, { ...options, stdio: ["pipe", "pipe", "ignore"] });
  targets.push(target);
  const found = await line(target, until);
  return { target, found };
}

async function line(target: Target, until: RegExp): Promise<RegExpExecArray> {
  let text = "";
  for (;;) {
    const found = until.exec(text);
    if (found !== null) return found;
    const [chunk] = (await Promise.race([
      once(target.stdout, "data"),
      once(target, "close").then(() => Promise.reject(new Error(`${target.spawnfile} ended: ${text}`))),
    ])) as [Buffer];
    text += chunk.toString();
  }
}

function report({ pid = 0 }: Target): ProcessReport {
  const outcome = scanner.scanProcess(pid);
  assert.ok("process" in outcome, JSON.stringify(outcome));
  return outcome.process.report;
}

const judged = (it: ProcessReport): string =>
  `${it.class} ${String(it.runtime)} ${it.path} ${it.verdict} ${it.reason.code}`;

const server = ["s_server", "-accept", "127.0.0.1:0", "-nocert"];
const accepts = /ACCEPT 127\.0\.0\.1:(\d+)/;
const isRoot = process.getuid?.() === 0;

/** The path of a program, and the files that it maps at its start. */
function filesOf(program: string): { path: string; libraries: string[] } {
  const path = spawnSync("sh", ["-c", 'command -v "$1"', "sh", program], { encoding: "utf8" }).stdout.trim();
  const { stdout } = spawnSync("ldd", [path], { encoding: "utf8" });
  return { path, libraries: [...stdout.matchAll(/\s(\/\S+) \(0x/g)].map(([, library = ""]) => library) };
}

test("scan: sees Node's own OpenSSL, and where its functions are", async () => {
  const program = "setInterval(() => {}, 1000); console.log('ready')";
  const { target } = await start(process.execPath, ["-e", program], /ready/);
  const node = report(target);
  assert.equal(judged(node), "node node uprobe traceable exported-symbols");
  assert.equal(node.executable, realpathSync(process.execPath));
  assert.equal(node.parentPid, process.pid);
  assert.equal(node.stacks[0]?.version, process.versions.openssl);
  const probed = new Set(node.probes.map((probe) => probe.function));
  assert.ok(probed.has("SSL_read") && probed.has("SSL_write"));
  const ageMs = Date.now() - Date.parse(node.startedAt ?? "");
  assert.ok(ageMs > -2000 && ageMs < 60_000, node.startedAt ?? "no start time");
});

test("scan: looks again at a Python that imports ssl late", async () => {
  const program =
    "import sys; print('ready', flush=True); sys.stdin.readline(); import ssl; print('now', flush=True); sys.stdin.read()";
  const { target } = await start("python3", ["-c", program], /ready/);
  assert.equal(judged(report(target)), "no-tls python none no-tls no-tls-yet");
  const now = line(target, /now/);
  target.stdin.write("\n");
  await now;
  const late = report(target);
  assert.equal(judged(late), "dynamic-openssl python uprobe traceable exported-symbols");
  assert.match(late.stacks[0]?.version ?? "", /^[13]\.\d+\.\d+/);
});

test("scan: chooses by listening port a program on the shared OpenSSL", async () => {
  const { target, found } = await start("openssl", server, accepts);
  const { processes } = scanner.scan({ ...everyProcess, ports: [Number(found[1])] }).report;
  assert.deepStrictEqual(
    processes.map((it) => [it.pid, judged(it)]),
    [[target.pid, "dynamic-openssl null uprobe traceable exported-symbols"]],
  );
});

test("scan: sees no TLS in a program without", async () => {
  const { target } = await start("sh", ["-c", "echo ready; read line"], /ready/);
  assert.equal(judged(report(target)), "no-tls null none no-tls no-tls-library");
});

test("scan: reads a library that was removed after the program's start", async () => {
  const upgraded = join(folder, "upgraded");
  mkdirSync(upgraded);
  for (const library of filesOf("openssl").libraries.filter((path) => /lib(?:ssl|crypto)/.test(path))) {
    copyFileSync(library, join(upgraded, basename(library)));
  }
  const { target } = await start("openssl", server, accepts, {
    env: { ...process.env, LD_LIBRARY_PATH: upgraded },
  });
  rmSync(upgraded, { recursive: true });
  const outcome = scanner.scanProcess(target.pid ?? 0);
  assert.ok("process" in outcome);
  // Only root may open a mapping itself; whoever may not is told that the file is gone.
  const expected = isRoot
    ? "dynamic-openssl null uprobe traceable exported-symbols"
    : "unknown null none unknown unreadable-file";
  assert.equal(judged(outcome.process.report), expected);
  if (isRoot) assert.equal(outcome.process.findings[0]?.file.deleted, true);
});

test("scan: reads files in the process's own root", { skip: !isRoot && "chroot needs root" }, async () => {
  const root = join(folder, "root");
  const { path, libraries } = filesOf("openssl");
  for (const file of [path, ...libraries]) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    copyFileSync(file, join(root, file));
  }
  const { target } = await start("chroot", [root, path, ...server], accepts);
  const jailed = report(target);
  assert.equal(judged(jailed), "dynamic-openssl null uprobe traceable exported-symbols");
  assert.equal(jailed.executable, path);
  assert.match(jailed.stacks[0]?.file ?? "", /^\/(?:usr\/)?lib/);
});

test("scan: recognises a stripped Go program by what its linker leaves", () => {
  const findings = scanner.analyseFile(
    createRequire(import.meta.url).resolve("@esbuild/linux-x64/bin/esbuild"),
  );
  assert.deepStrictEqual(
    findings.map(({ stack, linkage, symbols, functions }) => [stack, linkage, symbols, functions.length]),
    [["go", "static", "gopclntab", 5]],
  );
});

/** Keeps which files are opened, and counts what is read of them. */
class CountingTable extends ProcessTable {
  readonly opened: string[] = [];
  reads = 0;

  override open(...[facts, file]: Parameters<ProcessTable["open"]>): OpenedFile {
    const opened = super.open(facts, file);
    this.opened.push(file.path);
    const { reader } = opened;
    if (reader === null) return opened;
    const read = reader.read.bind(reader);
    reader.read = (...range) => {
      this.reads++;
      return read(...range);
    };
    return opened;
  }
}

test("scan: reads each file once, and of a second scan of the same processes nothing", () => {
  const table = new CountingTable();
  const fresh = new Scanner(table, () => host);
  const scan = () => fresh.scan({ ...everyProcess, pids: [process.pid] }).report.processes[0];
  const first = scan();
  const { reads } = table;
  assert.ok(reads > 0 && table.opened.includes(first?.executable ?? ""));
  assert.deepStrictEqual(table.opened, [...new Set(table.opened)]);
  assert.deepStrictEqual(scan(), first);
  assert.equal(table.reads, reads);
});

test("scan: what was kept of a file stays as it was when other files are read", () => {
  const fresh = new Scanner(undefined, () => host);
  const bytesOf = () =>
    fresh
      .analyseFile(process.execPath)
      .flatMap(({ functions }) => functions.map(({ bytes }) => Buffer.from(bytes).toString("hex")));
  const before = bytesOf();
  assert.ok(before.length > 0);
  for (const library of filesOf("openssl").libraries) fresh.analyseFile(library);
  assert.deepStrictEqual(bytesOf(), before);
});
