// What stands in the list's place when there are no rows, with the one thing to do about it.
import { element, fill, type Child } from "./dom.ts";
import { capitalised, formatCount, sentence } from "./format.ts";
import { icon, type IconName } from "./icons.ts";
import type { Situation } from "./situation.ts";

export interface EmptyEvents {
  trace(): void;
  showCoverage(): void;
  clearFilter(): void;
  resume(): void;
  copy(text: string): void;
}

export class EmptyView {
  readonly element = element("div", { class: "empty", hidden: true });
  readonly #events: EmptyEvents;
  #shown = "";

  constructor(events: EmptyEvents) {
    this.#events = events;
  }

  show(situation: Situation): void {
    const shown = JSON.stringify(situation);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.element.hidden = situation.kind === "rows";
    fill(this.element, ...this.#content(situation));
  }

  #content(situation: Situation): Child[] {
    const events = this.#events;
    switch (situation.kind) {
      case "rows":
      case "loading":
        return [];
      case "idle":
        return [
          ...words(
            "traffic",
            "Nothing is traced yet",
            "Trace a running process, or start a debug session: its decrypted HTTP traffic appears here as it happens.",
          ),
          actions(
            primary("Trace a Process…", events.trace.bind(events)),
            secondary("Show Coverage", events.showCoverage.bind(events)),
          ),
        ];
      case "waiting": {
        const names = situation.tracing.map(({ command, pid }) =>
          element("li", {}, `${command} `, element("span", { class: "faint" }, pid.toString())),
        );
        return [
          ...words(
            "traffic",
            "Waiting for traffic",
            "The probes are attached. The next request or response over TLS appears here.",
          ),
          element("ul", { class: "traced", "aria-label": "Traced processes" }, ...names),
        ];
      }
      case "held":
        return [
          ...words("pause", "Paused", `${formatCount(situation.heldCount, "new row")} waiting.`),
          actions(primary("Resume", events.resume.bind(events))),
        ];
      case "filtered":
        return [
          ...words(
            "filter",
            "No row matches",
            `${formatCount(situation.hiddenCount, "row is", "rows are")} hidden by the filter or the time range.`,
          ),
          actions(primary("Clear Filter", events.clearFilter.bind(events))),
        ];
      case "problem": {
        const { text, remedy, command } = situation.problem;
        return [
          ...words("error", capitalised(text), sentence(remedy)),
          command === undefined ? null : element("pre", { class: "command", tabindex: 0 }, command),
          actions(
            command === undefined
              ? null
              : primary("Copy Command", () => {
                  events.copy(command);
                }),
            secondary("Show Coverage", events.showCoverage.bind(events)),
          ),
        ];
      }
    }
  }
}

function words(name: IconName, title: string, text: string): Child[] {
  return [
    element("div", { class: `empty-icon ${name}` }, icon(name)),
    element("h2", {}, title),
    element("p", {}, text),
  ];
}

function actions(...buttons: Child[]): HTMLElement {
  return element("div", { class: "actions" }, ...buttons);
}

function primary(title: string, click: () => void): HTMLElement {
  return element("button", { class: "button", type: "button", click }, title);
}

function secondary(title: string, click: () => void): HTMLElement {
  return element("button", { class: "button secondary", type: "button", click }, title);
}
