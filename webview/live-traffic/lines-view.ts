// A scrolling block of code lines of one height, drawn only around what is in sight: bodies may have 100,000 lines.
import { element, fill } from "./dom.ts";
import { visibleRows } from "./viewport.ts";

/** Generous, so that selecting text across a few screens works. */
const overscan = 100;

export class LinesView {
  readonly element: HTMLElement;
  readonly #content = element("div", { class: "lines-content", role: "none" });
  readonly #spacer = element("div", { class: "lines-spacer", role: "none" }, this.#content);
  #lineCount = 0;
  #drawLine: (index: number) => HTMLElement = () => element("div");
  #drawn = { first: 0, end: 0 };
  /** CSS pixels, from the editor's font size. */
  #lineHeight = 18;

  constructor(label: string) {
    this.element = element(
      "div",
      {
        class: "lines",
        tabindex: 0,
        "aria-label": label,
        role: "group",
        scroll: () => {
          this.#draw(false);
        },
      },
      this.#spacer,
    );
    new ResizeObserver(() => {
      this.#draw(false);
    }).observe(this.element);
  }

  setLines(lineCount: number, drawLine: (index: number) => HTMLElement): void {
    this.#lineCount = lineCount;
    this.#drawLine = drawLine;
    this.#draw(true);
  }

  reveal(index: number): void {
    const top = index * this.#lineHeight;
    const { scrollTop, clientHeight } = this.element;
    if (top < scrollTop) this.element.scrollTop = top;
    else if (top + this.#lineHeight > scrollTop + clientHeight) {
      this.element.scrollTop = top + this.#lineHeight - clientHeight;
    }
    this.#draw(false);
  }

  #draw(anew: boolean): void {
    this.#lineHeight = parseFloat(getComputedStyle(this.element).lineHeight) || this.#lineHeight;
    this.#spacer.style.height = `${this.#lineCount * this.#lineHeight}px`;
    const { scrollTop, clientHeight: height } = this.element;
    const viewport = { scrollTop, height, rowHeight: this.#lineHeight, rowCount: this.#lineCount };
    const inSight = visibleRows(viewport, 0);
    if (!anew && inSight.first >= this.#drawn.first && inSight.end <= this.#drawn.end) return;
    const { first, end } = visibleRows(viewport, overscan);
    this.#drawn = { first, end };
    this.#content.style.transform = `translateY(${first * this.#lineHeight}px)`;
    fill(
      this.#content,
      ...Array.from({ length: end - first }, (_, offset) => this.#drawLine(first + offset)),
    );
  }
}
