// The timeline above the list: when each exchange began and ended, and a brush that chooses a span of time. Its axis
// and brush are d3's; the bars are on a canvas beneath.
import { axisTop, brushX, scaleTime, select, type D3BrushEvent } from "d3";
import { element, setAttribute } from "./dom.ts";
import { formatTime } from "./format.ts";
import type { Entry } from "./row-store.ts";
import type { TimelineSpan } from "./saved-state.ts";
import { TimelineCanvas } from "./timeline-canvas.ts";
import { stackCounts, type Rectangle } from "./timeline-counts.ts";
import { barAt, layOutBars, shownRange, type Bar } from "./timeline-layout.ts";
import type { TimeRange } from "./time-range.ts";
import { clamp } from "./viewport.ts";

const axisHeight = 18;
const laneHeight = 6;
const laneCount = 6;
const barsHeight = laneHeight * laneCount;
/** Pixels around a bar that still mean the bar. */
const clickReach = 8;

const spans: [TimelineSpan, string][] = [
  ["10s", "10 s"],
  ["1m", "1 min"],
  ["10m", "10 min"],
  ["all", "All"],
];

export interface TimelineEvents {
  range(range: TimeRange | null): void;
  span(span: TimelineSpan): void;
  pick(entry: Entry): void;
}

export interface TimelineFacts {
  /** Entries that give the axis its extent. */
  all: readonly Entry[];
  /** Entries that get bars: filtering does not move the axis. */
  matching: readonly Entry[];
  span: TimelineSpan;
  /** The chosen span of time, if any. */
  range: TimeRange | null;
  selectedId: string | null;
}

export class Timeline {
  readonly element: HTMLElement;
  readonly #events: TimelineEvents;
  readonly #plot = element("div", { class: "timeline-plot" });
  readonly #canvas = new TimelineCanvas();
  readonly #span: HTMLSelectElement;
  readonly #svg = select(this.#plot).append("svg");
  readonly #axis = this.#svg
    .append("g")
    .attr("class", "axis")
    .attr("transform", `translate(0,${axisHeight})`);
  readonly #brushLayer = this.#svg.append("g").attr("transform", `translate(0,${axisHeight})`);
  readonly #brush = brushX<unknown>();
  readonly #scale = scaleTime();
  #bars: Bar[] = [];
  #brushWidth = 0;
  #range: TimeRange | null = null;
  /** What is shown while a range is chosen or being chosen: time stands still under the pointer. */
  #frozen: TimeRange | null = null;
  /** True between the first and the last moment of a drag: the brush is the user's then. */
  #brushing = false;

