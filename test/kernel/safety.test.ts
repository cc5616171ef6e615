// The traced process is never harmed: whoever dies, in whatever order, no breakpoint stays and the others go on; what
// could not be kept is counted and shown, never passed over.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Problem } from "../../src/protocol/editor.ts";
import { bodyOf } from "../fixtures/bodies.mjs";
import { breakpoints, places, plans, withoutBreakpoints } from "./probes.ts";
import {
  ask,
  ended,
  gone,
  makeCertificate,
  openTrace,
  skipReason,
  start,
  startEchoServer,
  tracerOf,
} from "./rig.ts";
import { startTracer } from "./tracer-process.ts";

/** Functions of the echo server that every trace probes; there may be more. */
function assertProbed(names: string[]): void {
  assert.ok(names.includes("SSL_read") && names.includes("SSL_write"), `probed: ${names.join(", ")}`);
}

test("a tracer that is killed in the middle of traffic leaves nothing", { skip: skipReason() }, async (t) => {
  const server = await startEchoServer(t, "h1");
  let tell: (problem: Problem) => void = () => undefined;
  const told = new Promise<Problem>((resolve) => (tell = resolve));
  const trace = await openTrace(t, { onEnded: tell });
  const where = places(server.pid);
  assert.deepStrictEqual(breakpoints(server.pid, where), []);
  await trace.session.add([server.pid], { followChildren: false });
  assertProbed(breakpoints(server.pid, where));
  const traffic = Array.from({ length: 20 }, (_, i) => ask(server.port, `/${i}?answer=100000&seed=${i}`));
  await trace.seen(({ type }) => type === "exchange");
  process.kill(tracerOf(process.pid), "SIGKILL");
  const { code, text } = await told;
  assert.deepStrictEqual([code, text], ["tracer-ended", "the tracer exited with SIGKILL"]);
  await withoutBreakpoints(server.pid, where);
  assert.deepStrictEqual(
    await Promise.all(traffic),
    traffic.map((_, i) => bodyOf(100_000, i)),
  );
  assert.equal(await ask(server.port, "/after", "still here"), "still here");
});

const blockedReader = `
import socket, ssl, sys
raw = socket.create_connection(("localhost", int(sys.argv[1])))
tls = ssl._create_unverified_context().wrap_socket(raw, server_hostname="localhost")
sys.stdin.readline()
tls.sendall(b"GET /blocked HTTP/1.1\\r\\nhost: x\\r\\nconnection: keep-alive\\r\\n\\r\\n")
while True:
    tls.recv(65536)
`;

/** Resolves once the process waits in read(2), system call 0 of x86-64: within SSL_read, for it reads nothing else. */
async function blockedInRead(pid: number): Promise<void> {
  for (let tries = 0; !readFileSync(`/proc/${pid}/syscall`, "utf8").startsWith("0 "); tries++) {
    assert.ok(tries < 1000, "it does not wait in read");
    await sleep(10);
  }
}

test(
  "a target that is killed in SSL_read leaves the tracer well",
  { skip: skipReason("python3") },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const client = start(t, "/usr/bin/python3", ["-c", blockedReader, server.port]);
    const trace = await openTrace(t);
    assert.deepStrictEqual(
      (await trace.session.add([client.pid, server.pid], { followChildren: false })).skipped,
      [],
    );
    client.stdin?.write("go\n");
    await trace.seen(
      (event) => event.type === "exchange" && event.pid === client.pid && event.state === "complete",
    );
    await blockedInRead(client.pid);
    client.kill("SIGKILL");
    await trace.seen((event) => event.type === "exited" && event.pid === client.pid);
    await ask(server.port, "/after");
    await trace.seen(() => trace.exchanges(server.pid).some(({ request }) => request?.target === "/after"));
    assert.deepStrictEqual(trace.session.traced, [{ pid: server.pid, command: "node" }]);
  },
);

