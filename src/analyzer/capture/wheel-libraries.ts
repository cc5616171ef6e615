// Where Python's wheels keep the TLS that they bring, as libraries or linked into modules: a program that imports one
// speaks some milliseconds later, so they are found before it does. Only folders are read here; what is in the files is
// for the scanner.
import { dirname, join } from "node:path";
import { libraryKind } from "../stacks/table.ts";
import { namesIn } from "./linker.ts";

export interface PythonProcess {
  executable: string | null;
  /** As it was called: in a virtual environment its executable is a link to another one. */
  arguments: readonly string[];
  /** `NAME=value`, as /proc/PID/environ has them. */
  environment: readonly string[];
}

/** Modules of well-known packages with a stack linked in, by the folder below that of the packages. */
const modules: readonly [folder: string, name: RegExp][] = [
  // pyOpenSSL's OpenSSL is cryptography's.
  ["cryptography/hazmat/bindings", /^_rust\..*so$/],
  ["curl_cffi", /^_wrapper\..*so$/],
  ["pyarrow", /^libarrow(?:_flight|_s3)?\.so/],
];

/**
 * Those modules, and the TLS libraries in the folders `PACKAGE.libs`, which auditwheel puts beside a package (PEP 513 and its successors),
 * wherever this process would look for packages (Python's site module).
 * @param root as for `usualLibraries`
 * @returns paths as the process sees them, each once
 */
export function wheelLibraries(root: string, process: PythonProcess): string[] {
  const filesIn = (folder: string, isWanted: (name: string) => boolean) =>
    namesIn(root + folder)
      .filter(isWanted)
      .map((name) => join(folder, name));
  const isTls = (name: string) => ["stack", "boundary"].includes(libraryKind(name) ?? "");
  const paths = packageFolders(root, process).flatMap((folder) => [
    ...filesIn(folder, (name) => name.endsWith(".libs")).flatMap((libs) => filesIn(libs, isTls)),
    ...modules.flatMap(([below, named]) => filesIn(join(folder, below), (name) => named.test(name))),
  ]);
  return [...new Set(paths)];
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
