// `plainsight trace` as a user runs it, from the build: what it prints, how it ends, and what it leaves.
import assert from "node:assert/strict";
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { test, type TestContext } from "node:test";
import type { CoverageReport } from "../../../src/protocol/coverage.ts";
import type { TraceEvent } from "../../../src/protocol/traffic.ts";
import { breakpoints, places, withoutBreakpoints } from "../../kernel/probes.ts";
import { ask, childrenOf, gone, skipReason, start, startEchoServer } from "../../kernel/rig.ts";

const root = join(import.meta.dirname, "../../..");
const program = join(root, "bin/plainsight");

interface Run {
  child: ChildProcessByStdio<null, Readable, Readable>;
  out: () => string;
  errors: () => string;
  /** Resolves once what was printed to the standard error, or with `out` to the standard output, fits. */
  said: (text: RegExp, where?: "out") => Promise<void>;
  /** Resolves with the exit code when all output has come. */
  ended: Promise<number | null>;
}

function run(t: TestContext, command: string, args: string[], env: NodeJS.ProcessEnv = process.env): Run {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], env });
  t.after(() => child.kill("SIGKILL"));
  let [out, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  return {
    child,
    out: () => out,
    errors: () => errors,
    said: async (text, where) => {
      while (!text.test(where ? out : errors)) {
        const heard = once(where ? child.stdout : child.stderr, "data");
        const over = once(child, "close").then(() => {
          throw new Error(`it ended without ${String(text)}: ${errors}`);
        });
        await Promise.race([heard, over]);
      }
    },
    ended: once(child, "close").then(([status]) => status as number | null),
  };
}

const trace = (t: TestContext, ...args: string[]): Run =>
  run(t, process.execPath, [program, "trace", ...args]);

function eventsOf(text: string): TraceEvent[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as TraceEvent);
}

