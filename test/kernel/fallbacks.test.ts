// Older kernels: with each feature withheld that newer ones offer, the same bytes are captured.
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, test } from "node:test";
import type { TracerFeatures } from "../../src/tracer/messages.ts";
import { bodyOf } from "../fixtures/bodies.mjs";
import { breakpoints, places, withoutBreakpoints } from "./probes.ts";
import { ended, fixtures, openTrace, skipReason, start, startEchoServer } from "./rig.ts";

const plan = [0, 1, 255, 256, 257, 4096, 4097, 32_768, 32_769, 300_000, 1_048_576].map((size, seed) => ({
  path: `/${seed}`,
  size,
  seed,
}));

const kernels: [string, Partial<TracerFeatures>][] = [
  ["6.10 to 6.15", { uprobeMulti: true, sleepable: true, copyIntoDynptr: false }],
  ["6.0 to 6.9", { uprobeMulti: false, sleepable: true, copyIntoDynptr: false }],
  ["5.19", { uprobeMulti: false, sleepable: false, copyIntoDynptr: false }],
  ["any that refuses sleepable programs", { sleepable: false }],
];

// Side by side: attaching and detaching single probes is waiting, mostly.
describe("without what newer kernels offer", { concurrency: true }, () => {
  for (const [name, features] of kernels) {
    const without = Object.keys(features).filter((key) => features[key as keyof TracerFeatures] === false);
    test(`Linux ${name}: without ${without.join(", ")}`, { skip: skipReason("python3") }, async (t) => {
      const server = await startEchoServer(t, "h1");
      const client = start(t, "/usr/bin/python3", [
        join(fixtures, "client.py"),
        server.port,
        "2",
        JSON.stringify(plan),
      ]);
      const trace = await openTrace(t, { features });
      // One through its own executable, the other through a library that it loads later.
      assert.deepStrictEqual(
        (await trace.session.add([server.pid, client.pid], { followChildren: false })).skipped,
        [],
      );
      client.stdin?.write("go\n");
      assert.equal(await ended(client), 0);
      for (const pid of [server.pid, client.pid]) {
        await trace.seen(() => trace.exchanges(pid).length >= plan.length);
        const seen = trace.exchanges(pid).map(({ request, response, state }) => {
          const { size, seed } = plan.find(({ path }) => path === request?.target) ?? { size: -1, seed: -1 };
          const body = bodyOf(size, seed);
          const intact = (request?.body?.text ?? "") === body && (response?.body?.text ?? "") === body;
          return { size: request?.bodySize, answered: response?.bodySize, intact, state };
        });
        assert.deepStrictEqual(
          seen.sort((a, b) => (a.size ?? 0) - (b.size ?? 0)),
          plan.map(({ size }) => ({ size, answered: size, intact: true, state: "complete" })),
        );
      }
      assert.deepStrictEqual(
        trace.events.filter(({ type }) => type === "lost"),
        [],
      );
      const where = places(server.pid);
      assert.ok(breakpoints(server.pid, where).includes("SSL_write"));
      await trace.session.close();
      await withoutBreakpoints(server.pid, where);
    });
  }
});
