// A container of another C library: a root laid out as Alpine's, with musl alone, and with an OpenSSL built for musl at
// the very path where the host has its own. And libraries that are loaded late there, which musl's linker tells of, by
// whatever path it is reached.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { muslOpenssl } from "../../scripts/musl-openssl.mjs";
import { ProcessTable } from "../../src/analyzer/processes/process-table.ts";
import { Scanner } from "../../src/analyzer/scan.ts";
import { buildIdOf, isolatedPid, makeFolder, startIsolated } from "./isolated.ts";
import { ended, firstLine, fixtures, openTrace, skipReason, startEchoServer } from "./rig.ts";

const hostLibssl = "/usr/lib/x86_64-linux-gnu/libssl.so.3";
const muslLinker = "/lib/ld-musl-x86_64.so.1";

type Layout = "alpine" | "debian";

/**
 * @param layout whether musl's linker is a file, as Alpine has it, or a link to the C library, as Debian and Void do
 * @param libssl where the library is to be
 */
function makeMuslRoot(t: TestContext, layout: Layout, libssl: string): string {
  const root = makeFolder(t);
  for (const folder of ["/lib", "/etc", dirname(libssl)]) mkdirSync(join(root, folder), { recursive: true });
  const libc = layout === "alpine" ? muslLinker : "/usr/lib/x86_64-linux-musl/libc.so";
  mkdirSync(join(root, dirname(libc)), { recursive: true });
  cpSync(realpathSync(muslLinker), join(root, libc));
  if (libc !== muslLinker) symlinkSync(libc, join(root, muslLinker));
  symlinkSync("ld-musl-x86_64.so.1", join(root, "/lib/libc.musl-x86_64.so.1"));
  // Its libcrypto is known to it by the name that the wheel gave it.
  const libcrypto = join(dirname(libssl), muslOpenssl.libcrypto.split("/").at(-1) ?? "");
  cpSync(muslOpenssl.libssl, join(root, libssl));
  cpSync(muslOpenssl.libcrypto, join(root, libcrypto));
  writeFileSync(join(root, "/etc/ld-musl-x86_64.path"), `/lib:${dirname(libssl)}\n`);
  execFileSync("musl-gcc", ["-O2", join(fixtures, "late-client.c"), "-o", join(root, "client")]);
  return root;
}

/** As `0x…`; where code is loaded in one piece from the file's beginning it is the offset in the file, too. */
function addressOf(path: string, name: string): string {
  const symbols = execFileSync("readelf", ["-W", "--dyn-syms", path], { encoding: "utf8" });
  const address = new RegExp(`: 0*([0-9a-f]+) .* ${name}(?:@|$)`, "m").exec(symbols)?.[1];
  return `0x${address ?? ""}`;
}

const skip =
  skipReason("musl-gcc", "unshare", "readelf") ||
  (!existsSync(muslOpenssl.libssl) && process.env.CI !== "true"
    ? "needs an OpenSSL for musl (npm test installs it)"
    : false);

const isClient = (pid: number): boolean => {
  const scanned = new Scanner().scanProcess(pid);
  return "process" in scanned && scanned.process.report.command === "client";
};

test("musl: another libssl at the host's path is the one that is probed", { skip }, async (t) => {
  const root = makeMuslRoot(t, "alpine", hostLibssl);
  const server = await startEchoServer(t, "h1");
  const shell = startIsolated(t, root, ["/client", server.port, hostLibssl]);
  shell.stdin?.write("load\n");
  assert.equal(await firstLine(shell), "loaded");
  const client = await isolatedPid(shell.pid, isClient);

  const scanned = new Scanner().scanProcess(client);
  assert.ok("process" in scanned);
  const { report } = scanned.process;
  assert.deepStrictEqual(
    [report.class, report.verdict, report.reason.code, report.stacks.map(({ stack, file }) => [stack, file])],
    ["dynamic-openssl", "traceable", "exported-symbols", [["openssl", hostLibssl]]],
  );
  const [stack] = report.stacks;
  // Alpine's linker leaves no build id: the file is known by what it says and by where its functions are.
  assert.deepStrictEqual([stack?.buildId, buildIdOf(muslOpenssl.libssl)], [null, ""]);
  assert.match(stack?.version ?? "", /^1\.1\.1/, "the file is judged, not its name");
  const write = report.probes.find((probe) => probe.function === "SSL_write");
  assert.equal(write?.offset, addressOf(muslOpenssl.libssl, "SSL_write"));
  assert.notEqual(write.offset, addressOf(hostLibssl, "SSL_write"), "the host's is another");

  const trace = await openTrace(t);
  const { skipped } = await trace.session.add([client], { followChildren: false });
  assert.deepStrictEqual(skipped, []);
  shell.stdin?.end("speak\n");
  assert.equal(await ended(shell), 0);
  await trace.seen(() => trace.exchanges(client).length === 1);
  const [exchange] = trace.exchanges(client);
  assert.deepStrictEqual(
    [exchange?.request?.target, exchange?.request?.body?.text, exchange?.response?.body?.text],
    ["/late", "b".repeat(20_000), "b".repeat(20_000)],
  );
});

const layouts: [layout: Layout, about: string, mapped: string][] = [
  ["alpine", "where it is a file, as in Alpine", muslLinker],
  ["debian", "where it is a link to libc.so, as in Debian and Void", "/usr/lib/x86_64-linux-musl/libc.so"],
];
for (const [layout, about, mapped] of layouts) {
  test(`musl: its linker tells of a library that is loaded late, ${about}`, { skip }, async (t) => {
    // Not one of the folders whose libraries are probed beforehand.
    const libssl = "/opt/app/lib/libssl.so.3";
    const root = makeMuslRoot(t, layout, libssl);
    const server = await startEchoServer(t, "h1");
    const shell = startIsolated(t, root, ["/client", server.port, libssl]);
    const client = await isolatedPid(shell.pid, isClient);
    const table = new ProcessTable();
    const { found } = table.identify(client);
    assert.equal(found && table.linker(found)?.path, mapped);

    const trace = await openTrace(t);
    await trace.session.add([client], { followChildren: false });
    assert.deepStrictEqual(trace.events, [], "it has no TLS yet");
    shell.stdin?.write("load\n");
    await trace.seen((event) => event.type === "attached" && event.pid === client && event.file === libssl);
    shell.stdin?.end("speak\n");
    assert.equal(await ended(shell), 0);
    await trace.seen(() => trace.exchanges(client).length === 1);
    const [exchange] = trace.exchanges(client);
    assert.deepStrictEqual(
      [exchange?.request?.body?.text, exchange?.response?.body?.text],
      ["b".repeat(20_000), "b".repeat(20_000)],
    );
  });
}
