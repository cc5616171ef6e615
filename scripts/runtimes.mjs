// Installs the JavaScript runtimes that Debian does not have and that the tests send through the proxy: Bun and Deno,
// from npm, into a cache folder outside the checkout. The second run finds them.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const bunVersion = "1.4.5";
const denoVersion = "2.9.6";

const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "plainsight");
const folder = join(cacheFolder, `bun-${bunVersion}-deno-${denoVersion}`);

/** Where they are; they may not be there. */
export const runtimes = {
  bun: join(folder, "node_modules/@oven/bun-linux-x64/bin/bun"),
  deno: join(folder, "node_modules/@deno/linux-x64-glibc/deno"),
};

/** Throws when npm fails; a half-made folder is never left under the final name. */
export function installRuntimes(log = console.error) {
  if (Object.values(runtimes).every((path) => existsSync(path))) return;
  log(`Installing Bun ${bunVersion} and Deno ${denoVersion} into ${folder} (once)`);
  const partial = `${folder}.partial-${process.pid}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  try {
    const packages = [`@oven/bun-linux-x64@${bunVersion}`, `@deno/linux-x64-glibc@${denoVersion}`];
    const quiet = ["--no-audit", "--no-fund", "--no-save", "--ignore-scripts", "--loglevel=error"];
    execFileSync("npm", ["install", ...quiet, "--prefix", partial, ...packages], { stdio: ["ignore", 2, 2] });
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
