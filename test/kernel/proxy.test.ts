// Real programs through the proxy, their connections sent there by the kernel: what they say is shown, and nothing is
// left behind.
import assert from "node:assert/strict";
import { once } from "node:events";
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setImmediate, setTimeout as sleep } from "node:timers/promises";
import { httpProxy } from "../analyzer/network/proxy-rig.ts";
import { gone, skipReason, start, tracerOf } from "./rig.ts";
import { openShop, trace, traceByProxy } from "./proxy-run.ts";

const skip = (...programs: string[]) => skipReason("curl", ...programs);

const python = `
import ssl, sys, urllib.request
print(urllib.request.urlopen(sys.argv[1] + "/py", data=b"y" * 1000000).read().decode())`;
const node = `
const response = await fetch(process.argv[1] + "/node", { method: "POST", body: "z".repeat(1000000) });
console.log(await response.text());`;

interface Case {
  program: string;
  command: (url: string) => string[];
  protocol: "h2" | "http/1.1";
  target: string;
  sent: number;
}
const clients: Case[] = [
  {
    program: "curl",
    command: (url) => ["curl", "-sS", "--http2", `${url}/curl?n=1`, "-d", "x".repeat(1000)],
    protocol: "h2",
    target: "/curl?n=1",
    sent: 1000,
  },
  {
    program: "curl",
    command: (url) => ["curl", "-sS", "--http1.1", `${url}/curl`, "-d", "x".repeat(1000)],
    protocol: "http/1.1",
    target: "/curl",
    sent: 1000,
  },
  {
    program: "python3",
    command: (url) => ["python3", "-c", python, url],
    protocol: "http/1.1",
    target: "/py",
    sent: 1_000_000,
  },
  {
    program: "node",
    command: (url) => ["node", "--input-type=module", "-e", node, url],
    protocol: "http/1.1",
    target: "/node",
    sent: 1_000_000,
  },
];
for (const { program, command, protocol, target, sent } of clients) {
  test(`proxy: ${program} by ${protocol}, whole`, { skip: skip(program) }, async (t) => {
    const shop = await openShop(t);
    const url = `https://localhost:${shop.port}`;
    const run = traceByProxy(t, shop.environment, ["--", ...command(url)]);
    assert.equal(await run.ended, 0, run.said());
    assert.match(run.said(), new RegExp(`^${sent} bytes`, "m"));
    assert.deepStrictEqual(
      run.exchanges().map((exchange) => ({
        command: exchange.command,
        path: exchange.path,
        protocol: exchange.protocol,
        remote: exchange.connection.remote,
        serverName: exchange.connection.serverName,
        target: exchange.request?.target,
        sent: exchange.request?.bodySize,
        status: exchange.response?.status,
      })),
      [
        {
          command: program,
          path: "mitm",
          protocol,
          remote: `127.0.0.1:${shop.port}`,
          serverName: "localhost",
          target,
          sent,
          status: 200,
        },
      ],
    );
  });
}

test(
  "proxy: children of the command are seen, each by its own name",
  { skip: skip("python3") },
  async (t) => {
    const shop = await openShop(t);
    const url = `https://localhost:${shop.port}`;
    writeFileSync(join(shop.folder, "ask.py"), python);
    const script = `curl -sS ${url}/big | wc -c; python3 ${join(shop.folder, "ask.py")} ${url}`;
    const run = traceByProxy(t, shop.environment, ["--body-limit", "2MiB", "--", "sh", "-c", script]);
    assert.equal(await run.ended, 0, run.said());
    assert.match(run.said(), /^1048576$/m);
    const shown = run.exchanges().map(({ command, response }) => [command, response?.bodySize]);
    assert.deepStrictEqual(shown, [
      ["curl", 1_048_576],
      ["python3", 13],
    ]);
    assert.equal(run.exchanges()[0]?.response?.body?.text, "x".repeat(1_048_576));
    assert.equal(run.events().at(-1)?.type, "summary");
  },
);

test(
  "proxy: killed in mid-request, the client meets an error, and the next goes direct",
  { skip: skip() },
  async (t) => {
    const shop = await openShop(t);
    const url = `https://localhost:${shop.port}`;
    const state = join(shop.folder, "answer");
    const ask = (path: string) => `curl -sS -N -o ${state} -w '%{exitcode} %{num_connects}\\n' ${url}${path}`;
    const script = `echo began $$; ${ask("/hang")}; echo broke; ${ask("/next")}; echo over`;
    const run = traceByProxy(t, shop.environment, ["--", "sh", "-c", script]);
    await run.hears(/began \d+/);
    const shell = Number(/began (\d+)/.exec(run.said())?.[1]);
    t.after(() => {
      if (existsSync(`/proc/${shell}`)) process.kill(shell, "SIGKILL");
    });
    while (!existsSync(state)) await sleep(10);
    const tracer = tracerOf(run.child.pid ?? 0);
    run.child.kill("SIGKILL");
    await once(run.child, "exit");
    await run.hears(/over/);
    await gone(tracer);
    // 56: failure in receiving; or 18, 35, 52, 92: other words of curl for a connection that broke off.
    assert.match(run.said(), /^(18|35|52|56|92) [01]$/m);
    assert.match(run.said(), /broke\n0 1\nover/);
  },
);

