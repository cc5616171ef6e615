// `plainsight trace` without --path: each process by the best path that works, and it says which.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { runtimes } from "../../scripts/runtimes.mjs";
import { openShop, trace } from "./proxy-run.ts";
import { skipReason } from "./rig.ts";

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
