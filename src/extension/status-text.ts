// What the status bar says about the trace: text, tooltip and what a click does. Pure; status-bar.ts shows it.
import type { Problem, StateParams } from "../protocol/editor.ts";

export interface StatusInput {
  state: StateParams;
  /** What stands in the way of tracing, from the last attempt or from the host. */
  problem: Problem | undefined;
  /** Said once about the debugged process, such as why it is not traced. */
  notice: string | undefined;
}

export interface StatusText {
  text: string;
  /** Without markup. */
  tooltip: string;
  accessibleLabel: string;
  command: "plainsight.trace" | "plainsight.showLiveTraffic" | "plainsight.showProblem";
  isWarning: boolean;
}

export function statusText({ state, problem, notice }: StatusInput): StatusText {
  const { tracing, exchanges, messages, lost } = state;
  if (tracing.length > 0) {
    const [first] = tracing;
    const what =
      tracing.length === 1 && first ? `${first.command} ${first.pid}` : `${tracing.length} processes`;
    const counts = [count(exchanges, "exchange")];
    if (messages > 0) counts.push(count(messages, "message"));
    const loss =
      lost.records > 0 ? `${count(lost.records, "record")} lost (${lost.bytes} bytes)` : "nothing lost";
    const lines = [
      `Tracing ${tracing.map(({ command, pid }) => `${command} (${pid})`).join(", ")}`,
      `${counts.join(", ")}; ${loss}`,
      ...(notice ? [notice] : []),
    ];
    return {
      text: `$(eye) ${what} · ${exchanges + messages}${lost.records > 0 ? ` $(warning) ${lost.records} lost` : ""}`,
      tooltip: lines.join("\n"),
      accessibleLabel: `Plainsight traces ${what}, ${counts.join(", ")}, ${loss}`,
      command: "plainsight.showLiveTraffic",
      isWarning: lost.records > 0,
    };
  }
  const why = problem ? `${problem.text}. ${problem.remedy}` : notice;
  if (why !== undefined) {
    return {
      text: "$(warning) Plainsight",
      tooltip: `Not tracing: ${why}`,
      accessibleLabel: `Plainsight is not tracing: ${why}`,
      command: "plainsight.showProblem",
      isWarning: false,
    };
  }
  return {
    text: "$(eye) Plainsight",
    tooltip: "Nothing is being traced. Select to choose a process.",
    accessibleLabel: "Plainsight: nothing is being traced",
    command: "plainsight.trace",
    isWarning: false,
  };
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
