// What the status bar says about the trace and the watch of the network: text, tooltip and what a click does. Pure; status-bar.ts shows it.
import type { NetworkState, Problem, StateParams } from "../protocol/editor.ts";
import { problemSentences } from "./problem-text.ts";

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
  const { tracing, exchanges, messages, lost, network } = state;
  const loss =
    lost.records > 0 ? `${count(lost.records, "record")} lost (${lost.bytes} bytes)` : "nothing lost";
  const warning = lost.records > 0 ? ` $(warning) ${lost.records} lost` : "";
  const why = problem ? problemSentences(problem) : notice;
  if (tracing.length > 0) {
    const [first] = tracing;
    const what =
      tracing.length === 1 && first ? `${first.command} ${first.pid}` : `${tracing.length} processes`;
    const counts = [count(exchanges, "exchange")];
    if (messages > 0) counts.push(count(messages, "message"));
    const lines = [
      `Tracing ${tracing.map(({ command, pid }) => `${command} (${pid})`).join(", ")}`,
      `${counts.join(", ")}; ${loss}`,
      ...(network ? [watchingText(network)] : []),
      ...(notice ? [notice] : []),
    ];
    const watching = network ? ` $(broadcast) ${network.connections}` : "";
    const watched = network ? `; and watches ${count(network.connections, "TLS connection")}` : "";
    return {
      text: `$(eye) ${what} · ${exchanges + messages}${watching}${warning}`,
      tooltip: lines.join("\n"),
      accessibleLabel: `Plainsight traces ${what}, ${counts.join(", ")}, ${loss}${watched}`,
      command: "plainsight.showLiveTraffic",
      isWarning: lost.records > 0,
    };
  }
  if (network) {
    const connections = count(network.connections, "TLS connection");
    const lines = [watchingText(network), loss, ...(why === undefined ? [] : [`Not tracing: ${why}`])];
    return {
      text: `$(broadcast) ${count(network.connections, "connection")}${warning}`,
      tooltip: lines.join("\n"),
      accessibleLabel: `Plainsight watches the network, ${connections}, ${loss}`,
      command: "plainsight.showLiveTraffic",
      isWarning: lost.records > 0,
    };
  }
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

function watchingText({ interfaces, connections, missing }: NetworkState): string {
  const unseen = missing.length > 0 ? ` (not seen: ${missing.map(({ text }) => text).join("; ")})` : "";
  return `Watching ${interfaces.join(", ")}: ${count(connections, "TLS connection")}${unseen}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
