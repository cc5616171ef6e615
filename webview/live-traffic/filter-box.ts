// The filter box: the text, how many rows pass, and what is wrong when the text cannot be understood.
import { element, setAttribute, setText } from "./dom.ts";
import { icon } from "./icons.ts";

export interface FilterBoxEvents {
  change(text: string): void;
  /** Arrow down, Enter, or Escape in an empty box. */
  leave(): void;
}

const hint =
  "Words in method, host, path, process or fingerprint.\n" +
  "status:5xx  method:POST  process:node  host:api  path:/orders  type:json\n" +
  "is:error  is:pending  larger-than:10k  slower-than:100ms\n" +
  "Of connections: is:metadata  is:blocked  is:open  is:ech  alpn:h2  version:1.2  ja4:t13d  interface:eth0\n" +
  "-word leaves out, commas mean or";

export class FilterBox {
  readonly element: HTMLElement;
  readonly #events: FilterBoxEvents;
  readonly #input: HTMLInputElement;
  readonly #count = element("span", { class: "filter-count", id: "filter-count" });
  readonly #error = element("div", {
    class: "filter-error",
    id: "filter-error",
    role: "alert",
    hidden: true,
  });
  readonly #clear: HTMLButtonElement;

  constructor(events: FilterBoxEvents) {
    this.#events = events;
    this.#input = element("input", {
      type: "text",
      class: "filter-input",
      placeholder: "Filter (e.g. orders, status:5xx, -host:localhost)",
      title: hint,
      "aria-label": "Filter",
      "aria-describedby": "filter-count filter-error",
      spellcheck: "false",
      autocomplete: "off",
      input: () => {
        events.change(this.#input.value);
      },
      keydown: (event: KeyboardEvent) => {
        this.#onKey(event);
      },
    });
    this.#clear = element(
      "button",
      {
        class: "icon-button small",
        type: "button",
        title: "Clear the filter (Escape)",
        "aria-label": "Clear the filter",
        click: () => {
          this.#set("");
          this.focus();
        },
      },
      icon("close"),
    );
    this.element = element(
      "div",
      { class: "filter-box" },
      icon("filter"),
      this.#input,
      this.#count,
      this.#clear,
      this.#error,
    );
  }

  /** Sets the text without telling anyone. */
  setText(text: string): void {
    this.#input.value = text;
  }

  focus(): void {
    this.#input.focus();
    this.#input.select();
  }

  showResult(shownCount: number, rowCount: number, error: string | null): void {
    const narrowed = shownCount !== rowCount;
    const number = (count: number): string => count.toLocaleString("en-US");
    const text = narrowed ? `${number(shownCount)} of ${number(rowCount)}` : "";
    setText(this.#count, text);
    this.#clear.hidden = this.#input.value === "";
    setAttribute(this.#input, "aria-invalid", error === null ? null : "true");
    this.element.classList.toggle("invalid", error !== null);
    this.#error.hidden = error === null;
    setText(this.#error, error ?? "");
  }

  #set(text: string): void {
    this.#input.value = text;
    this.#events.change(text);
  }

  #onKey(event: KeyboardEvent): void {
    if (event.key === "Escape") {
      event.stopPropagation();
      if (this.#input.value === "") this.#events.leave();
      else this.#set("");
    } else if (event.key === "ArrowDown" || event.key === "Enter") {
      event.preventDefault();
      this.#events.leave();
    }
  }
}
