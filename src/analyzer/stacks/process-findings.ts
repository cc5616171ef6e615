// What the files of one process tell together: a stack's version may be in a library beside it, and so may the
// functions through which its plaintext passes.
import { dirname } from "node:path";
import type { FileAnalysis, FoundStack } from "./analysis.ts";
import type { MappedFile, StackFinding } from "./finding.ts";

/** @param analysed every file of the process that was opened */
export function findingsOf(analysed: ReadonlyMap<MappedFile, FileAnalysis>): StackFinding[] {
  const cryptoVersions = new Map<string, string>();
  for (const [file, { cryptoVersion }] of analysed) {
    if (cryptoVersion !== null) cryptoVersions.set(dirname(file.path), cryptoVersion);
  }
  return [...analysed].flatMap(([file, { stacks }]) =>
    stacks.map((stack) => {
      // OpenSSL keeps its version in libcrypto, which a process maps from the same folder as libssl.
      const beside = stack.stack === "openssl" && stack.linkage === "dynamic" ? dirname(file.path) : null;
      const version = (beside === null ? undefined : cryptoVersions.get(beside)) ?? stack.version;
      return joined({ ...stack, version, file }, analysed);
    }),
  );
}

/** The stack with the functions of its boundary: of the library in the same folder, where there are several. */
function joined(finding: StackFinding, analysed: ReadonlyMap<MappedFile, FileAnalysis>): StackFinding {
  const boundaries = [...analysed].flatMap(([file, { boundary }]): [MappedFile, FoundStack][] =>
    boundary?.stack === finding.stack ? [[file, boundary]] : [],
  );
  const isBeside = ([{ path }]: (typeof boundaries)[number]) => dirname(path) === dirname(finding.file.path);
  const [file, boundary] = boundaries.find(isBeside) ?? boundaries[0] ?? [];
  if (file === undefined || boundary === undefined) return finding;
  return {
    ...finding,
    boundary: file,
    evidence: [...finding.evidence, ...boundary.evidence.map((line) => `${line} of ${file.path}`)],
    // First, so that they are probed before an object can be made whose first bytes they would miss.
    functions: [...boundary.functions.map((found) => ({ ...found, file })), ...finding.functions],
  };
}
