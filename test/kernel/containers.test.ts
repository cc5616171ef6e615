// Containers made of what they are made of. A process in mount and pid namespaces of its own, with another libssl at the
// very path where the host has one: that file is analysed and probed, and what the process says is captured. Processes
// chosen by the cgroup of their container or their service. The command itself inside a pid namespace.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, realpathSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { builtFile } from "../../src/analyzer/installation.ts";
import { Scanner } from "../../src/analyzer/scan.ts";
import { everyProcess, type Selection } from "../../src/analyzer/selection.ts";
import type { CoverageReport, ProcessReport } from "../../src/protocol/coverage.ts";
import { buildIdOf, isolatedPid, makeFolder, startIsolated } from "./isolated.ts";
import { ended, firstLine, fixtures, openTrace, skipReason, start, startEchoServer } from "./rig.ts";
import { staticOpenssl } from "./static-openssl.ts";

const libssl = "/usr/lib/x86_64-linux-gnu/libssl.so.3";

/** A root with the C library, a client, and a libssl that was linked anew, with libcrypto within. */
function makeRoot(t: TestContext): string {
  const root = makeFolder(t);
  mkdirSync(join(root, dirname(libssl)), { recursive: true });
  const cc = (...args: string[]) => execFileSync("cc", args, { stdio: "inherit" });
  const whole = staticOpenssl([
    "-Wl,--whole-archive",
    "-l:libssl.a",
    "-Wl,--no-whole-archive",
    "-l:libcrypto.a",
  ]);
  cc("-shared", "-Wl,-Bsymbolic", "-Wl,-soname,libssl.so.3", "-o", join(root, libssl), ...whole);
  const path = `-Wl,-rpath,${dirname(libssl)}`;
  cc("-O2", join(fixtures, "static-client.c"), "-o", join(root, "client"), join(root, libssl), path);
  for (const file of ["/lib64/ld-linux-x86-64.so.2", "/lib/x86_64-linux-gnu/libc.so.6"]) {
    mkdirSync(join(root, dirname(file)), { recursive: true });
    cpSync(realpathSync(file), join(root, file));
  }
  return root;
}

