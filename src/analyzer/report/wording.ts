// How a report's facts are worded for people, the same in the terminal, in Markdown and in HTML.
import { basename } from "node:path";
import {
  stackTitles,
  type CoverageReport,
  type CoverageSummary,
  type Measurement,
  type ProcessReport,
  type Skipped,
  type StackReport,
  type Verdict,
} from "../../protocol/coverage.ts";
import { coveredPercent } from "../coverage/summary.ts";

/** Verdicts of processes that have TLS or may have it, the best first, with what each means. */
export const tlsVerdicts: readonly { verdict: Exclude<Verdict, "no-tls">; meaning: string }[] = [
  { verdict: "traceable", meaning: "plaintext, nothing to change" },
  { verdict: "proxy", meaning: "plaintext through the local proxy" },
  { verdict: "metadata", meaning: "names and sizes only" },
  { verdict: "dark", meaning: "nothing can be seen" },
  { verdict: "unknown", meaning: "could not be told" },
];

/** Processes that have TLS or may have it, grouped by verdict, the best first; empty groups are left out. */
export function byVerdict(
  processes: readonly ProcessReport[],
): { verdict: Verdict; members: ProcessReport[] }[] {
  return tlsVerdicts
    .map(({ verdict }) => ({ verdict, members: processes.filter((process) => process.verdict === verdict) }))
    .filter(({ members }) => members.length > 0);
}

export function withoutTls(processes: readonly ProcessReport[]): ProcessReport[] {
  return processes.filter(({ verdict }) => verdict === "no-tls");
}

const script = /\.(?:[cm]?[jt]sx?|py|rb|php|pl|jar|dll|exs?)$/;

/** The command, with the script that tells one `node` from another. */
export function processTitle({ command, arguments: words }: ProcessReport): string {
  const program = words.slice(1).find((word) => script.test(word));
  return program === undefined || basename(program) === command ? command : `${command} ${basename(program)}`;
}

/** `OpenSSL 3.0.19`. */
export function stackName({ stack, version }: StackReport): string {
  return version === null ? stackTitles[stack] : `${stackTitles[stack]} ${version}`;
}

/** `OpenSSL 3.0.19 · static · /usr/bin/node · build ebeaf2df`. */
export function stackInFull(stack: StackReport): string {
  const { linkage, file, buildId } = stack;
  const told = [stackName(stack), linkage, file, buildId === null ? null : `build ${buildId}`];
  return told.filter((part) => part !== null).join(" · ");
}

/** The stack that stands for the process, and how many others there are: `OpenSSL 3.0.19 +1`. */
export function stacksInShort({ stacks }: ProcessReport): string {
  const [first, ...others] = stacks;
  if (first === undefined) return "–";
  return others.length === 0 ? stackName(first) : `${stackName(first)} +${others.length}`;
}

/** `2 of 3 processes with TLS are traceable (67 %)`. */
export function headline({ summary }: CoverageReport): string {
  const percent = coveredPercent(summary);
  if (percent === null) return "no process with TLS was found";
  const all = summary.withTls + summary.unknown;
  const are = all === 1 ? "process with TLS is" : "processes with TLS are";
  return `${summary.traceable} of ${all} ${are} traceable (${wholePercent(percent)} %)`;
}

/** What the headline does not count: `5 dark`, `1 unknown`. */
export function otherCounts(summary: CoverageSummary): string[] {
  return (["proxy", "metadata", "dark", "unknown"] as const)
    .filter((verdict) => summary[verdict] > 0)
    .map((verdict) => `${summary[verdict]} ${verdict}`);
}

/** Rounded, but 100 only when nothing is missing and 0 only when there is nothing. */
export function wholePercent(percent: number): number {
  if (percent > 99 && percent < 100) return 99;
  return percent > 0 && percent < 1 ? 1 : Math.round(percent);
}

/** What a measuring found of a process, as it is called everywhere, and what that means. */
export const states: Readonly<Record<Measurement["state"], { name: string; meaning: string }>> = {
  confirmed: { name: "confirmed", meaning: "plaintext was seen" },
  silent: { name: "silent", meaning: "probed and in use, yet nothing was seen" },
  "not-exercised": { name: "not exercised", meaning: "nothing was there to be seen" },
  metadata: { name: "seen on the network", meaning: "its connections were, not their plaintext" },
};

