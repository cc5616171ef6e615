// Where a separate debug file is looked for, as GDB documents it ("Debugging Information in Separate Files"): by build
// id, then by the debug link's name.
import { basename, dirname } from "node:path";
import type { FileAnalysis } from "./stacks/analysis.ts";

const debugRoot = "/usr/lib/debug";

/** Paths in the process's own view, best first. @param path of the stripped file, absolute, in the same view */
export function debugFilePaths(
  { buildId, debugLink }: NonNullable<FileAnalysis["debugFile"]>,
  path: string,
): string[] {
  const folder = dirname(path);
  // A name with a slash would lead out of the folders that are meant.
  const name = debugLink !== null && basename(debugLink.name) === debugLink.name ? debugLink.name : null;
  return [
    ...(buildId !== null && buildId.length > 2
      ? [`${debugRoot}/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`]
      : []),
    ...(name === null || name === ""
      ? []
      : [`${folder}/${name}`, `${folder}/.debug/${name}`, `${debugRoot}${folder}/${name}`]),
  ].filter((candidate) => candidate !== path);
}