test("a tracer whose input closes exits, and its probes are gone", { skip: skipReason() }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const where = places(server.pid);
  const tracer = startTracer(t);
  await tracer.call({ type: "open", ringBytes: 1024 * 1024, features: {} });
  const [plan] = plans(server.pid);
  assert.ok(plan);
  const answer = await tracer.call({ type: "attach", plan });
  assert.equal(answer.type, "attached");
  assertProbed(breakpoints(server.pid, where));
  const startedMs = performance.now();
  tracer.child.stdin.end();
  assert.deepStrictEqual(await tracer.ended, { status: 0, said: "" });
  assert.ok(performance.now() - startedMs < 3000);
  await withoutBreakpoints(server.pid, where);
});

test("an analyzer that is killed takes its tracer along", { skip: skipReason() }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const where = places(server.pid);
  const program = join(import.meta.dirname, "../../bin/plainsight");
  const analyzer = spawn(process.execPath, [program, "trace", "--json", "--pid", String(server.pid)]);
  t.after(() => analyzer.kill("SIGKILL"));
  await once(analyzer.stdout, "data"); // the attached event
  assertProbed(breakpoints(server.pid, where));
  const tracer = tracerOf(analyzer.pid ?? 0);
  analyzer.kill("SIGKILL");
  await gone(tracer);
  await withoutBreakpoints(server.pid, where);
  assert.equal(await ask(server.port, "/after", "still here"), "still here");
});

test("what is no longer traced has no breakpoint", { skip: skipReason() }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const where = places(server.pid);
  for (const followChildren of [false, true]) {
    const trace = await openTrace(t);
    await trace.session.add([server.pid], { followChildren });
    assertProbed(breakpoints(server.pid, where));
    await trace.session.remove([server.pid]);
    await withoutBreakpoints(server.pid, where);
    await ask(server.port, "/unseen");
    await trace.session.add([server.pid], { followChildren });
    await ask(server.port, "/seen");
    await trace.seen(() => trace.exchanges().length > 0);
    const targets = trace.exchanges().map(({ request }) => request?.target);
    assert.deepStrictEqual(targets, ["/seen"]);
    await trace.session.close();
    await withoutBreakpoints(server.pid, where);
  }
});

test(
  "a process keeps its probes when the one whose children are followed goes",
  { skip: skipReason() },
  async (t) => {
    const [followed, other] = await Promise.all([startEchoServer(t, "h1"), startEchoServer(t, "h1")]);
    const trace = await openTrace(t);
    await trace.session.add([followed.pid], { followChildren: true });
    await trace.session.add([other.pid], { followChildren: false });
    await trace.session.remove([followed.pid]);
    await ask(other.port, "/seen");
    await trace.seen(() => trace.exchanges(other.pid).length === 1);
  },
);

test("a plan that does not fit the file is refused whole", { skip: skipReason() }, async (t) => {
  const server = await startEchoServer(t, "h1");
  const where = places(server.pid);
  const [good] = plans(server.pid);
  assert.ok(good);
  const tracer = startTracer(t);
  await tracer.call({ type: "open", ringBytes: 1024 * 1024, features: {} });
  const last = good.points.at(-1);
  assert.ok(last);
  const withLast = (change: Partial<typeof last>) => ({
    ...good,
    points: [...good.points.slice(0, -1), { ...last, ...change }],
  });
  const other = Buffer.from(last.expectedBytes, "hex").reverse().toString("hex");
  for (const [plan, code] of [
    [withLast({ fileOffset: last.fileOffset + 1 }), "bytes-differ"],
    [withLast({ fileOffset: last.fileOffset + 4096 }), "bytes-differ"],
    [withLast({ fileOffset: 2 ** 40 }), "bytes-differ"],
    [withLast({ expectedBytes: other }), "bytes-differ"],
    [{ ...good, inode: good.inode + 1, range: null }, "file-gone"],
    [{ ...good, path: "/usr/lib/no-such-file", range: null }, "file-gone"],
    [{ ...good, pid: 4_194_304 }, "file-gone"],
  ] as const) {
    const answer = await tracer.call({ type: "attach", plan });
    assert.equal(answer.type === "failed" ? answer.reason.code : answer.type, code);
    assert.deepStrictEqual(breakpoints(server.pid, where), []);
  }
});

