// Fetches an OpenSSL that was built for musl: Alpine's, as the wheel of psycopg2 for musl carries it, from the Python
// registry into a cache folder outside the checkout. The second run finds it.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

const wheel = "psycopg2-binary==2.9.9";

const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "plainsight");
const folder = join(cacheFolder, `musl-${wheel.replace("==", "-")}`);

/** Where its libraries are, under the names by which they know each other; they may not be there. */
export const muslOpenssl = {
  libssl: join(folder, "psycopg2_binary.libs/libssl-5babfe3f.so.1.1"),
  libcrypto: join(folder, "psycopg2_binary.libs/libcrypto-f4bea926.so.1.1"),
};

/** Throws when pip fails; a half-made folder is never left under the final name. */
export function installMuslOpenssl(log = console.error) {
  if (Object.values(muslOpenssl).every((path) => existsSync(path))) return;
  log(`Fetching an OpenSSL for musl (${wheel}) into ${folder} (once)`);
  const partial = `${folder}.partial-${process.pid}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(partial, { recursive: true });
  const python = (...args) => execFileSync("/usr/bin/python3", ["-m", ...args], { stdio: ["ignore", 2, 2] });
  try {
    const platform = ["--platform=musllinux_1_1_x86_64", "--python-version=3.11", "--implementation=cp"];
    python(
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      "--only-binary=:all:",
      ...platform,
      "--dest",
      partial,
      wheel,
    );
    const [file = ""] = readdirSync(partial);
    python("zipfile", "-e", join(partial, file), partial);
    renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}
