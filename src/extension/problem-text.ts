// Words what stands in the way of tracing where no attempt has said it yet. Pure.
import type { HostReport } from "../protocol/coverage.ts";
import type { Problem } from "../protocol/editor.ts";

/** What the host's report says is missing, or undefined when uprobes can be had. */
export function hostProblem(host: HostReport): Problem | undefined {
  const { uprobe } = host.paths;
  if (uprobe.available) return undefined;
  return {
    code: "no-uprobes",
    text: uprobe.reason,
    remedy: "Coverage can be shown, and live traffic of what is started through the proxy",
  };
}

/** The analyzer does not run. */
export function unavailableProblem(reason: string): Problem {
  return {
    code: "no-analyzer",
    text: `the analyzer does not run: ${reason}`,
    remedy: "See Plainsight's output",
  };
}

/** What is wrong, and what to do about it: two sentences, the second without a full stop. */
export function problemSentences({ text, remedy }: Pick<Problem, "text" | "remedy">): string {
  return `${text}. ${remedy.charAt(0).toUpperCase()}${remedy.slice(1)}`;
}