test(
  "a ring that is too small: what is lost is counted, what is complete is whole",
  { skip: skipReason() },
  async (t) => {
    const server = await startEchoServer(t, "h1");
    const trace = await openTrace(t, { ringBytes: 64 * 1024 });
    await trace.session.add([server.pid], { followChildren: false });
    const sizes = [10, 300_000, 20, 300_000, 30];
    const lost = () => trace.events.filter((event) => event.type === "lost");
    for (const [seed, size] of sizes.entries()) {
      const [lostBefore, seenBefore] = [lost().length, trace.exchanges().length];
      assert.equal(await ask(server.port, `/${seed}?answer=${size}&seed=${seed}`), bodyOf(size, seed));
      // Either is told once the ring is empty again.
      await trace.seen(() =>
        size > 64 * 1024 ? lost().length > lostBefore : trace.exchanges().length > seenBefore,
      );
    }
    const summary = await trace.session.close();
    assert.deepStrictEqual(new Set(lost().map(({ reason }) => reason)), new Set(["ring-buffer-full"]));
    assert.equal(
      lost().reduce((sum, { records }) => sum + records, 0),
      summary.lost,
    );
    const seen = trace.exchanges().map(({ request, response, state }) => {
      const seed = Number(/\d+/.exec(request?.target ?? "")?.[0]);
      const whole =
        response?.bodySize === sizes[seed] && response?.body?.text === bodyOf(sizes[seed] ?? 0, seed);
      return { seed, state, whole };
    });
    const bytesLost = lost().reduce((sum, { bytes }) => sum + bytes, 0);
    assert.ok(bytesLost > 0 && bytesLost < 600_000, String(bytesLost));
    assert.deepStrictEqual(
      seen.sort((a, b) => a.seed - b.seed),
      sizes.map((size, seed) => ({
        seed,
        state: size < 1000 ? "complete" : "incomplete",
        whole: size < 1000,
      })),
    );
  },
);

const mappedSender = `
import mmap, socket, ssl, sys
raw = socket.create_connection(("localhost", int(sys.argv[1])))
tls = ssl._create_unverified_context().wrap_socket(raw, server_hostname="localhost")
with open(sys.argv[2], "rb") as file:
    body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
sys.stdin.readline()
tls.sendall(f"POST /mapped?answer=0&seed=0 HTTP/1.1\\r\\nhost: x\\r\\ncontent-length: {len(body)}\\r\\n\\r\\n".encode())
tls.sendall(body)
tls.recv(65536)
`;

test(
  "a body in a mapped file, never touched before, arrives whole",
  { skip: skipReason("python3") },
  async (t) => {
    const { key } = makeCertificate(t);
    const body = join(dirname(key), "body.txt");
    writeFileSync(body, bodyOf(1_048_576, 5));
    const server = await startEchoServer(t, "h1");
    const client = start(t, "/usr/bin/python3", ["-c", mappedSender, server.port, body]);
    const trace = await openTrace(t);
    assert.deepStrictEqual((await trace.session.add([client.pid], { followChildren: false })).skipped, []);
    client.stdin?.write("go\n");
    assert.equal(await ended(client), 0);
    await trace.seen(() => trace.exchanges(client.pid).length === 1);
    const [exchange] = trace.exchanges(client.pid);
    assert.equal(exchange?.request?.bodySize, 1_048_576);
    assert.ok(exchange.request.body?.text === bodyOf(1_048_576, 5), "the body is what was sent");
  },
);
