// The list from which the user picks processes to trace: all of which probes show anything, the workspace's own first,
// the editor's last. Each says what is shown, and what not. Pure.
import type { ProcessReport } from "../protocol/coverage.ts";
import { canBeTraced, isTracedInPart, reachText, restText } from "./probe-reach.ts";
import { processLabel } from "./process-text.ts";
import { ownerOf, type WorkspaceFacts } from "./workspace-service.ts";

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

const sections = [
  { title: "This workspace", owner: "workspace" },
  { title: "Other processes", owner: "other" },
  { title: "This editor", owner: "editor" },
] as const;

/**
 * The processes in sections, without empty ones; newest first, for it is the one just started, and those of which a
 * part alone is shown after the others.
 */
export function pickerSections(processes: ProcessReport[], facts: WorkspaceFacts): PickerSection[] {
  const offered = processes
    .filter(canBeTraced)
    .sort(
      (a, b) =>
        Number(isTracedInPart(a)) - Number(isTracedInPart(b)) ||
        (b.startedAt ?? "").localeCompare(a.startedAt ?? "") ||
        b.pid - a.pid,
    );
  return sections
    .map(({ title, owner }) => ({
      title,
      choices: offered.filter((process) => ownerOf(process, facts) === owner).map(choiceOf),
    }))
    .filter(({ choices }) => choices.length > 0);
}

function choiceOf(process: ProcessReport): PickerChoice {
  const where = process.service ?? process.user ?? "";
  const rest = restText(process);
  const words = process.arguments.join(" ");
  return {
    pid: process.pid,
    label: processLabel(process),
    description: [String(process.pid), reachText(process), where].filter((part) => part !== "").join(" · "),
    detail: rest === null ? words : `${rest} · ${words}`,
  };
}
