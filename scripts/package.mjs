// Makes the extension's package, plainsight-linux-x64-VERSION.vsix: builds what is stale, checks that everything the
// extension needs at run time is there, and packs what .vscodeignore allows. No compiler is needed where it is installed.
import { existsSync, readFileSync, statSync } from "node:fs";
import { createVSIX } from "@vscode/vsce";
import { execFileSync } from "node:child_process";

const root = new URL("..", import.meta.url).pathname;
const target = "linux-x64";

const required = [
  "README.md",
  "LICENSE",
  "CHANGELOG.md",
  "media/icon.png",
  "dist/THIRD_PARTY_NOTICES.txt",
  "dist/cli.js",
  "dist/iced_x86_bg.wasm",
  "dist/tracer.js",
  "dist/extension.cjs",
  "dist/webview/live-traffic.js",
  "dist/webview/live-traffic.css",
  "dist/report/report.js",
  "dist/report/report.css",
  "dist/native/plainsight.node",
  "dist/native/libbpf.so.1",
  "dist/bpf/tls.bpf.o",
];

process.chdir(root);
execFileSync(process.execPath, ["scripts/build.mjs"], { stdio: ["ignore", "inherit", "inherit"] });
const missing = required.filter((path) => !existsSync(path));
if (missing.length > 0) {
  console.error(`package: missing ${missing.join(", ")}`);
  process.exit(1);
}

const { name, version } = JSON.parse(readFileSync("package.json", "utf8"));
const packagePath = `${name}-${target}-${version}.vsix`;
await createVSIX({
  cwd: root,
  target,
  packagePath,
  // Everything is bundled.
  dependencies: false,
  allowMissingRepository: true,
  rewriteRelativeLinks: false,
});
console.log(`${packagePath} (${Math.round(statSync(packagePath).size / 1024)} KiB)`);
