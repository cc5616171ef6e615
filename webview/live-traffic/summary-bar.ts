// The line at the foot: how much there is, what was lost or dropped, what is traced, and whether the network is watched.
import type { NetworkState, StateParams } from "../../src/protocol/editor.ts";
import { element, setAttribute, setText } from "./dom.ts";
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
  readonly #rows = element("span");
  readonly #bytes = element("span", {
    title:
      "The sum of the sizes shown: response bodies, messages, and connections of which only metadata is seen",
  });
  readonly #lost = element("span", { class: "warning" });
  readonly #dropped = element("span");
  readonly #rangeText = element("span");
  readonly #range: HTMLElement;
  readonly #tracing = element("div", { class: "summary-tracing" });
  readonly element: HTMLElement;

  constructor(clearRange: () => void) {
    this.#range = element(
      "span",
      { class: "chip" },
      this.#rangeText,
      element(
        "button",
        {
          class: "icon-button small",
          type: "button",
          title: "Show all time",
          "aria-label": "Show all time",
          click: clearRange,
        },
        icon("close"),
      ),
    );
    this.element = element(
      "footer",
      { class: "summary" },
      element(
        "div",
        { class: "summary-counts" },
        this.#rows,
        this.#bytes,
        this.#lost,
        this.#dropped,
        this.#range,
      ),
      this.#tracing,
    );
  }

  show({ state, shown, droppedCount, range }: SummaryFacts): void {
    const lost = state?.lost.records ?? 0;
    setText(this.#rows, formatCount(shown.length, "row"));
    setText(this.#bytes, formatBytes(shown.reduce((sum, entry) => sum + (sizeOf(entry.row) ?? 0), 0)));
    setText(this.#lost, `${lost.toLocaleString("en-US")} lost`);
    setText(this.#dropped, `${droppedCount.toLocaleString("en-US")} dropped`);
    this.#lost.hidden = lost === 0;
    this.#dropped.hidden = droppedCount === 0;
    this.#range.hidden = range === null;
    if (range !== null) setText(this.#rangeText, `${formatTime(range.fromMs)} – ${formatTime(range.toMs)}`);
    const names = (state?.tracing ?? []).map(({ command, pid }) => `${command} (${pid})`);
    const watching = state?.network && watchingText(state.network);
    const title = [names.length > 0 ? `Tracing ${names.join(", ")}` : null, watching].filter(isThere);
    setAttribute(this.#tracing, "title", title.length > 0 ? title.join("\n") : null);
    setText(this.#tracing, [tracingText(names), watching].filter(isThere).join(" · ") || "Nothing is traced");
  }
}

const isThere = (text: string | null | undefined): text is string => text != null;

function tracingText(names: readonly string[]): string | null {
  const [first, ...others] = names;
  if (first === undefined) return null;
  return `Tracing ${first}${others.length > 0 ? ` and ${others.length} more` : ""}`;
}

function watchingText({ interfaces, connections }: NetworkState): string {
  return `Watching ${interfaces.join(", ")}: ${formatCount(connections, "TLS connection")}`;
}
