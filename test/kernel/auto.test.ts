// `plainsight trace` without --path: each process by the best path that works, and it says which.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { runtimes } from "../../scripts/runtimes.mjs";
import { listening } from "../analyzer/network/proxy-rig.ts";
import { buildGoAsk } from "./go-ask.ts";
import { openShop, trace } from "./proxy-run.ts";
import { fixtures, skipReason } from "./rig.ts";

const needsBun = existsSync(runtimes.bun) ? [] : [runtimes.bun];
const asks = (port: number): string => `
  for (let i = 0; i < 100; i++) {
    const url = "https://localhost:${port}/" + i;
    await fetch(url, { method: "POST", body: "1234", headers: { connection: "close" } }).then((r) => r.text());
    console.log("asked");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }`;

test(
  "auto: a program that probes cannot reach is started through the proxy",
  { skip: skipReason(...needsBun) },
  async (t) => {
    const shop = await openShop(t);
    const ask = `console.log(await (await fetch("https://localhost:${shop.port}/", { method: "POST", body: "12" })).text())`;
    const run = trace(t, shop.environment, ["--", runtimes.bun, "-e", ask]);
    assert.equal(await run.ended, 0, run.said());
    assert.match(run.said(), /^through the local proxy: bun: BoringSSL without symbols/m);
    assert.deepStrictEqual(
      run.exchanges().map(({ path, request, response }) => [path, request?.bodySize, response?.body?.text]),
      [["mitm", 2, "2 bytes"]],
    );
  },
);

