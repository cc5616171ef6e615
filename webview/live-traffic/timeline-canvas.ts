// Draws the timeline's bars on a canvas in the theme's colours: thousands of them cost one element.
import { element } from "./dom.ts";
import type { Outcome } from "./row-facts.ts";
import type { Bar } from "./timeline-layout.ts";

const outcomes: readonly Outcome[] = [
  "informational",
  "success",
  "redirect",
  "message",
  "pending",
  "incomplete",
  "client-error",
  "server-error",
];

export class TimelineCanvas {
  readonly element = element("canvas", { "aria-hidden": "true" });
  /** Carry the colours of styles.css, so that they are defined in one place. */
  readonly probes = element("div", { class: "colour-probes", "aria-hidden": "true" });
  readonly #colours = new Map<Outcome | "selected", string>();

  constructor() {
    for (const outcome of outcomes) this.probes.append(element("i", { "data-outcome": outcome }));
    this.probes.append(element("i", { "data-outcome": "selected" }));
    // A theme change rewrites the tokens on the root element and the classes of the body.
    const changed = new MutationObserver(() => {
      this.#colours.clear();
    });
    for (const target of [document.documentElement, document.body]) {
      changed.observe(target, { attributes: true, attributeFilter: ["style", "class"] });
    }
  }

  draw(
    bars: readonly Bar[],
    size: { width: number; height: number; laneHeight: number },
    selectedId: string | null,
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
    for (const outcome of outcomes) {
      context.fillStyle = this.#colour(outcome);
      const thickness = size.laneHeight - (outcome.endsWith("error") || outcome === "incomplete" ? 0 : 1);
      for (const bar of bars) {
        if (bar.outcome === outcome)
          context.fillRect(bar.left, bar.lane * size.laneHeight, bar.width, thickness);
      }
    }
    const selected = bars.find((bar) => bar.entry.row.id === selectedId);
    if (selected === undefined) return;
    context.strokeStyle = this.#colour("selected");
    context.lineWidth = 1;
    context.strokeRect(
      Math.round(selected.left) - 1.5,
      selected.lane * size.laneHeight - 1.5,
      Math.max(4, Math.round(selected.width)) + 3,
      size.laneHeight + 2,
    );
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