/** Why, what a measuring saw, and what would show more, as one sentence. */
export function reasonInFull({ reason, measured }: Pick<ProcessReport, "reason" | "measured">): string {
  const parts = [reason.text, measuredClause({ measured }), reason.remedy ?? null];
  return parts.filter((part) => part !== null).join("; ");
}

/** Where the verdict comes from, and what a measuring found: `measured: silent`, `predicted: not exercised`. */
export function basisInShort({ basis, measured }: ProcessReport): string {
  return measured === null ? basis : `${basis}: ${states[measured.state].name}`;
}

/** What a measuring saw, as a clause; null where it was not made, and where the reason says it already. */
function measuredClause({ measured }: Pick<ProcessReport, "measured">): string | null {
  switch (measured?.state) {
    case undefined:
    case "silent":
      return null;
    case "confirmed": {
      const { decrypted, connections, bytes } = measured;
      const of = connections === 1 ? "connection" : "connections";
      const names = escapedNames(measured);
      const seen = `plaintext was seen in ${decrypted} of ${connections} ${of}, ${bytes.toLocaleString("en-US")} bytes`;
      return names === null ? seen : `${seen}; not of ${names}`;
    }
    case "metadata": {
      const names = escapedNames(measured);
      return names === null ? null : `seen on the network: ${names}`;
    }
    case "not-exercised":
      return "no TLS connection was known to be in use while it was watched";
  }
}

/** The servers of connections that were not decrypted, each once: `api.example.com, 192.0.2.1:443 and 3 more`. */
export function escapedNames({ escaped = [] }: Measurement): string | null {
  const names = [...new Set(escaped.map(({ serverName, remote }) => serverName ?? remote))];
  if (names.length === 0) return null;
  const shown = names.slice(0, 3).join(", ");
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}

/** How much of what was on the wire was decrypted, as a sentence; null where the network was not watched. */
export function networkSentence({ network }: CoverageReport): string | null {
  if (network === undefined) return null;
  const { connections, decrypted, others, interfaces } = network;
  const began = connections === 1 ? "TLS connection" : "TLS connections";
  const rest =
    others === 0 ? "" : `; ${others} more of processes that began later, or of none that is known here`;
  return `${decrypted} of ${connections} ${began} of these processes on ${interfaces.join(", ")} decrypted${rest}`;
}

/** What the verdicts of a whole report rest on, as a sentence. */
export function basisOfReport({ processes }: CoverageReport): string {
  const found = processes.flatMap(({ measured }) => measured?.state ?? []);
  if (found.length === 0) return "Predicted from symbols, not measured";
  const counts = (["confirmed", "silent", "not-exercised", "metadata"] as const).flatMap((state) => {
    const count = found.filter((other) => other === state).length;
    if (state === "metadata") return count === 0 ? [] : [`${count} ${states.metadata.name} alone`];
    return [`${count} ${states[state].name}`];
  });
  const since = processes.find(({ measured }) => measured !== null)?.measured?.since ?? "";
  return `Measured since ${readableTime(since)}: ${counts.join(", ")}`;
}

/** `2026-01-31 12:00:00 UTC`, or the text itself when it is no such time. */
export function readableTime(iso: string): string {
  return iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, "$1 $2 UTC");
}

/** What was left out, by reason: the scan itself is not told, for nobody looks for it. */
export function skippedByReason(
  skipped: readonly Skipped[],
): { code: string; text: string; pids: number[] }[] {
  const groups = new Map<string, { code: string; text: string; pids: number[] }>();
  for (const { pid, reason } of skipped) {
    if (reason.code === "self") continue;
    const group = groups.get(reason.code) ?? { ...reason, pids: [] };
    group.pids.push(pid);
    groups.set(reason.code, group);
  }
  return [...groups.values()];
}

const openers = /^(?:an?|its?|no|probes|the|this|what)(?=\s)/;

/** A clause as the beginning of a sentence; what begins with a name (`libssl.so.3`, `rustls`) keeps its case. */
export function capital(text: string): string {
  return openers.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
}
