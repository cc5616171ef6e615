// Prints the events of a trace: for a person, a line each, or for a program, one JSON object a line.
import type { Writable } from "node:stream";
import { stackTitles } from "../../protocol/coverage.ts";
import type { Problem } from "../../protocol/editor.ts";
import type { LostEvent, SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import {
  blockedDetails,
  blockedLine,
  connectionDetails,
  connectionLine,
  helloDetails,
  helloLine,
} from "./hello-lines.ts";
import { counted, formatSize } from "./quantities.ts";
import { painter, printable, type Terminal } from "./terminal.ts";
import { exchangeDetails, exchangeLine, messageLine } from "./traffic-lines.ts";

export interface PrinterOptions {
  json: boolean;
  verbose: boolean;
  terminal: Terminal;
}

/** Traffic goes to `out`; for a person, what is said about the trace itself goes to `errors`. */
export function tracePrinter(
  out: Writable,
  errors: Writable,
  { json, verbose, terminal }: PrinterOptions,
): (event: TraceEvent) => void {
  const paint = painter(terminal);
  if (json) {
    return (event) => {
      if (event.type === "exchange" && event.state === "pending") return;
      out.write(`${JSON.stringify(event)}\n`);
    };
  }
  /** The details are only made where they are shown. */
  const show = (line: string, details: () => string): void => {
    const below = verbose ? details() : "";
    out.write(`${line}\n${below === "" ? "" : `${below}\n`}`);
  };
  /** Many a process of a host begins and ends without TLS: the ends of those that were spoken of are told. */
  const spokenOf = new Set<number>();
  return (event) => {
    if ("pid" in event && event.pid !== null && event.type !== "exited") spokenOf.add(event.pid);
    switch (event.type) {
      case "exchange":
        if (event.state === "pending") return;
        show(exchangeLine(event, terminal), () => exchangeDetails(event, terminal));
        return;
      case "hello":
        show(helloLine(event, terminal), () => helloDetails(event, terminal));
        return;
      case "connection":
        show(connectionLine(event, terminal), () => connectionDetails(event, terminal));
        return;
      case "blocked":
        show(blockedLine(event, terminal), () => blockedDetails(event, terminal));
        return;
      case "message":
        out.write(`${messageLine(event, terminal)}\n`);
        return;
      case "attached": {
        const process = printable(`${event.command} ${event.pid}`);
        const functions = event.functions.slice(0, 2).join(" and ");
        const line = `${process}: by probes: ${event.file} has ${functions} of ${stackTitles[event.stack]}`;
        errors.write(`${paint("dim", line)}\n`);
        return;
      }
      case "skipped":
        errors.write(`${paint("yellow", `skipped ${event.pid}: ${printable(event.reason.text)}`)}\n`);
        return;
      case "exited":
        if (!spokenOf.delete(event.pid)) return;
        errors.write(`${paint("dim", printable(`${event.command} ${event.pid} has ended`))}\n`);
        return;
      case "lost":
        errors.write(`${paint("red", lossLine(event))}\n`);
        return;
      case "summary":
        errors.write(`${summaryLine(event)}\n`);
    }
  };
}

/** What is missing in one line, and how to get it. */
export function tellProblem({ text, remedy, command }: Problem): void {
  process.stderr.write(`plainsight: ${text} (${remedy})\n${command === undefined ? "" : `  ${command}\n`}`);
}

function summaryLine({ exchanges, messages, hellos, blocked, lost, durationMs }: SummaryEvent): string {
  const parts = [
    // Where only the network was watched, there is nothing to decrypt that could be counted.
    ...(exchanges > 0 || hellos === undefined ? [counted(exchanges, "exchange")] : []),
    ...(messages > 0 ? [counted(messages, "message")] : []),
    // Where names are refused, no other hello is shown.
    ...(hellos === undefined || (blocked !== undefined && hellos === 0) ? [] : [counted(hellos, "hello")]),
    ...(blocked === undefined ? [] : [`${counted(blocked, "connection")} blocked`]),
    `${counted(lost, "record")} lost`,
  ];
  return `${parts.join(", ")} in ${(durationMs / 1000).toFixed(1)} s`;
}

function lossLine({ records, bytes, reason }: LostEvent): string {
  return `lost ${counted(records, "record")} (${formatSize(bytes)}): ${reason.replaceAll("-", " ")}`;
}
