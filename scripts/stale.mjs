// Runs a build step only when what it reads has changed: a stamp of paths, sizes and times beside the outputs.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const stamps = new URL("../dist/.stamps/", import.meta.url).pathname;

/** All files below the given files and folders, sorted. @param {string[]} roots */
function filesBelow(roots) {
  return roots
    .flatMap((root) =>
      !existsSync(root) || statSync(root).isFile()
        ? [root]
        : readdirSync(root, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name)),
    )
    .sort();
}

/** @param {string[]} roots */
function fingerprint(roots) {
  const hash = createHash("sha256");
  for (const file of filesBelow(roots)) {
    const facts = existsSync(file) ? statSync(file) : null;
    hash.update(`${file}\0${facts?.size ?? -1}\0${facts?.mtimeMs ?? -1}\n`);
  }
  return hash.digest("hex");
}

/**
 * Runs `work` when an input changed since it last succeeded, or an output is missing.
 * @param {string} name @param {{inputs: string[], outputs: string[]}} what @param {() => void | Promise<void>} work
 */
export async function whenStale(name, { inputs, outputs }, work) {
  const stamp = join(stamps, name);
  const now = fingerprint(inputs);
  if (outputs.every((path) => existsSync(path)) && existsSync(stamp) && readFileSync(stamp, "utf8") === now)
    return;
  await work();
  mkdirSync(stamps, { recursive: true });
  writeFileSync(stamp, fingerprint(inputs));
}
