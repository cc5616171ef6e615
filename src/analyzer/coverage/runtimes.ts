// Names the language runtime of a process by its executable and by the files it has mapped.
import { basename } from "node:path";
import type { ProcessFacts } from "../process-facts.ts";

interface RuntimeRow {
  runtime: string;
  /** Base name of the executable. */
  executable: RegExp;
  /** Base name of a library that only this runtime maps. */
  library: RegExp | null;
}

/** In order: a JVM started by another program is a JVM. */
const rows: readonly RuntimeRow[] = [
  { runtime: "jvm", executable: /^java$/, library: /^libjvm\.so$/ },
  { runtime: "node", executable: /^node(?:js)?$/, library: /^libnode\.so/ },
  { runtime: "bun", executable: /^bun$/, library: null },
  { runtime: "deno", executable: /^deno$/, library: null },
  { runtime: "dotnet", executable: /^dotnet$/, library: /^lib(?:coreclr|clrjit)\.so$/ },
  { runtime: "python", executable: /^(?:python|pypy)[\d.]*$/, library: /^libpython[\d.]+.*\.so/ },
  { runtime: "ruby", executable: /^ruby[\d.]*$/, library: /^libruby.*\.so/ },
  { runtime: "php", executable: /^php(?:-fpm|-cgi)?[\d.]*$/, library: /^libphp.*\.so/ },
  { runtime: "perl", executable: /^perl[\d.]*$/, library: null },
  { runtime: "erlang", executable: /^beam(?:\.smp)?$/, library: null },
];

/** @param own what the executable's own symbols say it is, which beats every name */
export function runtimeOf(
  facts: Pick<ProcessFacts, "executable" | "files">,
  own: string | null,
): string | null {
  if (own !== null) return own;
  const executable = basename(facts.executable ?? "");
  const libraries = facts.files.map(({ path }) => basename(path));
  const row = rows.find(
    (candidate) =>
      candidate.executable.test(executable) ||
      libraries.some((library) => candidate.library?.test(library) === true),
  );
  return row?.runtime ?? null;
}
