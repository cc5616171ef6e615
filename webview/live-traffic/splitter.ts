// Divides a container between the list and the detail pane: side by side where there is room, else one above the
// other. The divider is dragged, or moved by the arrow keys.
import { element, setAttribute } from "./dom.ts";
import { clamp } from "./viewport.ts";

/** Narrower than this, the detail pane goes below the list. CSS pixels. */
const sideBySideWidth = 760;
const keyStep = 0.04;

export type Place = "right" | "below";

export interface Shares {
  right: number;
  below: number;
}

export class Splitter {
  readonly #container: HTMLElement;
  readonly #changed: (shares: Shares) => void;
  readonly element = element("div", {
    class: "splitter",
    role: "separator",
    tabindex: 0,
    "aria-label": "Size of the details",
  });
  #shares: Shares;

  constructor(container: HTMLElement, shares: Shares, changed: (shares: Shares) => void) {
    this.#container = container;
    this.#shares = shares;
    this.#changed = changed;
    this.element.addEventListener("pointerdown", (event) => {
      this.#onPointerDown(event);
    });
    this.element.addEventListener("keydown", (event) => {
      this.#onKey(event);
    });
    new ResizeObserver(() => {
      this.apply();
    }).observe(container);
  }

  apply(): void {
    const place = this.#place();
    const percent = Math.round(this.#shares[place] * 100);
    this.#container.classList.toggle("side-by-side", place === "right");
    this.#container.style.setProperty("--detail-share", `${percent}%`);
    setAttribute(this.element, "aria-orientation", place === "right" ? "vertical" : "horizontal");
    setAttribute(this.element, "aria-valuenow", percent);
    setAttribute(this.element, "aria-valuemin", 15);
    setAttribute(this.element, "aria-valuemax", 85);
  }

  #place(): Place {
    return this.#container.clientWidth >= sideBySideWidth ? "right" : "below";
  }

  #set(share: number): void {
    this.#shares = { ...this.#shares, [this.#place()]: clamp(share, 0.15, 0.85) };
    this.apply();
    this.#changed(this.#shares);
  }

  #onPointerDown(down: PointerEvent): void {
    down.preventDefault();
    this.element.setPointerCapture(down.pointerId);
    const drag = new AbortController();
    const move = (event: PointerEvent): void => {
      const box = this.#container.getBoundingClientRect();
      const right = (box.right - event.clientX) / box.width;
      this.#set(this.#place() === "right" ? right : (box.bottom - event.clientY) / box.height);
    };
    const end = (): void => {
      drag.abort();
    };
    this.element.addEventListener("pointermove", move, { signal: drag.signal });
    this.element.addEventListener("pointerup", end, { signal: drag.signal });
    this.element.addEventListener("pointercancel", end, { signal: drag.signal });
  }

  #onKey(event: KeyboardEvent): void {
    const place = this.#place();
    const [more, less] = place === "right" ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
    if (event.key !== more && event.key !== less) return;
    event.preventDefault();
    this.#set(this.#shares[place] + (event.key === more ? keyStep : -keyStep));
  }
}
