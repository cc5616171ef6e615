// Where the built parts are (dist/): the same place for the bundle, the sources under a loader, and the extension.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The root folder of this installation: the nearest one above with a package.json. */
export function installationRoot(): string {
  let folder = import.meta.dirname;
  while (!existsSync(join(folder, "package.json"))) {
    const parent = dirname(folder);
    if (parent === folder)
      throw new Error(`find the installation above ${import.meta.dirname}: no package.json`);
    folder = parent;
  }
  return folder;
}

/** A file of dist/. Throws, with the remedy, when it was not built. */
export function builtFile(name: string): string {
  const path = join(installationRoot(), "dist", name);
  if (!existsSync(path)) throw new Error(`find ${path}: not built yet (run npm run setup)`);
  return path;
}
