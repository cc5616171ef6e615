// Folds the facts of one process and the stacks found in its files into its entry of the report.
import {
  stackTitles,
  type HostReport,
  type ProcessReport,
  type StackReport,
} from "../../protocol/coverage.ts";
import type { ProcessFacts } from "../process-facts.ts";
import type { MappedFile, StackFinding } from "../stacks/finding.ts";
import { byWeight, classOf, isCapturable } from "./classes.ts";
import { runtimeOf } from "./runtimes.ts";
import { judge } from "./verdicts.ts";
import type { Judgement } from "./verdicts.ts";

/** Everything the scan learned about a process. */
export interface Examined {
  facts: ProcessFacts;
  findings: readonly StackFinding[];
  /** What the executable's symbols say it is. */
  ownRuntime: string | null;
  problems: readonly string[];
}

export function processReport(examined: Examined, paths: HostReport["paths"]): ProcessReport {
  const { facts, ownRuntime, problems } = examined;
  const { files, ...identity } = facts;
  const findings = byWeight(examined.findings, facts);
  const primary = findings[0] ?? null;
  const runtime = runtimeOf({ ...identity, files }, ownRuntime);
  const { executable } = facts;
  const trustsByNss = files.some(isNss);
  const judgement = judge({ primary, executable, runtime, trustsByNss, problems, paths });
  return {
    ...identity,
    class: classOf(primary, runtime) ?? (judgement.verdict === "unknown" ? "unknown" : "no-tls"),
    runtime,
    stacks: findings.map(stackReport),
    path: judgement.path,
    verdict: judgement.verdict,
    basis: "predicted",
    reason: { ...judgement.reason, text: reasonText(judgement, findings, problems) },
    probes: paths.uprobe.available && findings.some(isCapturable) ? findings.flatMap(probes) : [],
    measured: null,
  };
}

const isNss = ({ path }: MappedFile): boolean => /\/libnss3\.so[^/]*$/.test(path);

/**
 * What the rule alone does not say: stacks of a traceable process that are not captured, those of another that are, and
 * files not read.
 */
function reasonText(
  { verdict, path, reason }: Judgement,
  findings: readonly StackFinding[],
  problems: readonly string[],
): string {
  const parts = [reason.text];
  const [captured, closed] = [isCapturable, (finding: StackFinding) => !isCapturable(finding)].map((is) =>
    [...new Set(findings.filter(is).map(({ stack }) => stackTitles[stack]))].join(" and "),
  );
  if (verdict === "traceable" && closed !== "") parts.push(`what goes through ${closed} is not captured`);
  if (path !== "uprobe" && captured !== "") parts.push(`what goes through ${captured} can be probed`);
  return [...parts, ...problems.filter((problem) => problem !== reason.text)].join("; ");
}

function stackReport(finding: StackFinding): StackReport {
  const { stack, linkage, file, boundary, buildId, version, symbols, evidence } = finding;
  const passes = boundary === undefined || boundary === file ? {} : { boundary: boundary.path };
  return { stack, linkage, file: file.path, ...passes, buildId, version, symbols, evidence };
}

function probes({ file, functions }: StackFinding): ProcessReport["probes"] {
  return functions.map(({ name, fileOffset, file: own = file }) => ({
    function: name,
    file: own.path,
    offset: `0x${fileOffset.toString(16)}`,
  }));
}