const wrong: [args: string[], said: RegExp][] = [
  [["--nonsense"], /Unknown option '--nonsense'/],
  [["stray"], /Unexpected argument 'stray'/],
  [["--pid", "x"], /not a process id/],
  [["--pid", "0"], /not a process id/],
  [["--duration", "soon"], /--duration "soon" is not a duration/],
  [["--duration", "0s"], /is not a duration/],
  [["--body-limit", "much"], /--body-limit "much" is not a size/],
  [["--path", "magic"], /--path "magic" is none of/],
  [["--interface", "lo"], /--interface belongs to --path xdp/],
  [["--path", "xdp", "--interface", ""], /--interface "" is not an interface's name/],
  [["--path", "xdp", "--interface", "sixteen-letters-"], /"sixteen-letters-" is not an interface's name/],
  [["--path", "xdp", "--interface", "lo/../lo"], /"lo\/..\/lo" is not an interface's name/],
  [["--path", "xdp", "--hellos"], /--hellos belongs to --path auto and uprobe/],
  [
    ["--path", "xdp", "--show-secrets"],
    /--show-secrets is of what is decrypted, and with --path xdp nothing is$/m,
  ],
  [["--path", "xdp", "--body-limit", "1KiB"], /--body-limit is of what is decrypted/],
  [["--path", "mitm", "--metadata-only", "--show-secrets", "--", "true"], /which --metadata-only drops$/m],
  [["--path", "mitm", "--pass-through", "a b", "--", "true"], /--pass-through "a b" is neither a name nor/],
  [["--path", "mitm", "--pass-through", "10.0.0.1", "--", "true"], /--pass-through "10.0.0.1" is neither/],
  [["--"], /after -- comes the command/],
  [["--pid", "1", "--", "true"], /selectors and a command exclude each other/],
  [["--", "no-such-program-anywhere"], /there is no program "no-such-program-anywhere"/],
  [["--", "/etc"], /there is no program/],
];
for (const [args, said] of wrong) {
  test(`trace ${args.join(" ")}: wrong usage`, { skip: skipReason() }, async (t) => {
    const { ended, errors, out } = trace(t, ...args);
    assert.equal(await ended, 2);
    assert.match(errors(), said);
    assert.match(errors(), /See plainsight trace --help/);
    assert.equal(out(), "");
  });
}

test("trace: a network interface that is not there", { skip: skipReason() }, async (t) => {
  const { ended, errors, out } = trace(t, "--path", "xdp", "--interface", "plainsight9");
  assert.equal(await ended, 3);
  assert.match(errors(), /there is no interface plainsight9/);
  assert.equal(out(), "");
});

test(
  "trace: what cannot be traced is skipped with its reason, and that is no failure",
  { skip: skipReason() },
  async (t) => {
    const { ended, out } = trace(t, "--json", "--pid", "4194304,2");
    assert.equal(await ended, 0);
    const events = eventsOf(out());
    assert.deepStrictEqual(
      events.map((event) => (event.type === "skipped" ? [event.pid, event.reason.code] : event.type)),
      [[4_194_304, "no-such-process"], [2, "kernel-thread"], "summary"],
    );
  },
);

const curl = ["curl", "--silent", "--insecure", "--header", "authorization: Bearer abcdef123456"];

test("trace --json -- curl: one object a line, to the contract", { skip: skipReason("curl") }, async (t) => {
  const { port } = await startEchoServer(t, "h1");
  const url = `https://localhost:${port}/orders?id=7`;
  const { ended, out, errors } = trace(t, "--json", "--", ...curl, "--data", '{"a":1}', url);
  assert.equal(await ended, 0);
  assert.match(errors(), /\{"a":1\}/, "the command's own output goes there");
  const events = eventsOf(out());
  assert.deepStrictEqual(
    events.map(({ type }) => type).filter((type, at, all) => type !== all[at - 1]),
    ["attached", "exchange", "exited", "summary"],
  );
  const attached = events.find((event) => event.type === "attached" && event.stack === "openssl");
  assert.ok(attached?.type === "attached");
  assert.equal(attached.command, "curl");
  assert.ok(attached.file.startsWith("/") && attached.functions.includes("SSL_write"));
  const exchange = events.find((event) => event.type === "exchange");
  assert.ok(exchange);
  const { id, startedAt, durationMs, connection, request, response, ...rest } = exchange;
  assert.deepStrictEqual(rest, {
    type: "exchange",
    pid: attached.pid,
    command: "curl",
    protocol: "http/1.1",
    path: "uprobe",
    state: "complete",
  });
  assert.ok(id !== "" && durationMs !== null && durationMs >= 0 && durationMs < 10_000);
  assert.equal(new Date(startedAt).toISOString(), startedAt);
  assert.ok(Math.abs(Date.parse(startedAt) - Date.now()) < 60_000);
  assert.match(connection.local ?? "", /^127\.0\.0\.1:[1-9]\d+$/);
  assert.deepStrictEqual(
    [connection.role, connection.remote, connection.serverName],
    ["client", `127.0.0.1:${port}`, "localhost"],
  );
  assert.deepStrictEqual(
    [request?.method, request?.target, request?.authority, request?.bodySize, request?.body?.text],
    ["POST", "/orders?id=7", `localhost:${port}`, 7, '{"a":1}'],
  );
  assert.deepStrictEqual(
    request?.headers.find(([name]) => name?.toLowerCase() === "authorization"),
    ["authorization", "Bearer ••••••"],
  );
  assert.deepStrictEqual(
    [response?.status, response?.reason, response?.bodySize, response?.body?.text],
    [200, "OK", 7, '{"a":1}'],
  );
  const summary = events.at(-1);
  assert.ok(summary?.type === "summary" && summary.durationMs > 0);
  assert.deepStrictEqual([summary.exchanges, summary.messages, summary.lost], [1, 0, 0]);
});

test(
  "trace --verbose: secrets are masked, and shown when that is asked for",
  { skip: skipReason("curl") },
  async (t) => {
    const { port } = await startEchoServer(t, "h1");
    for (const shown of [false, true]) {
      const options = ["--verbose", ...(shown ? ["--show-secrets"] : [])];
      const { ended, out } = trace(
        t,
        ...options,
        "--",
        ...curl,
        "--output",
        "/dev/null",
        `https://localhost:${port}/secret`,
      );
      assert.equal(await ended, 0);
      assert.match(out(), /GET +localhost:\d+\/secret +200/);
      assert.match(out(), shown ? /authorization: Bearer abcdef123456/i : /authorization: Bearer ••••••/i);
      assert.equal(out().includes("abcdef123456"), shown);
    }
  },
);

test("trace --duration: ends by itself, and the command with it", { skip: skipReason() }, async (t) => {
  const { ended, errors } = trace(t, "--duration", "200ms", "--", "sleep", "1000");
  const startedMs = performance.now();
  assert.equal(await ended, 0);
  assert.ok(performance.now() - startedMs < 10_000);
  assert.match(errors(), /0 exchanges, 0 records lost in/);
});

test("trace: Ctrl-C prints the summary and leaves nothing attached", { skip: skipReason() }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const where = places(server.pid);
  const { child, ended, errors, said } = trace(t, "--pid", String(server.pid));
  await said(/Ctrl-C ends it/);
  assert.ok(breakpoints(server.pid, where).length > 0);
  await ask(server.port, "/seen");
  await said(/\/seen/, "out");
  child.kill("SIGINT");
  assert.equal(await ended, 0);
  assert.match(errors(), /1 exchange, 0 records lost in/);
  await withoutBreakpoints(server.pid, where);
});

test(
  "trace: Ctrl-C while it starts, which a terminal sends to the tracer as well, is no failure",
  { skip: skipReason() },
  async (t) => {
    const { child, ended, errors } = run(t, "setsid", [process.execPath, program, "trace"]);
    const group = child.pid ?? 0;
    while (childrenOf(group).length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    process.kill(-group, "SIGINT");
    assert.equal(await ended, 0);
    assert.doesNotMatch(errors(), /plainsight:|fault/);
  },
);

test(
  "trace: of every process a file is probed once, not of each alone",
  { skip: skipReason() },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const { child, ended, errors, said, out } = trace(t, "--path", "uprobe");
    await said(/Ctrl-C ends it/);
    // It runs by the same Node as the server and is not traced itself, which goes without saying.
    const own = child.pid ?? 0;
    assert.ok(breakpoints(own, places(own)).length > 0);
    assert.doesNotMatch(errors(), new RegExp(`${own}|^skipped`, "m"));
    await ask(server.port, "/of-all");
    await said(/\/of-all/, "out");
    child.kill("SIGINT");
    assert.equal(await ended, 0);
    assert.equal(out().match(new RegExp(`node ${server.pid} .*/of-all`, "g"))?.length, 1);
  },
);

test("trace: ends when what it traces has ended", { skip: skipReason() }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const { ended, errors, said } = trace(t, "--pid", String(server.pid));
  await said(/Ctrl-C ends it/);
  process.kill(server.pid, "SIGKILL");
  assert.equal(await ended, 0);
  assert.match(errors(), /all traced processes have ended/);
});

test("trace: a reader that has seen enough ends it", { skip: skipReason() }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const where = places(server.pid);
  const script = `"$0" ${program} trace --pid ${server.pid} | head -1; echo "status \${PIPESTATUS[0]}"`;
  const { ended, said, out } = run(t, "bash", ["-c", script, process.execPath]);
  await said(/Ctrl-C ends it/);
  // The second finds nobody who reads.
  for (let turn = 0; !out().includes("status"); turn++) await ask(server.port, `/turn/${turn}`);
  assert.equal(await ended, 0);
  assert.match(out(), /^\S+ .*\/turn\/0.*\nstatus 0\n$/);
  await withoutBreakpoints(server.pid, where);
});

