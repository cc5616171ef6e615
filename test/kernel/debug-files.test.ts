// A stripped program with OpenSSL linked in is captured by the symbols of its separate debug file, and is left alone
// where that file is another's.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { Scanner } from "../../src/analyzer/scan.ts";
import { ended, fixtures, openTrace, skipReason, start, startEchoServer } from "./rig.ts";
import { staticOpenssl } from "./static-openssl.ts";

const skip = skipReason("cc", "objcopy", "pkg-config");

interface Built {
  program: string;
  /** All symbols, with the build id of the program. */
  symbols: string;
}

/** @param linkerOptions `-Wl,--build-id=none` leaves the checksum of the link as the only bond */
function build(t: TestContext, ...linkerOptions: string[]): Built {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-debug-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const [program, symbols] = [join(folder, "static-client"), join(folder, "whole.debug")];
  const source = join(fixtures, "static-client.c");
  execFileSync("cc", ["-O2", source, "-o", program, ...linkerOptions, ...staticOpenssl()], {
    stdio: "inherit",
  });
  execFileSync("objcopy", ["--only-keep-debug", program, symbols]);
  execFileSync("strip", [program]);
  return { program, symbols };
}

const link = ({ program }: Built, file: string) => {
  execFileSync("objcopy", [`--add-gnu-debuglink=${file}`, program]);
};

/** The first stack of the running program, and how it was captured. */
async function runTraced(t: TestContext, program: string) {
  const server = await startEchoServer(t, "h1");
  const client = start(t, program, [server.port]);
  const scanned = new Scanner().scanProcess(client.pid);
  assert.ok("process" in scanned);
  const trace = await openTrace(t);
  const { skipped } = await trace.session.add([client.pid], { followChildren: false });
  client.stdin?.end("go\n");
  assert.equal(await ended(client), 0);
  if (skipped.length === 0) await trace.seen(() => trace.exchanges(client.pid).length === 1);
  return { report: scanned.process.report, exchange: trace.exchanges(client.pid)[0], skipped };
}

const captured = (exchange: Awaited<ReturnType<typeof runTraced>>["exchange"]) => [
  exchange?.request?.target,
  exchange?.request?.body?.text,
  exchange?.response?.body?.text,
];
const whole = ["/static", "b".repeat(20_000), "b".repeat(20_000)];

test("debug files: found by the debug link, with the build id", { skip }, async (t) => {
  const built = build(t);
  link(built, built.symbols);
  const { report, exchange } = await runTraced(t, built.program);
  assert.deepStrictEqual(
    [report.class, report.verdict, report.reason.code, report.stacks[0]?.symbols],
    ["static-openssl", "traceable", "debug-file-symbols", "debug-file"],
  );
  assert.ok(
    report.stacks[0]?.evidence.some((line) => line.startsWith(`SSL_write in ${built.symbols} at 0x`)),
  );
  assert.deepStrictEqual(captured(exchange), whole);
});

test("debug files: found by the debug link's checksum where there is no build id", { skip }, async (t) => {
  const built = build(t, "-Wl,--build-id=none");
  link(built, built.symbols);
  const { report, exchange } = await runTraced(t, built.program);
  assert.equal(report.stacks[0]?.symbols, "debug-file");
  assert.deepStrictEqual(captured(exchange), whole);
});

test("debug files: found by the build id alone", { skip }, async (t) => {
  const built = build(t);
  const id =
    /Build ID: (\w+)/.exec(execFileSync("readelf", ["-n", built.program], { encoding: "utf8" }))?.[1] ?? "";
  const folder = join("/usr/lib/debug/.build-id", id.slice(0, 2));
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${id.slice(2)}.debug`);
  t.after(() => {
    rmSync(path);
  });
  copyFileSync(built.symbols, path);
  const { report, exchange } = await runTraced(t, built.program);
  assert.equal(report.stacks[0]?.symbols, "debug-file");
  assert.deepStrictEqual(captured(exchange), whole);
});

test("debug files: one of another build is refused, and nothing is probed", { skip }, async (t) => {
  const [built, other] = [build(t), build(t, "-Wl,--build-id=0x0123456789abcdef")];
  link(built, built.symbols);
  copyFileSync(other.symbols, built.symbols);
  const { report, skipped } = await runTraced(t, built.program);
  assert.deepStrictEqual([report.verdict, report.reason.code], ["proxy", "no-symbols"]);
  assert.match(
    report.stacks[0]?.evidence.join("\n") ?? "",
    /whole\.debug is not used: its build id is another/,
  );
  assert.equal(skipped[0]?.reason.code, "no-symbols");
});

test("debug files: one that was changed after it was linked is refused", { skip }, async (t) => {
  const built = build(t, "-Wl,--build-id=none");
  link(built, built.symbols);
  writeFileSync(built.symbols, Buffer.concat([readFileSync(built.symbols), Buffer.from("x")]));
  const { report, skipped } = await runTraced(t, built.program);
  assert.match(report.stacks[0]?.evidence.join("\n") ?? "", /its checksum is not that of the debug link/);
  assert.equal(skipped[0]?.reason.code, "no-symbols");
});

test("debug files: one that is cut short is refused or gives what is whole in it", { skip }, async (t) => {
  const built = build(t);
  link(built, built.symbols);
  const bytes = readFileSync(built.symbols);
  for (const share of [0, 0.001, 0.5]) {
    writeFileSync(built.symbols, bytes.subarray(0, Math.floor(bytes.length * share)));
    const { report } = await runTraced(t, built.program);
    assert.equal(report.reason.code, "no-symbols");
  }
});
