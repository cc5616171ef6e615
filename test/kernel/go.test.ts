// HTTPS in Go, stripped and position independent: both sides are captured byte for byte, whatever their stacks do.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ExchangeEvent } from "../../src/protocol/traffic.ts";
import { bodyOf } from "../fixtures/bodies.mjs";
import { breakpoints, places, withoutBreakpoints } from "./probes.ts";
import { ask, ended, firstLine, fixtures, makeCertificate, openTrace, skipReason, start } from "./rig.ts";

const connections = 8;
const plan = [
  0,
  1,
  100,
  16_384,
  16_385,
  300_000,
  1_048_576,
  ...Array.from({ length: 33 }, (_, i) => i * 37),
].map((size, seed) => ({ path: `/orders/${seed}?size=${size}`, size, seed }));

/** The fixture as a program without symbols, in a folder that goes with the test. */
function buildGo(t: TestContext, ...options: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-go-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const program = join(folder, "go-https");
  const environment = { ...process.env, GOENV: "off", GOFLAGS: "", GOTOOLCHAIN: "local" };
  execFileSync("go", ["build", "-ldflags", "-s -w", ...options, "-o", program, "."], {
    cwd: join(fixtures, "go-https"),
    env: environment,
    stdio: "inherit",
  });
  return program;
}

/** What one side saw, in an order that does not depend on who was first. */
function outcome(exchanges: ExchangeEvent[]) {
  return exchanges
    .map(({ request, response, state, protocol, connection }) => {
      const planned = plan.find(({ path }) => path === request?.target);
      const body = planned === undefined ? "not planned" : bodyOf(planned.size, planned.seed);
      return {
        target: request?.target,
        // Not the megabytes themselves: a difference would print them.
        sentIntact: (request?.body?.text ?? "") === body,
        receivedIntact: (response?.body?.text ?? "") === body,
        status: response?.status,
        state,
        protocol,
        role: connection.role,
        addresses: connection.local !== null && connection.remote !== null,
      };
    })
    .sort((a, b) => String(a.target).localeCompare(String(b.target)));
}

function expected(protocol: "http/1.1" | "h2", role: "client" | "server") {
  return plan
    .map(({ path }) => ({
      target: path,
      sentIntact: true,
      receivedIntact: true,
      status: 200,
      state: "complete",
      protocol,
      role,
      addresses: true,
    }))
    .sort((a, b) => a.target.localeCompare(b.target));
}

const variants = [
  ["h1", "stripped", []],
  ["h2", "stripped", []],
  ["h1", "PIE, stripped", ["-buildmode=pie"]],
  ["h2", "PIE, stripped", ["-buildmode=pie"]],
  ["raw", "stripped, with goroutines whose stacks grow within the calls", []],
] as const;

for (const [protocol, about, options] of variants) {
  test(
    `go: ${protocol}, ${about}: client and server, byte for byte`,
    { skip: skipReason("go") },
    async (t) => {
      const program = buildGo(t, ...options);
      const { key, cert } = makeCertificate(t);
      const server = start(t, program, ["server", protocol === "h2" ? "h2" : "h1", key, cert]);
      const port = await firstLine(server);
      const client = start(t, program, ["client", protocol, port, String(connections), JSON.stringify(plan)]);
      const trace = await openTrace(t);
      const { skipped } = await trace.session.add([server.pid, client.pid], { followChildren: false });
      assert.deepStrictEqual(skipped, []);
      client.stdin?.write("go\n");
      assert.equal(await ended(client), 0);

      const name = protocol === "h2" ? "h2" : "http/1.1";
      for (const [pid, role] of [
        [client.pid, "client"],
        [server.pid, "server"],
      ] as const) {
        await trace.seen(() => trace.exchanges(pid).length >= plan.length);
        const exchanges = trace.exchanges(pid);
        assert.deepStrictEqual(outcome(exchanges), expected(name, role));
        assert.equal(new Set(exchanges.map(({ connection }) => connection.id)).size, connections);
      }
      assert.deepStrictEqual(
        trace.events.filter(({ type }) => type === "lost"),
        [],
      );
    },
  );
}

test(
  "go: a server is traced as it runs, whose program was built anew since it began",
  { skip: skipReason("go") },
  async (t) => {
    const program = buildGo(t);
    const { key, cert } = makeCertificate(t);
    const server = start(t, program, ["server", "h1", key, cert]);
    const port = await firstLine(server);
    rmSync(program);
    writeFileSync(program, "another");
    const trace = await openTrace(t);
    const { skipped } = await trace.session.add([server.pid], { followChildren: false });
    assert.deepStrictEqual(skipped, []);
    await ask(port, "/orders/1?size=1");
    await trace.seen(() => trace.exchanges(server.pid).length > 0);
  },
);

test(
  "go: the probes go with the trace, and none is a return probe",
  { skip: skipReason("go") },
  async (t) => {
    const program = buildGo(t);
    const { key, cert } = makeCertificate(t);
    const server = start(t, program, ["server", "h1", key, cert]);
    await firstLine(server);
    const trace = await openTrace(t);
    await trace.session.add([server.pid], { followChildren: false });
    const where = places(server.pid);
    assert.ok(breakpoints(server.pid, where).length >= 4, "probes are there");
    await trace.session.remove([server.pid]);
    await withoutBreakpoints(server.pid, where);
  },
);