test(
  "proxy: a child with another environment is passed through, and not broken",
  { skip: skip() },
  async (t) => {
    const shop = await openShop(t);
    const url = `https://localhost:${shop.port}`;
    const company = shop.environment.SSL_CERT_FILE ?? "";
    const script = `env -i SSL_CERT_FILE=${company} curl -sS ${url}/own; curl -sS ${url}/ours`;
    const run = traceByProxy(t, shop.environment, ["--", "sh", "-c", script]);
    assert.equal(await run.ended, 0, run.said());
    assert.match(run.said(), /0 bytes0 bytes/);
    assert.deepStrictEqual(
      [run.skipped().map(({ reason }) => reason.code), run.exchanges().map(({ request }) => request?.target)],
      [["other-environment"], ["/ours"]],
    );
  },
);

test(
  "proxy: a process that runs and does not trust it is refused, and not touched",
  { skip: skip() },
  async (t) => {
    const shop = await openShop(t);
    const stranger = start(t, "sleep", ["60"]);
    const run = traceByProxy(t, shop.environment, ["--pid", String(stranger.pid)]);
    assert.equal(await run.ended, 3);
    assert.deepStrictEqual(
      run.skipped().map(({ pid, reason }) => [pid, reason.code]),
      [[stranger.pid, "not-trusted"]],
    );
    assert.match(run.said(), /nothing to trace/);
  },
);

test("proxy: a process that an earlier trace started is seen again", { skip: skip() }, async (t) => {
  const shop = await openShop(t);
  const url = `https://localhost:${shop.port}`;
  const kept = join(shop.folder, "environment");
  const first = traceByProxy(t, shop.environment, ["--", "sh", "-c", `env -0 > ${kept}`]);
  assert.equal(await first.ended, 0);
  const given = readFileSync(kept, "utf8")
    .split("\0")
    .filter((line) => line !== "");
  const script = `while [ ! -e ${shop.folder}/go ]; do sleep 0.05; done; curl -sS ${url}/again`;
  const later = start(t, "env", ["-i", ...given, "sh", "-c", script]);
  while (!readFileSync(`/proc/${later.pid}/comm`, "utf8").startsWith("sh")) await setImmediate();
  const run = traceByProxy(t, shop.environment, ["--pid", String(later.pid)]);
  await run.hears(/tracing sh/);
  writeFileSync(join(shop.folder, "go"), "");
  assert.equal(await run.ended, 0, run.said());
  assert.deepStrictEqual(
    run.exchanges().map(({ request }) => request?.target),
    ["/again"],
  );
});

for (const [what, path] of [
  ["proxy", ["--path", "mitm"]],
  ["auto", []],
] as const) {
  test(`${what}: without rights, by HTTPS_PROXY, and it is said`, { skip: skip("setpriv") }, async (t) => {
    const shop = await openShop(t);
    // A copy of the program that nobody may read, wherever this checkout is.
    chmodSync(shop.folder, 0o755);
    const root = join(import.meta.dirname, "../..");
    for (const part of ["bin", "dist", "package.json"]) {
      cpSync(join(root, part), join(shop.folder, part), { recursive: true });
    }
    mkdirSync(join(shop.folder, "state"));
    chownSync(join(shop.folder, "state"), 65_534, 65_534);
    const nobody = {
      prefix: ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
      program: join(shop.folder, "bin/plainsight"),
    };
    // No desktop that would help.
    const environment = { ...shop.environment, DISPLAY: undefined, WAYLAND_DISPLAY: undefined };
    const url = `https://localhost:${shop.port}`;
    const run = trace(t, environment, [...path, "--", "curl", "-sS", `${url}/asked`], nobody);
    assert.equal(await run.ended, 0, run.said());
    assert.match(run.said(), /offered by HTTPS_PROXY, which not every program honours/);
    assert.deepStrictEqual(
      run.exchanges().map(({ command, request }) => [command, request?.target]),
      [["curl", "/asked"]],
    );
  });
}

const withoutCgroup = {
  prefix: ["unshare", "--mount", "sh", "-c", 'umount -Rl /sys/fs/cgroup && exec "$@"', "sh"],
};

