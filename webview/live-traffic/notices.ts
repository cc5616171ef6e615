// The strip of notices between toolbar and timeline: what is wrong, not seen, lost or dropped. Nothing is lost
// in silence, so a notice comes back whenever there is more to say than when it was dismissed.
import type { StateParams } from "../../src/protocol/editor.ts";
import { element, setAttribute, setText } from "./dom.ts";
import { formatBytes, formatCount, sentence } from "./format.ts";
import { icon } from "./icons.ts";
import { rowLimit } from "./row-store.ts";

export interface NoticeFacts {
  state: StateParams | null;
  droppedCount: number;
  /** True when the list has rows; without, a problem has the whole view to itself. */
  hasRows: boolean;
}

interface Notice {
  kind: "problem" | "network" | "lost" | "dropped";
  /** What is said differs where this differs: a dismissed notice comes back with another one. */
  version: string;
  text: string;
  command?: string;
}

const severities: Record<Notice["kind"], "info" | "warning" | "error"> = {
  problem: "error",
  network: "info",
  lost: "warning",
  dropped: "info",
};

export class Notices {
  readonly element = element("div", { class: "notices" });
  readonly #strips: Strip[];

  constructor(copy: (text: string) => void) {
    const kinds = ["problem", "network", "lost", "dropped"] as const;
    this.#strips = kinds.map((kind) => new Strip(kind, copy));
    this.element.append(...this.#strips.map((strip) => strip.element));
  }

  show(facts: NoticeFacts): void {
    const notices = noticesFor(facts);
    for (const strip of this.#strips)
      strip.show(notices.find((notice) => notice.kind === strip.kind) ?? null);
  }

  /** After a clear everything may be said again. */
  reset(): void {
    for (const strip of this.#strips) strip.dismissed = null;
  }
}

/** One kind of notice. Its elements stay while its text changes, or a click on them would miss. */
class Strip {
  readonly kind: Notice["kind"];
  readonly element: HTMLElement;
  /** The version that was dismissed. */
  dismissed: string | null = null;
  readonly #text = element("span", { class: "notice-text" });
  readonly #copy: HTMLElement;
  #shown: Notice | null = null;

  constructor(kind: Notice["kind"], copy: (text: string) => void) {
    this.kind = kind;
    this.#copy = element(
      "button",
      {
        class: "link",
        type: "button",
        click: () => {
          copy(this.#shown?.command ?? "");
        },
      },
      "Copy command",
    );
    const dismiss = element(
      "button",
      {
        class: "icon-button small",
        type: "button",
        title: "Dismiss",
        "aria-label": "Dismiss",
        click: () => {
          this.dismissed = this.#shown?.version ?? null;
          this.show(this.#shown);
        },
      },
      icon("close"),
    );
    const severity = severities[kind];
    // A count that grows all the time would never let a screen reader finish.
    const role = kind === "dropped" ? null : "status";
    this.element = element(
      "div",
      { class: `notice ${severity}`, role },
      icon(severity),
      this.#text,
      this.#copy,
      dismiss,
    );
  }

  show(notice: Notice | null): void {
    this.#shown = notice;
    this.element.hidden = notice === null || notice.version === this.dismissed;
    if (notice === null) return;
    setText(this.#text, notice.text);
    setAttribute(this.#text, "title", notice.text);
    this.#copy.hidden = notice.command === undefined;
  }
}

function noticesFor({ state, droppedCount, hasRows }: NoticeFacts): Notice[] {
  const notices: Notice[] = [];
  const problem = state?.problem ?? state?.networkProblem;
  if (problem !== undefined && hasRows) {
    const { text, remedy, command } = problem;
    const said = `${sentence(text)} ${sentence(remedy)}`;
    notices.push({
      kind: "problem",
      version: said,
      text: said,
      ...(command === undefined ? {} : { command }),
    });
  }
  const missing = state?.network?.missing ?? [];
  if (missing.length > 0) {
    const text = `Not seen of the network: ${missing.map((reason) => reason.text).join("; ")}`;
    notices.push({ kind: "network", version: text, text });
  }
  const lost = state?.lost ?? { records: 0, bytes: 0 };
  if (lost.records > 0) {
    const amount = `${formatCount(lost.records, "record")} lost (${formatBytes(lost.bytes)})`;
    const text = `${amount}: some exchanges are missing or not whole`;
    notices.push({ kind: "lost", version: lost.records.toString(), text });
  }
  if (droppedCount > 0) {
    const kept = rowLimit.toLocaleString("en-US");
    const text = `${formatCount(droppedCount, "row")} dropped: more came than can be shown (the list keeps ${kept})`;
    // Once dismissed it stays so: a busy service would bring it back ten times a second. The summary goes on counting.
    notices.push({ kind: "dropped", version: "", text });
  }
  return notices;
}