  constructor(events: TimelineEvents) {
    this.#events = events;
    this.#span = element(
      "select",
      {
        "aria-label": "Time shown",
        title: "How much of the past the timeline shows",
        change: () => {
          this.#onSpan();
        },
      },
      ...spans.map(([value, title]) => element("option", { value }, title)),
    );
    this.#plot.prepend(this.#canvas.element);
    this.element = element("div", { class: "timeline" }, this.#plot, this.#span, this.#canvas.probes);
    this.#svg
      .attr("tabindex", 0)
      .attr("role", "group")
      .on("keydown", (event: KeyboardEvent) => {
        this.#onKey(event);
      });
    this.#brush
      // Only the user's own brushing has a source event; moving the brush from here has none.
      .on("start", (event: D3BrushEvent<unknown>) => {
        if (event.sourceEvent == null) return;
        this.#brushing = true;
        this.#frozen ??= this.#domain();
      })
      .on("end", (event: D3BrushEvent<unknown>) => {
        if (event.sourceEvent == null) return;
        this.#brushing = false;
        this.#onBrush(event.selection as [number, number] | null);
      });
    // d3's brush cannot tell a click from an empty drag, so the click is taken where it begins.
    this.#brushLayer.on("click", (event: MouseEvent) => {
      this.#onClick(event);
    });
  }

  draw({ all, matching, span, range, selectedId }: TimelineFacts): void {
    const width = this.#plot.clientWidth;
    this.#span.value = span;
    this.#setRange(range);
    const domain = this.#frozen ?? shownRange(all, span);
    if (domain === null || width === 0) return;
    this.#scale.domain([domain.fromMs, domain.toMs]).range([0, width]);
    this.#drawBars(matching, domain, width, selectedId);
    this.#drawAxis(width);
    this.#drawBrush(width);
  }

  #drawBars(entries: readonly Entry[], domain: TimeRange, width: number, selectedId: string | null): void {
    const size = { width, height: barsHeight };
    const inFocus = this.#rangePixels(width);
    const { bars, crowded } = layOutBars(entries, domain, width, laneCount);
    this.#bars = bars;
    const selected = bars.find((bar) => bar.entry.row.id === selectedId);
    if (crowded) {
      const mark = selected === undefined ? null : { ...rectangle(selected), top: 0, height: barsHeight };
      this.#canvas.draw(stackCounts(entries, domain, size), size, mark, inFocus);
    } else {
      this.#canvas.draw(
        bars.map(rectangle),
        size,
        selected === undefined ? null : rectangle(selected),
        inFocus,
      );
    }
  }

  #drawAxis(width: number): void {
    // Labels that would be cut at the edges, or lie under the choice of the span, are left out.
    const ticks = this.#scale.ticks(Math.max(2, Math.floor(width / 120))).filter((tick) => {
      const x = this.#scale(tick);
      return x > 28 && x < width - 90;
    });
    const [first, second] = ticks;
    const fine = first !== undefined && second !== undefined && second.getTime() - first.getTime() < 1000;
    const label = (tick: Date | number | { valueOf(): number }): string => {
      const time = formatTime(tick.valueOf());
      return fine ? time : time.replace(/\..*/, "");
    };
    this.#svg.attr("width", width).attr("height", axisHeight + barsHeight);
    this.#axis.call(
      axisTop<Date | number | { valueOf(): number }>(this.#scale)
        .tickValues(ticks)
        .tickFormat(label)
        .tickSizeInner(-barsHeight)
        .tickSizeOuter(0)
        .tickPadding(4),
    );
  }

  #drawBrush(width: number): void {
    if (this.#brushing) return;
    if (width !== this.#brushWidth) {
      this.#brushWidth = width;
      this.#brush.extent([
        [0, 0],
        [width, barsHeight],
      ]);
      this.#brushLayer.call(this.#brush);
    }
    const pixels = this.#rangePixels(width);
    this.#brushLayer.call((layer) => {
      this.#brush.move(layer, pixels);
    });
    const shown =
      this.#range === null
        ? "all time"
        : `${formatTime(this.#range.fromMs)} to ${formatTime(this.#range.toMs)}`;
    const label = `Timeline, ${shown}. Left and right arrows choose a time range, with Shift they resize it, Escape shows all.`;
    const svg = this.#svg.node();
    if (svg !== null) setAttribute(svg, "aria-label", label);
  }

  #rangePixels(width: number): [from: number, to: number] | null {
    if (this.#range === null) return null;
    const { fromMs, toMs } = this.#range;
    return [clamp(this.#scale(fromMs), 0, width), clamp(this.#scale(toMs), 0, width)];
  }

  #setRange(range: TimeRange | null): void {
    if (this.#range !== null && range === null) this.#frozen = null;
    this.#range = range;
  }

  #domain(): TimeRange | null {
    const [from, to] = this.#scale.domain();
    return from === undefined || to === undefined ? null : { fromMs: from.getTime(), toMs: to.getTime() };
  }

  #choose(range: TimeRange | null): void {
    this.#frozen = range === null ? null : (this.#frozen ?? this.#domain());
    this.#events.range(range);
  }

  #onBrush(selection: [number, number] | null): void {
    if (selection === null) {
      this.#choose(null);
      return;
    }
    const [left, right] = selection;
    this.#choose({ fromMs: this.#scale.invert(left).getTime(), toMs: this.#scale.invert(right).getTime() });
  }

  #onClick(event: MouseEvent): void {
    const { left, top } = this.#plot.getBoundingClientRect();
    const lane = Math.floor((event.clientY - top - axisHeight) / laneHeight);
    const bar = barAt(this.#bars, event.clientX - left, lane, clickReach);
    if (bar !== null) this.#events.pick(bar.entry);
  }

  #onSpan(): void {
    const span = spans.find(([value]) => value === this.#span.value)?.[0];
    if (span === undefined) return;
    this.#choose(null);
    this.#events.span(span);
  }

  #onKey(event: KeyboardEvent): void {
    const domain = this.#domain();
    if (event.key === "Escape" && this.#range !== null) {
      event.stopPropagation();
      this.#choose(null);
    }
    const direction = event.key === "ArrowLeft" ? -1 : event.key === "ArrowRight" ? 1 : 0;
    if (direction === 0 || domain === null || this.#bars.length === 0) return;
    event.preventDefault();
    this.#choose(movedRange(this.#range, domain, direction, event.shiftKey));
  }
}

function rectangle({ outcome, left, width, lane }: Bar): Rectangle {
  const failed = ["client-error", "server-error", "incomplete", "blocked"].includes(outcome);
  // A connection is a line behind what is decrypted, which may be its own content.
  if (outcome === "metadata") return { outcome, left, top: lane * laneHeight + 1, width, height: 2 };
  // What went wrong is drawn a little thicker, for eyes that cannot go by its colour.
  return { outcome, left, top: lane * laneHeight, width, height: laneHeight - (failed ? 0 : 2) };
}

/** The range one key press further: moved as a whole, or with its later end alone. A first press chooses the latest. */
function movedRange(
  range: TimeRange | null,
  domain: TimeRange,
  direction: 1 | -1,
  resize: boolean,
): TimeRange {
  const step = (domain.toMs - domain.fromMs) / 20;
  if (range === null) return { fromMs: domain.toMs - 4 * step, toMs: domain.toMs };
  if (resize) {
    return {
      fromMs: range.fromMs,
      toMs: clamp(range.toMs + direction * step, range.fromMs + step, domain.toMs),
    };
  }
  const shift = clamp(direction * step, domain.fromMs - range.fromMs, domain.toMs - range.toMs);
  return { fromMs: range.fromMs + shift, toMs: range.toMs + shift };
}
