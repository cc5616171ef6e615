// What is decrypted and what the network tells of the same connection, in one trace: each names the other, at both ends.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { runtimes } from "../../scripts/runtimes.mjs";
import type { ConnectionEvent, HelloEvent } from "../../src/protocol/traffic.ts";
import { buildGoAsk } from "./go-ask.ts";
import { openShop, trace, type ProxyRun } from "./proxy-run.ts";
import { skipReason } from "./rig.ts";

const hellosOf = (run: ProxyRun) =>
  run.events().filter((event): event is HelloEvent => event.type === "hello");
const endsOf = (run: ProxyRun) =>
  run.events().filter((event): event is ConnectionEvent => event.type === "connection");

/** Each exchange names its hello, and the end of that hello's connection names the exchange's. */
function assertTied(run: ProxyRun, count: number): void {
  const [hellos, ends, exchanges] = [hellosOf(run), endsOf(run), run.exchanges()];
  assert.equal(exchanges.length, count, run.said());
  assert.equal(hellos.length, count);
  for (const { connection, pid } of exchanges) {
    const hello = hellos.find(({ id }) => id === connection.hello);
    const end = ends.find(({ id }) => id === connection.hello);
    assert.deepStrictEqual(
      [hello?.pid, hello?.connection.local, end?.decrypted, connection.serverName],
      [pid, connection.local, connection.id, "localhost"],
    );
    assert.ok((end?.bytesIn ?? 0) > 0 && (end?.bytesOut ?? 0) > 0);
  }
}

test("hellos: curl's exchanges, each of a connection of its own", { skip: skipReason("curl") }, async (t) => {
  const shop = await openShop(t);
  const urls = Array.from({ length: 5 }, (_, i) => `https://localhost:${shop.port}/${i}`);
  const ask = `for url in ${urls.join(" ")}; do curl -sk "$url"; done`;
  const run = trace(t, shop.environment, ["--hellos", "--", "sh", "-c", ask]);
  assert.equal(await run.ended, 0, run.said());
  assertTied(run, urls.length);
});

test(
  "hellos: Go's exchange has the server's name, which its TLS does not tell",
  { skip: skipReason("go") },
  async (t) => {
    const shop = await openShop(t);
    const [program, file] = [buildGoAsk(shop.folder), join(shop.folder, "said")];
    writeFileSync(file, "12 shoes");
    const asks = ["--", program, `https://localhost:${shop.port}/echo`, file];
    const alone = trace(t, shop.environment, asks);
    assert.equal(await alone.ended, 0, alone.said());
    assert.deepStrictEqual(
      alone.exchanges().map(({ connection }) => [connection.serverName, connection.hello]),
      [[null, undefined]],
    );
    const run = trace(t, shop.environment, ["--hellos", ...asks]);
    assert.equal(await run.ended, 0, run.said());
    assertTied(run, 1);
  },
);

const needsBun = existsSync(runtimes.bun) ? [] : [runtimes.bun];

test(
  "hellos: a client that no probe reaches is told to be decrypted where its server is",
  { skip: skipReason(...needsBun) },
  async (t) => {
    const shop = await openShop(t);
    const asks = `for (;;) {
      const options = { method: "POST", body: "1234", headers: { connection: "close" } };
      await fetch("https://localhost:${shop.port}/", options).then((answer) => answer.text());
      await new Promise((resolve) => setTimeout(resolve, 100));
    }`;
    const bun = spawn(runtimes.bun, ["-e", asks], { env: shop.environment, stdio: "ignore" });
    t.after(() => bun.kill());
    // The server is this process.
    const args = ["--duration", "3s", "--pid", `${bun.pid ?? 0},${process.pid}`];
    const run = trace(t, shop.environment, args);
    assert.equal(await run.ended, 0, run.said());
    const ends = endsOf(run).filter(({ state }) => state === "closed");
    const ofServer = new Map(
      run.exchanges().map(({ pid, connection }) => [connection.id, { pid, connection }]),
    );
    assert.ok(ends.length > 0, run.said());
    for (const { id, pid, decrypted } of ends) {
      const there = ofServer.get(decrypted ?? "");
      assert.deepStrictEqual([pid, there?.pid, there?.connection.hello], [bun.pid, process.pid, id]);
    }
  },
);