test(
  "proxy: where the kernel cannot redirect, by HTTPS_PROXY, and it is said",
  { skip: skip() },
  async (t) => {
    const shop = await openShop(t);
    const url = `https://localhost:${shop.port}/asked`;
    const run = traceByProxy(t, shop.environment, ["--", "curl", "-sS", url], withoutCgroup);
    assert.equal(await run.ended, 0, run.said());
    assert.match(run.said(), /offered by HTTPS_PROXY.*cgroup2 is not mounted \(mount -t cgroup2\)$/m);
    assert.deepStrictEqual(
      run.exchanges().map(({ command, request }) => [command, request?.target]),
      [["curl", "/asked"]],
    );
  },
);

test("proxy: by HTTPS_PROXY, a proxy of the user's own is gone on through", { skip: skip() }, async (t) => {
  const [shop, theirs] = [await openShop(t), await httpProxy(t)];
  const environment = { ...shop.environment, HTTPS_PROXY: `http://127.0.0.1:${theirs.port}` };
  const url = `https://localhost:${shop.port}/asked`;
  const run = traceByProxy(t, environment, ["--", "curl", "-sS", url], withoutCgroup);
  assert.equal(await run.ended, 0, run.said());
  assert.deepStrictEqual(
    [run.exchanges().map(({ request }) => request?.target), theirs.asked],
    [["/asked"], [`localhost:${shop.port}`]],
  );
});

test(
  "proxy: by HTTPS_PROXY, what NO_PROXY names is seen, and reached as it says",
  { skip: skip() },
  async (t) => {
    const [shop, theirs] = [await openShop(t), await httpProxy(t)];
    const own = { HTTPS_PROXY: `http://127.0.0.1:${theirs.port}`, NO_PROXY: "localhost" };
    const url = `https://localhost:${shop.port}/asked`;
    const run = traceByProxy(t, { ...shop.environment, ...own }, ["--", "curl", "-sS", url], withoutCgroup);
    assert.equal(await run.ended, 0, run.said());
    assert.deepStrictEqual(
      [run.exchanges().map(({ request }) => request?.target), theirs.asked],
      [["/asked"], []],
    );
  },
);

test("proxy: by HTTPS_PROXY, a proxy that cannot be gone on through is told", { skip: skip() }, async (t) => {
  const shop = await openShop(t);
  const environment = { ...shop.environment, HTTPS_PROXY: "socks5://127.0.0.1:1080" };
  const run = traceByProxy(t, environment, ["--", "true"], withoutCgroup);
  assert.equal(await run.ended, 3, run.said());
  assert.match(run.said(), /^plainsight: HTTPS_PROXY: socks5:.*run it without that variable/m);
});

test(
  "proxy: where connections are redirected, TLS by way of the user's own proxy is opened",
  { skip: skip() },
  async (t) => {
    const [shop, theirs] = [await openShop(t), await httpProxy(t)];
    const environment = { ...shop.environment, HTTPS_PROXY: `http://127.0.0.1:${theirs.port}` };
    const url = `https://localhost:${shop.port}/asked`;
    const run = traceByProxy(t, environment, ["--", "curl", "-sS", url]);
    assert.equal(await run.ended, 0, run.said());
    assert.deepStrictEqual(
      [run.exchanges().map(({ request }) => request?.target), theirs.asked],
      [["/asked"], [`localhost:${shop.port}`]],
    );
  },
);

test("proxy: a state folder that cannot be made is told, with what to do", { skip: skip() }, async (t) => {
  const shop = await openShop(t);
  writeFileSync(join(shop.folder, "state"), "a file in its place");
  const run = traceByProxy(t, shop.environment, ["--", "true"]);
  assert.equal(await run.ended, 3);
  assert.match(run.said(), /^plainsight: the proxy's authority: ENOTDIR.*XDG_STATE_HOME chooses another\)$/m);
});

for (const [name, args, said] of [
  ["no command", [], /--path mitm needs a command after --/],
  ["a command that is not there", ["--", "no-such-program"], /there is no program "no-such-program"/],
] as const) {
  test(`proxy: ${name} is wrong usage`, { skip: skip() }, async (t) => {
    const shop = await openShop(t);
    const run = traceByProxy(t, shop.environment, [...args]);
    assert.equal(await run.ended, 2);
    assert.match(run.said(), said);
  });
}

test(
  "proxy: a child in another network namespace is named once, for its connections go direct",
  { skip: skipReason("ip", "unshare", "curl") },
  async (t) => {
    const shop = await openShop(t);
    const asks =
      "ip link set lo up; for i in 1 2; do curl -s https://127.0.0.1:9/$i; done; exec curl -s http://127.0.0.1:9/";
    const run = traceByProxy(t, shop.environment, ["--", "unshare", "--net", "sh", "-c", `${asks}; true`]);
    assert.equal(await run.ended, 0, run.said());
    const skipped = run.skipped().map(({ pid, reason }) => `${pid} ${reason.code}`);
    assert.equal(skipped.length, 3, run.said());
    assert.equal(new Set(skipped).size, 3);
    assert.ok(skipped.every((one) => one.endsWith(" other-namespace")));
  },
);
