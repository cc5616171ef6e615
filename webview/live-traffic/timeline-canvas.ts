// Draws the timeline's bars on a canvas in the theme's colours: thousands of them cost one element.
import { element } from "./dom.ts";
import type { Outcome } from "./row-facts.ts";
import { stackOrder, type Rectangle } from "./timeline-counts.ts";

/** Opacity of what lies outside the chosen range. */
const dimmed = 0.3;

export class TimelineCanvas {
  readonly element = element("canvas", { "aria-hidden": "true" });
  /** Carry the colours of styles.css, so that they are defined in one place. */
  readonly probes = element("div", { class: "colour-probes", "aria-hidden": "true" });
  readonly #colours = new Map<Outcome | "selected", string>();

  constructor() {
    for (const outcome of stackOrder) this.probes.append(element("i", { "data-outcome": outcome }));
    this.probes.append(element("i", { "data-outcome": "selected" }));
    // A theme change rewrites the tokens on the root element and the classes of the body.
    const changed = new MutationObserver(() => {
      this.#colours.clear();
    });
    for (const target of [document.documentElement, document.body]) {
      changed.observe(target, { attributes: true, attributeFilter: ["style", "class"] });
    }
  }

  /** `selected` is framed; what lies outside `inFocus`, from and to in pixels, is dimmed. */
  draw(
    rectangles: readonly Rectangle[],
    size: { width: number; height: number },
    selected: Rectangle | null,
    inFocus: [from: number, to: number] | null,
  ): void {
    const context = this.element.getContext("2d");
    if (context === null) return;
    const ratio = window.devicePixelRatio;
    const [width, height] = [Math.round(size.width * ratio), Math.round(size.height * ratio)];
    if (this.element.width !== width) this.element.width = width;
    if (this.element.height !== height) this.element.height = height;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, size.width, size.height);
    // Errors come last: they are what one looks for, and must not be covered.
    for (const outcome of [...stackOrder].reverse()) {
      context.fillStyle = this.#colour(outcome);
      for (const { outcome: own, left, top, width, height } of rectangles) {
        if (own !== outcome) continue;
        const outside = inFocus !== null && (left > inFocus[1] || left + width < inFocus[0]);
        context.globalAlpha = outside ? dimmed : 1;
        context.fillRect(left, top, width, height);
      }
    }
    context.globalAlpha = 1;
    if (selected === null) return;
    const { left, top, width: barWidth, height: barHeight } = selected;
    context.strokeStyle = this.#colour("selected");
    context.strokeRect(Math.round(left) - 1.5, top - 0.5, Math.round(barWidth) + 3, barHeight + 1);
  }

  #colour(name: Outcome | "selected"): string {
    let colour = this.#colours.get(name);
    if (colour === undefined) {
      const probe = this.probes.querySelector(`[data-outcome="${name}"]`);
      colour = probe === null ? "" : getComputedStyle(probe).color;
      this.#colours.set(name, colour);
    }
    return colour;
  }
}
