// Brings a clone to where it runs: system packages, npm packages, the build. Only what is missing or stale is done, so
// that it can go before every start and test. Without the rights to install, it prints the command to type and goes on
// with what can be done. `--for-tests` adds what only the tests need, `--for-bench` what only the benchmark does.
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { installAioquic } from "./http3.mjs";
import { installMuslOpenssl } from "./musl-openssl.mjs";
import { installRuntimes } from "./runtimes.mjs";

process.chdir(new URL("..", import.meta.url).pathname);
const forTests = process.argv.includes("--for-tests");
const forBench = process.argv.includes("--for-bench");

/** What must be there, the Debian and Ubuntu package that brings it, and whether only tests or the benchmark need it. */
const requirements = [
  { command: "clang", apt: "clang" },
  { command: "llvm-strip", apt: "llvm" },
  { command: "c++", apt: "g++" },
  { file: "/usr/include/bpf/libbpf.h", apt: "libbpf-dev" },
  { command: "openssl", apt: "openssl" },
  { command: "python3", apt: "python3", tests: true, bench: true },
  { command: "curl", apt: "curl" },
  { command: "nginx", apt: "nginx-light", tests: true, bench: true },
  { command: "lighttpd", apt: "lighttpd", tests: true },
  { file: "/usr/lib/lighttpd/mod_mbedtls.so", apt: "lighttpd-mod-mbedtls", tests: true },
  { file: "/usr/lib/lighttpd/mod_wolfssl.so", apt: "lighttpd-mod-wolfssl", tests: true },
  { file: "/usr/lib/lighttpd/mod_gnutls.so", apt: "lighttpd-mod-gnutls", tests: true },
  { file: "/usr/lib/lighttpd/mod_nss.so", apt: "lighttpd-mod-nss", tests: true },
  { command: "ip", apt: "iproute2", tests: true, bench: true },
  { command: "nsenter", apt: "util-linux", tests: true, bench: true },
  { command: "wget", apt: "wget", tests: true },
  { command: "gnutls-cli", apt: "gnutls-bin", tests: true },
  { command: "readelf", apt: "binutils", tests: true, bench: true },
  { command: "go", apt: "golang-go", tests: true },
  { command: "javac", apt: "default-jdk-headless", tests: true },
  { command: "chromium", apt: "chromium", tests: true },
  { command: "cc", apt: "gcc", tests: true, bench: true },
  { file: "/usr/include/openssl/ssl.h", apt: "libssl-dev", tests: true, bench: true },
  // What libcrypto.a is built with, from Debian 13 on.
  { file: "/usr/include/zlib.h", apt: "zlib1g-dev", tests: true },
  { file: "/usr/include/zstd.h", apt: "libzstd-dev", tests: true },
  { file: "/usr/include/nss/ssl.h", apt: "libnss3-dev", tests: true },
  { command: "certutil", apt: "libnss3-tools", tests: true },
  { command: "musl-gcc", apt: "musl-tools", tests: true },
  { file: "/usr/lib/python3/dist-packages/pip", apt: "python3-pip", tests: true },
  { command: "pkg-config", apt: "pkg-config", tests: true },
  { command: "bpftrace", apt: "bpftrace", bench: true },
  { command: "bpftool", apt: "bpftool", bench: true },
  { command: "wrk", apt: "wrk", bench: true },
  { command: "mitmdump", apt: "mitmproxy", bench: true },
];

/** @param {string} command */
function isOnPath(command) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => existsSync(join(folder, command)));
}

/** @param {string} text */
function say(text) {
  console.error(`setup: ${text}`);
}

/** Prefix that gives root, or null. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return spawnSync("sudo", ["-n", "true"], { stdio: "ignore" }).status === 0 ? ["sudo", "-n"] : null;
}

/** Packages such as nginx start a service when installed; this says that none is wanted, while `work` runs. */
function withoutServices(prefix, work) {
  const policy = "/usr/sbin/policy-rc.d";
  if (existsSync(policy)) return work();
  const write = `printf '#!/bin/sh\\nexit 101\\n' > ${policy} && chmod +x ${policy}`;
  run([...prefix, "sh", "-c", write]);
  try {
    return work();
  } finally {
    run([...prefix, "rm", "-f", policy]);
  }
}

/** @param {string[]} line @param {Record<string, string>} [environment] */
function run([program, ...args], environment = {}) {
  execFileSync(program, args, { stdio: ["ignore", 2, 2], env: { ...process.env, ...environment } });
}

/** Prints what the program said only when it fails. @param {string[]} line */
function runQuietly([program, ...args]) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return;
  console.error(`${stdout}\n${stderr}`.trim().split("\n").slice(-20).join("\n"));
  throw new Error(`exit status ${status}`);
}

function installSystemPackages() {
  const missing = requirements
    .filter(({ tests, bench }) => (!tests && !bench) || (forTests && tests) || (forBench && bench))
    .filter(({ command, file }) => (command ? !isOnPath(command) : !existsSync(file)))
    .map(({ apt }) => apt);
  if (missing.length === 0) return;
  const prefix = existsSync("/usr/bin/apt-get") ? rootPrefix() : null;
  if (prefix === null) {
    say(`missing: ${missing.join(", ")}. Install them with: sudo apt-get install -y ${missing.join(" ")}`);
    return;
  }
  say(`installing ${missing.join(", ")}`);
  const apt = [
    ...prefix,
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "apt-get",
    "-qq",
    "-o",
    "DPkg::Lock::Timeout=300",
  ];
  try {
    runQuietly([...apt, "update"]);
    withoutServices(prefix, () => {
      const install = [...apt, "install", "-y", "--no-install-recommends"];
      // One that this distribution does not have must not keep the others away.
      const isKnown = (/** @type {string} */ name) =>
        spawnSync("apt-cache", ["show", name], { stdio: "ignore" }).status === 0;
      const [known, unknown] = [missing.filter(isKnown), missing.filter((name) => !isKnown(name))];
      if (unknown.length > 0) say(`not in this distribution: ${unknown.join(", ")}`);
      if (known.length > 0) runQuietly([...install, ...known]);
    });
  } catch (error) {
    say(
      `apt-get failed (${error.message.split("\n")[0]}); type: sudo apt-get install -y ${missing.join(" ")}`,
    );
  }
}

function installNpmPackages() {
  const stamp = "node_modules/.plainsight-lock";
  const lock = createHash("sha256").update(readFileSync("package-lock.json")).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  say("installing the npm packages of package-lock.json");
  run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]);
  writeFileSync(stamp, lock);
}

function build() {
  const native = existsSync("/usr/include/bpf/libbpf.h") && ["clang", "llvm-strip", "c++"].every(isOnPath);
  if (!native)
    say("without clang, llvm, g++ and libbpf-dev no probe can be built: scan works, trace does not");
  run([process.execPath, "scripts/build.mjs", ...(native ? [] : ["bundles"])]);
}

if (process.platform !== "linux" || process.arch !== "x64") {
  say(`Plainsight is for Linux on x86-64; this is ${process.platform} on ${process.arch}`);
  process.exit(2);
}
try {
  installSystemPackages();
  installNpmPackages();
  build();
  if (forTests && existsSync("scripts/editor-rig.mjs")) run([process.execPath, "scripts/editor-rig.mjs"]);
  if (forTests) installRuntimes(say);
  if (forTests) installMuslOpenssl(say);
  if (forTests) installAioquic(say);
} catch (error) {
  say(error.message.split("\n")[0]);
  process.exit(1);
}
