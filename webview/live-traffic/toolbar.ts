// The toolbar: pause, clear, follow the newest, the filter box, the columns, the watch of the network, and stop tracing.
import { element, setAttribute, setText } from "./dom.ts";
import { FilterBox } from "./filter-box.ts";
import { icon, setIcon, type IconName } from "./icons.ts";

export interface ToolbarEvents {
  pause(): void;
  clear(): void;
  follow(): void;
  /** The menu of columns is wanted under this button. */
  columns(button: HTMLElement): void;
  /** The watch of the network is wanted, or no longer. */
  watchNetwork(): void;
  stop(): void;
  filter(text: string): void;
  /** The user is done in the filter box and goes on in the list. */
  leaveFilter(): void;
}

export interface ToolbarFacts {
  paused: boolean;
  heldCount: number;
  following: boolean;
  tracing: boolean;
  watchingNetwork: boolean;
  rowCount: number;
  shownCount: number;
  filterError: string | null;
}

export class Toolbar {
  readonly element: HTMLElement;
  readonly filterBox: FilterBox;
  readonly #pauseIcon = icon("pause");
  readonly #held = element("span", { class: "badge" });
  readonly #pause: HTMLButtonElement;
  readonly #clear: HTMLButtonElement;
  readonly #follow: HTMLButtonElement;
  readonly #network: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;

  constructor(events: ToolbarEvents) {
    this.#pause = button("", [this.#pauseIcon, this.#held], events.pause.bind(events));
    this.#clear = iconButton("clear", "Clear", events.clear.bind(events));
    this.#follow = iconButton("follow", "Follow the newest", events.follow.bind(events));
    this.#network = iconButton("network", "Watch TLS connections", events.watchNetwork.bind(events));
    this.#stop = iconButton("stop", "Stop tracing", events.stop.bind(events));
    const columns = iconButton("columns", "Columns", () => {
      events.columns(columns);
    });
    setAttribute(columns, "aria-haspopup", "menu");
    this.filterBox = new FilterBox({
      change: events.filter.bind(events),
      leave: events.leaveFilter.bind(events),
    });
    this.element = element(
      "header",
      { class: "toolbar" },
      this.#pause,
      this.#clear,
      this.#follow,
      this.filterBox.element,
      columns,
      this.#network,
      this.#stop,
    );
  }

  show(facts: ToolbarFacts): void {
    const title = facts.paused ? "Resume (Space)" : "Pause (Space)";
    setAttribute(this.#pause, "title", title);
    setAttribute(this.#pause, "aria-label", title);
    setAttribute(this.#pause, "aria-pressed", facts.paused ? "true" : "false");
    setIcon(this.#pauseIcon, facts.paused ? "resume" : "pause");
    const held = facts.paused && facts.heldCount > 0;
    this.#held.hidden = !held;
    setText(this.#held, `${facts.heldCount.toLocaleString("en-US")} new`);
    setAttribute(this.#follow, "aria-pressed", facts.following ? "true" : "false");
    this.#clear.disabled = facts.rowCount === 0 && facts.heldCount === 0;
    setAttribute(this.#network, "aria-pressed", facts.watchingNetwork ? "true" : "false");
    this.#stop.hidden = !facts.tracing;
    this.filterBox.showResult(facts.shownCount, facts.rowCount, facts.filterError);
  }
}

function iconButton(name: IconName, title: string, click: () => void): HTMLButtonElement {
  return button(title, [icon(name)], click);
}

function button(title: string, content: Node[], click: () => void): HTMLButtonElement {
  return element(
    "button",
    { class: "icon-button", type: "button", title, "aria-label": title, click },
    ...content,
  );
}
