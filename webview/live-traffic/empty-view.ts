// What stands in the list's place when there are no rows, with the one thing to do about it.
import { element, fill, type Child } from "./dom.ts";
import { capitalised, formatCount, sentence } from "./format.ts";
import { icon, type IconName } from "./icons.ts";
import type { Situation } from "./situation.ts";

export interface EmptyEvents {
  trace(): void;
  watchNetwork(): void;
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
            "Trace a running process, or start a debug session: its decrypted HTTP traffic appears here as it happens. Watch TLS connections to see who talks to whom, of every process.",
          ),
          this.#beginnings(),
        ];
      case "gone":
        return [
          ...words(
            "traffic",
            "Earlier rows were not kept",
            "The window was closed or reloaded, and every trace ended with it. What was decrypted stays in memory only: it is never written to disk.",
          ),
          this.#beginnings(),
        ];
      case "waiting": {
        const { tracing, interfaces } = situation;
        const processes = tracing.map(({ command, pid }) =>
          element("li", {}, `${command} `, element("span", { class: "faint" }, pid.toString())),
        );
        const traced = "The probes are attached. The next request or response over TLS appears here.";
        const watched =
          "The network is watched. The next TLS connection of any process appears here, with its server name and fingerprint; at its end, how much it carried.";
        return [
          ...(processes.length > 0
            ? words("traffic", "Waiting for traffic", interfaces.length > 0 ? `${traced} ${watched}` : traced)
            : words("network", "Waiting for connections", watched)),
          names("Traced processes", processes),
          names(
            "Watched interfaces",
            interfaces.map((name) => element("li", {}, name)),
          ),
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
            // Once the remedy is done, or where the trace ended by itself.
            secondary("Trace a Process…", events.trace.bind(events)),
            secondary("Show Coverage", events.showCoverage.bind(events)),
          ),
        ];
      }
    }
  }

  /** The ways to have rows. */
  #beginnings(): HTMLElement {
    const events = this.#events;
    return actions(
      primary("Trace a Process…", events.trace.bind(events)),
      secondary("Watch TLS Connections", events.watchNetwork.bind(events)),
      secondary("Show Coverage", events.showCoverage.bind(events)),
    );
  }
}

function words(name: IconName, title: string, text: string): Child[] {
  return [
    element("div", { class: `empty-icon ${name}` }, icon(name)),
    element("h2", {}, title),
    element("p", {}, text),
  ];
}

function names(label: string, items: HTMLElement[]): Child {
  return items.length === 0 ? null : element("ul", { class: "traced", "aria-label": label }, ...items);
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