test(
  "auto: what a script starts is opened by the proxy where probes do not reach it, else by probes, and nothing twice",
  { skip: skipReason("java", "javac", "curl") },
  async (t) => {
    const shop = await openShop(t);
    const url = `https://localhost:${shop.port}/echo`;
    execFileSync("javac", ["-d", shop.folder, join(fixtures, "Ask.java")], { stdio: "inherit" });
    const body = join(shop.folder, "body");
    writeFileSync(body, "a body");
    const script = join(shop.folder, "both.sh");
    const java = `java -XX:TieredStopAtLevel=1 -cp ${shop.folder} Ask ${url} ${body}`;
    writeFileSync(script, `#!/bin/sh\n${java}\ncurl -s -d "from curl" ${url}\nexit 0\n`);
    chmodSync(script, 0o755);
    const run = trace(t, shop.environment, ["--", script]);
    assert.equal(await run.ended, 0, run.said());
    assert.deepStrictEqual(
      run.exchanges().map(({ command, path, request }) => [command, path, request?.body?.text]),
      [
        ["java", "mitm", "a body"],
        ["curl", "uprobe", "from curl"],
      ],
    );
    const said = run.said().match(/^java \d+: .*$/gm) ?? [];
    assert.equal(said.length, 1, run.said());
    assert.match(said.join("\n"), /: through the local proxy from now on: Java's own TLS [^:]*$/);
    assert.match(run.said(), /^the command's environment adds the local proxy's authority/m);
    const summary = run.events().at(-1);
    assert.ok(summary?.type === "summary");
    assert.equal(summary.exchanges, 2);
  },
);

const single = (url: string): string =>
  `console.log(await (await fetch("${url}", { method: "POST", body: "12" })).text())`;

test(
  "auto: the first words of a child that probes do not reach are opened",
  { skip: skipReason(...needsBun) },
  async (t) => {
    const shop = await openShop(t);
    const ask = single(`https://localhost:${shop.port}/`);
    const run = trace(t, shop.environment, [
      "--",
      "sh",
      "-c",
      '"$0" -e "$1"; "$0" -e "$1"',
      runtimes.bun,
      ask,
    ]);
    assert.equal(await run.ended, 0, run.said());
    assert.deepStrictEqual(
      run.exchanges().map(({ command, path, connection }) => [command, path, connection.remote]),
      Array(2).fill(["bun", "mitm", `127.0.0.1:${shop.port}`]),
    );
  },
);

test(
  "auto: the first words of a child that nobody has seen before are told by probes, with where they went",
  { skip: skipReason("go") },
  async (t) => {
    const shop = await openShop(t);
    const program = buildGoAsk(shop.folder);
    const file = join(shop.folder, "said");
    writeFileSync(file, "12 shoes");
    const ask = `${program} https://localhost:${shop.port}/echo ${file}`;
    const run = trace(t, shop.environment, ["--", "sh", "-c", `${ask}; ${ask}`]);
    assert.equal(await run.ended, 0, run.said());
    assert.deepStrictEqual(
      run
        .exchanges()
        .map(({ path, connection, request, response }) => [
          path,
          connection.remote,
          request?.body?.text,
          response?.body?.text,
        ]),
      Array(2).fill(["uprobe", `127.0.0.1:${shop.port}`, "12 shoes", "12 shoes"]),
    );
    assert.deepStrictEqual(run.skipped(), []);
  },
);

test(
  "auto: what a child says first without TLS, or where the server speaks first, comes through as it is",
  { skip: skipReason(...needsBun) },
  async (t) => {
    const shop = await openShop(t);
    const greeting = net.createServer((socket) => socket.end("220 here\n"));
    const plain = http.createServer((_, response) => response.end("plain"));
    const [greets, answers] = [await listening(t, greeting), await listening(t, plain)];
    const ask = `
      const socket = require("node:net").connect(${greets}, "127.0.0.1");
      socket.on("data", (bytes) => console.error("heard " + bytes));
      fetch("http://127.0.0.1:${answers}/").then((r) => r.text()).then((text) => console.error("heard " + text));
      require("node:net").connect(1, "127.0.0.1").on("error", ({ code }) => console.error("heard " + code));`;
    const run = trace(t, shop.environment, ["--", "sh", "-c", '"$0" -e "$1"; true', runtimes.bun, ask]);
    assert.equal(await run.ended, 0, run.said());
    assert.deepStrictEqual((run.said().match(/^heard .*/gm) ?? []).sort(), [
      "heard 220 here",
      "heard ECONNREFUSED",
      "heard plain",
    ]);
  },
);

test(
  "auto: a child whose environment was replaced shows names and sizes, and why",
  { skip: skipReason(...needsBun) },
  async (t) => {
    const shop = await openShop(t);
    const company = shop.environment.NODE_EXTRA_CA_CERTS ?? "";
    const script = asks(shop.port).replace("100;", "30;");
    const command = [
      "sh",
      "-c",
      'env -i NODE_EXTRA_CA_CERTS="$0" "$@"; true',
      company,
      runtimes.bun,
      "-e",
      script,
    ];
    const run = trace(t, shop.environment, ["--", ...command]);
    assert.equal(await run.ended, 0, run.said());
    const said = run.said().match(/^bun \d+: names and sizes only: .*$/gm) ?? [];
    assert.equal(said.length, 1, run.said());
    assert.match(
      said.join("\n"),
      /; not through the local proxy: the program's environment does not show that it trusts the proxy/,
    );
    const names = run.events().flatMap((event) => (event.type === "hello" ? [event.serverName] : []));
    assert.deepStrictEqual(new Set(names), new Set(["localhost"]));
    assert.deepStrictEqual(run.exchanges(), []);
  },
);

test(
  "auto: the tracer killed while only names are seen ends the trace, with the reason",
  { skip: skipReason(...needsBun) },
  async (t) => {
    const shop = await openShop(t);
    const bun = spawn(runtimes.bun, ["-e", asks(shop.port)], { env: shop.environment, stdio: "ignore" });
    t.after(() => bun.kill());
    const run = trace(t, shop.environment, ["--pid", String(bun.pid)]);
    await run.hears(/names and sizes only/);
    const children = readFileSync(`/proc/${run.child.pid}/task/${run.child.pid}/children`, "utf8");
    const tracers = children.trim().split(" ").map(Number);
    assert.equal(tracers.length, 1);
    for (const pid of tracers) process.kill(pid, "SIGKILL");
    assert.equal(await run.ended, 3, run.said());
    assert.match(run.said(), /^plainsight: .*tracer/m);
  },
);

test("auto: a program that probes reach is probed", { skip: skipReason("curl") }, async (t) => {
  const shop = await openShop(t);
  const url = `https://localhost:${shop.port}/`;
  const run = trace(t, shop.environment, ["--", "curl", "-sk", url]);
  assert.equal(await run.ended, 0, run.said());
  assert.deepStrictEqual(
    run.exchanges().map(({ path, response }) => [path, response?.body?.text]),
    [["uprobe", "0 bytes"]],
  );
});

test(
  "auto: a running process that probes cannot reach shows whom it talks to, beside one that is probed",
  { skip: skipReason(...needsBun) },
  async (t) => {
    const shop = await openShop(t);
    const [bun, node] = [
      [runtimes.bun, "-e"],
      [process.execPath, "--input-type=module", "-e"],
    ].map(([program = "", ...args]) => {
      const child = spawn(program, [...args, asks(shop.port)], { env: shop.environment, stdio: "ignore" });
      t.after(() => child.kill());
      return child;
    });
    assert.ok(bun?.pid !== undefined && node?.pid !== undefined);
    const args = ["--duration", "2s", "--pid", `${bun.pid},${node.pid}`];
    const run = trace(t, shop.environment, args);
    assert.equal(await run.ended, 0, run.said());
    assert.match(run.said(), /^bun \d+: names and sizes only: BoringSSL without symbols/m);
    const hellos = run.events().filter((event) => event.type === "hello");
    assert.ok(hellos.length > 0);
    for (const { pid, serverName } of hellos)
      assert.deepStrictEqual([pid, serverName], [bun.pid, "localhost"]);
    const exchanges = run.exchanges();
    assert.ok(exchanges.length > 0);
    for (const { pid, path } of exchanges) assert.deepStrictEqual([pid, path], [node.pid, "uprobe"]);
  },
);