test(
  "containers: another libssl at the host's path is the one that is probed, and the plaintext is whole",
  { skip: skipReason("cc", "unshare", "readelf", "pkg-config") },
  async (t) => {
    const root = makeRoot(t);
    const server = await startEchoServer(t, "h1");
    const shell = startIsolated(t, root, ["/client", server.port]);
    // unshare's child is the first process of its namespace; on the host it has another pid.
    const client = await isolatedPid(shell.pid, (pid) => {
      const scanned = new Scanner().scanProcess(pid);
      if (!("process" in scanned)) return false;
      return scanned.process.report.command === "client" && scanned.process.findings.length > 0;
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

/** A cgroup, by the file that takes its processes. It goes with the test, whose processes go first. */
function makeCgroup(t: TestContext, name: string): string {
  const unified = existsSync("/sys/fs/cgroup/cgroup.procs") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
  const path = join(unified, name);
  mkdirSync(path);
  t.after(async () => {
    const isBusy = () => readFileSync(join(path, "cgroup.events"), "utf8").includes("populated 1");
    for (let tries = 0; isBusy() && tries < 250; tries++) await sleep(20);
    rmdirSync(path);
  });
  return join(path, "cgroup.procs");
}

/** It has its TLS library before it is told to speak. */
const asksWhenTold = `
import ssl, sys, urllib.request
sys.stdin.readline()
url = f"https://localhost:{sys.argv[1]}/contained"
urllib.request.urlopen(url, context=ssl._create_unverified_context()).read()
`;

const containerIds = ["c0ffee", "c0ffe0"].map((digits) => digits + randomBytes(29).toString("hex"));
const unit = `plainsight-test-${randomBytes(4).toString("hex")}`;

/** As Docker and systemd name cgroups: one that is chosen, and one beside it. */
const placed: {
  what: string;
  cgroups: [chosen: string, other: string];
  option: [name: string, value: string];
  selection: Partial<Selection>;
  placement: Partial<ProcessReport>;
}[] = [
  {
    what: "a container by the first digits of its id",
    cgroups: [`docker-${containerIds[0] ?? ""}.scope`, `docker-${containerIds[1] ?? ""}.scope`],
    option: ["--container", "c0ffee"],
    selection: { containers: ["c0ffee"] },
    placement: { container: containerIds[0] ?? "", service: null },
  },
  {
    what: "a service by the name of its unit",
    cgroups: [`${unit}.service`, `${unit}-other.service`],
    option: ["--service", unit],
    selection: { services: [`${unit}.service`] },
    placement: { container: null, service: `${unit}.service` },
  },
];
for (const { what, cgroups, option, selection, placement } of placed) {
  test(
    `containers: the processes of ${what} are chosen, also those that start later`,
    { skip: skipReason("python3") },
    async (t) => {
      const [chosen = "", other = ""] = cgroups.map((name) => makeCgroup(t, name));
      const waits = "import ssl, sys; print(flush=True); sys.stdin.read()";
      const [running, besides] = [chosen, other].map((cgroup) => {
        const python = start(t, "/usr/bin/python3", ["-c", waits]);
        writeFileSync(cgroup, String(python.pid));
        return python;
      });
      assert.ok(running && besides);
      await Promise.all([running, besides].map(firstLine));
      const scan = [builtFile("cli.js"), "scan", "--json", ...option];
      const report = JSON.parse(execFileSync(process.execPath, scan, { encoding: "utf8" })) as CoverageReport;
      assert.deepStrictEqual(
        report.processes.map(({ pid, container, service, verdict }) => ({
          pid,
          container,
          service,
          verdict,
        })),
        [{ pid: running.pid, ...placement, verdict: "traceable" }],
      );
      assert.deepStrictEqual(report.skipped, []);

      const server = await startEchoServer(t, "h1");
      const trace = await openTrace(t);
      await trace.session.addLater({ ...everyProcess, ...selection });
      const enter = 'echo $$ > "$1"; exec /usr/bin/python3 -c "$2" "$3"';
      const [inside, outside] = [chosen, other].map((cgroup) =>
        start(t, "sh", ["-c", enter, "sh", cgroup, asksWhenTold, server.port]),
      );
      assert.ok(inside && outside);
      await trace.seen((event) => event.type === "attached" && event.pid === inside.pid);
      for (const child of [inside, outside]) child.stdin?.write("go\n");
      assert.deepStrictEqual(await Promise.all([inside, outside].map(ended)), [0, 0]);
      await trace.seen(() => trace.exchanges(inside.pid).length === 1);
      await trace.session.close();
      assert.deepStrictEqual(
        trace.exchanges().map(({ pid, request }) => [pid, request?.target]),
        [[inside.pid, "/contained"]],
      );
      for (const child of [running, besides]) child.stdin?.end();
    },
  );
}

/** Runs the command twice as the second process of its pid namespace, being itself the first, with TLS. */
const firstOfNamespace = `
import json, ssl, subprocess, sys
run = lambda *more: subprocess.run([*sys.argv[1:], *more], capture_output=True, text=True, timeout=30)
done = [run("scan", "--json"), run("trace", "--pid", "1", "--path", "uprobe", "--duration", "1s")]
print(json.dumps([[it.returncode, it.stdout, it.stderr] for it in done]))
`;

test(
  "containers: inside a pid namespace a scan tells what it sees, and a trace that it needs the host",
  { skip: skipReason("python3", "unshare") },
  () => {
    const isolated = ["--pid", "--fork", "--kill-child", "--mount-proc", "python3", "-c", firstOfNamespace];
    const output = execFileSync("unshare", [...isolated, process.execPath, builtFile("cli.js")], {
      encoding: "utf8",
    });
    const [scan, trace] = JSON.parse(output) as [number, string, string][];
    const report = JSON.parse(scan?.[1] ?? "") as CoverageReport;
    assert.deepStrictEqual(
      report.processes.map((it) => [it.pid, it.class, it.path, it.verdict, it.reason.code]),
      [[1, "dynamic-openssl", "uprobe", "dark", "uprobe-unavailable"]],
    );
    assert.deepStrictEqual(
      report.skipped.map(({ reason }) => reason.code),
      ["self"],
    );
    const remedy = /--pid=host/;
    assert.match(report.processes[0]?.reason.text ?? "", remedy);
    assert.match(trace?.[2] ?? "", remedy);
    assert.deepStrictEqual([scan?.[0], trace?.[0]], [0, 3]);
  },
);
