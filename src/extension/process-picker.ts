// The list from which the user picks processes to trace: the workspace's own first, then the rest. Pure.
import type { ProcessReport } from "../protocol/coverage.ts";
import { processLabel, stacksText } from "./process-text.ts";

export interface PickerChoice {
  pid: number;
  label: string;
  description: string;
  detail: string;
}

export interface PickerSection {
  title: string;
  choices: PickerChoice[];
}

/** The traceable processes in sections, without empty ones; newest first, for it is the one just started. */
export function pickerSections(
  processes: ProcessReport[],
  isOfWorkspace: (process: ProcessReport) => boolean,
): PickerSection[] {
  const traceable = processes
    .filter(({ verdict }) => verdict === "traceable")
    .sort((a, b) => (b.startedAt ?? "").localeCompare(a.startedAt ?? "") || b.pid - a.pid);
  const own = traceable.filter(isOfWorkspace);
  const others = traceable.filter((process) => !isOfWorkspace(process));
  return [
    { title: "This workspace", choices: own.map(choiceOf) },
    { title: "Other processes", choices: others.map(choiceOf) },
  ].filter(({ choices }) => choices.length > 0);
}

function choiceOf(process: ProcessReport): PickerChoice {
  const where = process.service ?? process.user ?? "";
  return {
    pid: process.pid,
    label: processLabel(process),
    description: [String(process.pid), stacksText(process.stacks), where]
      .filter((part) => part !== "")
      .join(" · "),
    detail: process.arguments.join(" "),
  };
}
