// What probes show of a process, and what not: it can be traced for the stacks that can be probed, whatever its verdict
// says of the one that stands for it. Pure.
import type { ProcessReport, StackReport } from "../protocol/coverage.ts";
import { remedyOf } from "./remedies.ts";
import { baseName, stacksText } from "./stack-names.ts";

type Probed = Pick<ProcessReport, "probes" | "stacks">;
type Judged = Probed & Pick<ProcessReport, "verdict" | "reason">;

/** Whether there is anything to probe. */
export const canBeTraced = ({ probes }: Pick<ProcessReport, "probes">): boolean => probes.length > 0;

/** Whether probes show a part of its TLS, and not the one that stands for it. */
export const isTracedInPart = ({ verdict, probes }: Pick<ProcessReport, "probes" | "verdict">): boolean =>
  verdict !== "traceable" && canBeTraced({ probes });

/** `OpenSSL 3.0.19`, or `only OpenSSL 3.0.19, not BoringSSL` where probes do not show all. */
export function reachText(process: Probed): string {
  const [shown, hidden] = reach(process);
  return hidden === "" ? shown : `only ${shown}, not ${hidden}`;
}

/** What shows the rest, `For BoringSSL: through the proxy`; null where probes show all, or nothing shows the rest. */
export function restText(process: Judged): string | null {
  const [, hidden] = reach(process);
  if (hidden === "") return null;
  if (remedyOf(process)?.action === "proxy") return `For ${hidden}: through the proxy`;
  return process.verdict === "metadata" ? `For ${hidden}: names and sizes, by Watch TLS Connections` : null;
}

/** Stacks that are probed, and those that are not, in words that tell them apart. */
function reach({ probes, stacks }: Probed): [shown: string, hidden: string] {
  const files = new Set(probes.map(({ file }) => file));
  const isShown = ({ file, boundary }: StackReport): boolean =>
    [file, boundary].some((path) => path !== undefined && path !== null && files.has(path));
  const shown = stacks.filter(isShown);
  const hidden = stacks.filter((stack) => !isShown(stack));
  const isAlike = hidden.some(({ stack }) => shown.some((other) => other.stack === stack));
  const place = [...new Set(hidden.flatMap(({ file }) => (file === null ? [] : [baseName(file)])))];
  const where = isAlike && place.length > 0 ? ` in ${place.join(" and ")}` : "";
  return [stacksText(shown), hidden.length === 0 ? "" : `${stacksText(hidden)}${where}`];
}