test("trace: the command does not outlive a reader that went", { skip: skipReason("curl") }, async (t) => {
  const { port } = await startEchoServer(t, "h1");
  const loop = `echo $$; while :; do ${curl.slice(0, 3).join(" ")} https://localhost:${port}/again; done`;
  const script = `"$0" ${program} trace --json -- sh -c '${loop}' | head -1`;
  const { ended, errors, said } = run(t, "bash", ["-c", script, process.execPath]);
  await said(/^\d+\n/m);
  const pid = Number(/^\d+$/m.exec(errors())?.[0]);
  // Its own output is ours, too: that comes to an end with the last who holds it.
  assert.equal(await ended, 0);
  await gone(pid);
});

test(
  "trace without rights: what is missing, how to get it, and exit code 3; a scan goes on",
  { skip: skipReason("setpriv") },
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "plainsight-nobody-"));
    t.after(() => {
      rmSync(folder, { recursive: true });
    });
    chmodSync(folder, 0o755);
    for (const part of ["bin", "dist", "package.json"])
      cpSync(join(root, part), join(folder, part), { recursive: true });
    const asNobody = (...args: string[]) => {
      const who = ["--reuid=65534", "--regid=65534", "--clear-groups", "--", process.execPath];
      // Neither a sudo nor a desktop that would help.
      const env = { PATH: "/nonexistent", HOME: folder };
      return run(t, "/usr/bin/setpriv", [...who, join(folder, "bin/plainsight"), ...args], env);
    };
    const sleeper = start(t, "sleep", ["1000"]);
    for (const args of [
      ["--pid", String(sleeper.pid)],
      ["--", "/bin/true"],
    ]) {
      const tracing = asNobody("trace", ...args);
      assert.equal(await tracing.ended, 3);
      assert.match(tracing.errors(), /the tracer needs root, or CAP_BPF and CAP_PERFMON/);
      assert.match(tracing.errors(), /NOPASSWD/);
      assert.equal(tracing.out(), "");
    }
    const own = start(t, "setpriv", [
      "--reuid=65534",
      "--regid=65534",
      "--clear-groups",
      "--",
      "sleep",
      "1000",
    ]);
    const scan = asNobody("scan", "--json", "--pid", `${sleeper.pid},${own.pid}`);
    assert.equal(await scan.ended, 0);
    const { processes, skipped } = JSON.parse(scan.out()) as CoverageReport;
    assert.deepStrictEqual(
      [processes.map(({ pid }) => pid), skipped.map(({ pid }) => pid)],
      [[own.pid], [sleeper.pid]],
    );
  },
);
