// Installs the HTTP/3 client and server that Debian does not have, aioquic, from the Python registry into a cache folder
// outside the checkout. The second run finds it.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";

const aioquicVersion = "1.3.0";

const python = "/usr/bin/python3";
/** Its parts in C are of one version of Python. @returns {string} such as `python3.11` */
const interpreter = () => (existsSync(python) ? basename(realpathSync(python)) : "python3");

const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "plainsight");

/** What PYTHONPATH has to be for it; it may not be there. Asked for when Python is: its version is in the name. */
export const aioquicFolder = () => join(cacheFolder, `aioquic-${aioquicVersion}-${interpreter()}`);

/** Throws when pip fails; a half-made folder is never left under the final name. */
export function installAioquic(log = console.error) {
  const aioquic = aioquicFolder();
  if (existsSync(aioquic)) return;
  log(`Installing aioquic ${aioquicVersion} into ${aioquic} (once)`);
  const partial = `${aioquic}.partial-${process.pid}`;
  mkdirSync(partial, { recursive: true });
  try {
    const quiet = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
    const where = ["--only-binary=:all:", "--target", partial];
    execFileSync(python, ["-m", "pip", "install", ...quiet, ...where, `aioquic==${aioquicVersion}`], {
      stdio: ["ignore", 2, 2],
    });
    renameSync(partial, aioquic);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
