// The line at the foot: how much there is, what was lost or dropped, and what is traced.
import type { StateParams } from "../../src/protocol/editor.ts";
import { element, fill, setAttribute, type Child } from "./dom.ts";
import { formatBytes, formatCount, formatTime } from "./format.ts";
import { icon } from "./icons.ts";
import type { Entry } from "./row-store.ts";
import { sizeOf } from "./row-facts.ts";
import type { TimeRange } from "./time-range.ts";

export interface SummaryFacts {
  state: StateParams | null;
  shown: readonly Entry[];
  droppedCount: number;
  range: TimeRange | null;
}

export class SummaryBar {
  readonly #clearRange: () => void;
  readonly #counts = element("div", { class: "summary-counts" });
  readonly #tracing = element("div", { class: "summary-tracing" });
  readonly element = element("footer", { class: "summary" }, this.#counts, this.#tracing);
  #range: TimeRange | null = null;
  readonly #rangeChip: HTMLElement;

  constructor(clearRange: () => void) {
    this.#clearRange = clearRange;
    this.#rangeChip = element("span", { class: "chip" });
  }

  show({ state, shown, droppedCount, range }: SummaryFacts): void {
    const bytes = shown.reduce((sum, entry) => sum + sizeOf(entry.row), 0);
    const lost = state?.lost.records ?? 0;
    this.#showRange(range);
    fill(
      this.#counts,
      element("span", {}, formatCount(shown.length, "row")),
      element("span", { title: "Response bodies and messages, on the wire" }, formatBytes(bytes)),
      lost > 0 ? element("span", { class: "warning" }, `${lost.toLocaleString("en-US")} lost`) : null,
      droppedCount > 0 ? element("span", {}, `${droppedCount.toLocaleString("en-US")} dropped`) : null,
      range === null ? null : this.#rangeChip,
    );
    const names = (state?.tracing ?? []).map(({ command, pid }) => `${command} (${pid})`);
    setAttribute(this.#tracing, "title", names.length > 0 ? `Tracing ${names.join(", ")}` : null);
    fill(this.#tracing, tracingText(names));
  }

  #showRange(range: TimeRange | null): void {
    if (range === this.#range || range === null) {
      this.#range = range;
      return;
    }
    this.#range = range;
    fill(
      this.#rangeChip,
      `${formatTime(range.fromMs)} – ${formatTime(range.toMs)}`,
      element(
        "button",
        {
          class: "icon-button small",
          type: "button",
          title: "Show all time",
          "aria-label": "Show all time",
          click: this.#clearRange,
        },
        icon("close"),
      ),
    );
  }
}

function tracingText(names: readonly string[]): Child {
  const [first, ...others] = names;
  if (first === undefined) return "Nothing is traced";
  return `Tracing ${first}${others.length > 0 ? ` and ${others.length} more` : ""}`;
}
