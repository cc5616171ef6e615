// Where Python's wheels keep the TLS libraries that they bring: a program that imports one speaks some milliseconds
// later, so they are found before it does. Only folders are read here; what is in the files is for the scanner.
import { basename, dirname, join } from "node:path";
import { libraryKind } from "../stacks/table.ts";
import { namesIn } from "./linker.ts";

export interface PythonProcess {
  executable: string | null;
  /** As it was called: in a virtual environment its executable is a link to another one. */
  arguments: readonly string[];
  /** `NAME=value`, as /proc/PID/environ has them. */
  environment: readonly string[];
}

/**
 * The TLS libraries in the folders `PACKAGE.libs`, which auditwheel puts beside a package (PEP 513 and its successors),
 * wherever this process would look for packages (Python's site module).
 * @param root as for `usualLibraries`
 * @returns paths as the process sees them, each once
 */
export function wheelLibraries(root: string, process: PythonProcess): string[] {
  const paths = packageFolders(root, process).flatMap((folder) =>
    namesIn(root + folder)
      .filter((name) => name.endsWith(".libs"))
      .flatMap((libs) => namesIn(join(root + folder, libs)).map((name) => join(folder, libs, name))),
  );
  const isTls = (path: string) => ["stack", "boundary"].includes(libraryKind(basename(path)) ?? "");
  return [...new Set(paths.filter(isTls))];
}

function packageFolders(
  root: string,
  { executable, arguments: [called], environment }: PythonProcess,
): string[] {
  const valueOf = (name: string) =>
    environment.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
  const programs = [called ?? "", executable ?? ""].map((path) => dirname(path));
  const prefixes = [...programs, ...valueOf("PATH").split(":")].map((folder) => dirname(folder));
  const home = valueOf("HOME");
  const installed = [...prefixes, ...(home === "" ? [] : [join(home, ".local")])]
    .filter(isAbsolute)
    .map((prefix) => join(prefix, "lib"));
  const versions = [...new Set(installed)].flatMap((folder) =>
    namesIn(root + folder)
      .filter((name) => /^(?:python|pypy)[\d.]*$/.test(name))
      .map((name) => join(folder, name)),
  );
  const kinds = ["site-packages", "dist-packages"];
  const ofVersions = versions.flatMap((folder) => kinds.map((kind) => join(folder, kind)));
  return [...valueOf("PYTHONPATH").split(":").filter(isAbsolute), ...ofVersions];
}

const isAbsolute = (path: string): boolean => path.startsWith("/");
