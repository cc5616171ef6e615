// The strip of notices between toolbar and timeline: what was lost, what was dropped, what is wrong. Nothing is lost
// in silence, so a notice comes back whenever there is more to say than when it was dismissed.
import type { StateParams } from "../../src/protocol/editor.ts";
import { element, fill, type Child } from "./dom.ts";
import { formatBytes, formatCount } from "./format.ts";
import { icon, type IconName } from "./icons.ts";
import { rowLimit } from "./row-store.ts";

export interface NoticeFacts {
  state: StateParams | null;
  droppedCount: number;
  /** True when the list has rows; without, a problem has the whole view to itself. */
  hasRows: boolean;
}

interface Notice {
  kind: "lost" | "dropped" | "problem";
  severity: "info" | "warning" | "error";
  /** Grows when there is more to say. */
  weight: number;
  text: string;
  command?: string;
}

export class Notices {
  readonly element = element("div", { class: "notices" });
  readonly #copy: (text: string) => void;
  readonly #dismissed = new Map<Notice["kind"], number>();
  #facts: NoticeFacts = { state: null, droppedCount: 0, hasRows: false };
  #shown = "";

  constructor(copy: (text: string) => void) {
    this.#copy = copy;
  }

  show(facts: NoticeFacts): void {
    this.#facts = facts;
    const notices = noticesFor(facts).filter(({ kind, weight }) => weight > (this.#dismissed.get(kind) ?? 0));
    const shown = JSON.stringify(notices);
    if (shown === this.#shown) return;
    this.#shown = shown;
    fill(this.element, ...notices.map((notice) => this.#noticeElement(notice)));
  }

  /** After a clear everything may be said again. */
  reset(): void {
    this.#dismissed.clear();
  }

  #noticeElement(notice: Notice): HTMLElement {
    const { command } = notice;
    const copy: Child =
      command === undefined
        ? null
        : element(
            "button",
            {
              class: "link",
              type: "button",
              click: () => {
                this.#copy(command);
              },
            },
            "Copy command",
          );
    return element(
      "div",
      { class: `notice ${notice.severity}`, role: "status" },
      icon(notice.severity satisfies IconName),
      element("span", { class: "notice-text", title: notice.text }, notice.text),
      copy,
      element(
        "button",
        {
          class: "icon-button small",
          type: "button",
          title: "Dismiss",
          "aria-label": "Dismiss",
          click: () => {
            this.#dismissed.set(notice.kind, notice.weight);
            this.show(this.#facts);
          },
        },
        icon("close"),
      ),
    );
  }
}

function noticesFor({ state, droppedCount, hasRows }: NoticeFacts): Notice[] {
  const notices: Notice[] = [];
  if (state?.problem !== undefined && hasRows) {
    const { text, remedy, command } = state.problem;
    notices.push({
      kind: "problem",
      severity: "error",
      weight: 1,
      text: `${text}. ${remedy}`,
      ...(command === undefined ? {} : { command }),
    });
  }
  const lost = state?.lost ?? { records: 0, bytes: 0 };
  if (lost.records > 0) {
    const text = `${formatCount(lost.records, "record")} lost (${formatBytes(lost.bytes)}): some exchanges are missing or not whole`;
    notices.push({ kind: "lost", severity: "warning", weight: lost.records, text });
  }
  if (droppedCount > 0) {
    const text = `${formatCount(droppedCount, "row")} dropped: the newest ${rowLimit.toLocaleString("en-US")} are kept`;
    // Once dismissed it stays so: on a busy service it would come back ten times a second. The summary goes on counting.
    notices.push({ kind: "dropped", severity: "info", weight: 1, text });
  }
  return notices;
}
