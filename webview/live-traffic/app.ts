// Holds the view together: messages of the extension and actions of the user change the state, and at most once a
// frame everything is drawn from it.
import type { StateParams, TrafficRow } from "../../src/protocol/editor.ts";
import type { FromWebview, ToWebview } from "../../src/protocol/webview.ts";
import { isContentOf } from "./connection-facts.ts";
import { openColumnMenu } from "./column-menu.ts";
import type { ColumnId } from "./columns.ts";
import type { Details } from "./detail-tabs.ts";
import { Detail } from "./detail.ts";
import { element } from "./dom.ts";
import { openEditorLink, type EditorLink } from "./editor-link.ts";
import { EmptyView } from "./empty-view.ts";
import { List } from "./list.ts";
import { Notices } from "./notices.ts";
import type { Entry } from "./row-store.ts";
import type { SavedState } from "./saved-state.ts";
import { situationOf } from "./situation.ts";
import { Splitter } from "./splitter.ts";
import { SummaryBar } from "./summary-bar.ts";
import type { TimeRange } from "./time-range.ts";
import { Timeline } from "./timeline.ts";
import { Toolbar } from "./toolbar.ts";
import { Traffic } from "./traffic.ts";

export class App {
  readonly #link: EditorLink;
  #saved: SavedState;
  #state: StateParams | null = null;
  readonly #traffic: Traffic;
  #selected: Entry | null = null;
  /** The row whose details were asked for last, and the answer. */
  #asked: TrafficRow | null = null;
  #details: Details;
  /** What the detail pane shows, to draw it only when that changes. */
  #detailShown: unknown[] = [];
  #frame = 0;

  readonly #toolbar: Toolbar;
  readonly #notices: Notices;
  readonly #timeline: Timeline;
  readonly #list: List;
  readonly #empty: EmptyView;
  readonly #detail: Detail;
  readonly #summary: SummaryBar;
  readonly #splitter: Splitter;

  constructor(root: HTMLElement) {
    this.#link = openEditorLink((message) => {
      this.#receive(message);
    });
    this.#saved = this.#link.saved();
    this.#traffic = new Traffic(this.#saved.paused);
    const post = (message: FromWebview) => () => {
      this.#link.post(message);
    };
    const copy = (text: string): void => {
      this.#link.post({ type: "copy", text });
    };

    this.#toolbar = new Toolbar({
      pause: () => {
        this.#togglePause();
      },
      clear: () => {
        this.#clear();
        this.#link.post({ type: "clear" });
      },
      follow: () => {
        this.#save({ following: !this.#saved.following });
      },
      columns: (button) => {
        const { left, bottom } = button.getBoundingClientRect();
        this.#openColumnMenu(left, bottom, button);
      },
      watchNetwork: () => {
        const isWatching = this.#state?.network !== undefined;
        this.#link.post({
          type: "command",
          command: isWatching ? "plainsight.unwatchNetwork" : "plainsight.watchNetwork",
        });
      },
      stop: post({ type: "command", command: "plainsight.stopAll" }),
      filter: (text) => {
        this.#setFilter(text);
      },
      leaveFilter: () => {
        this.#list.focus();
      },
    });
    this.#notices = new Notices(copy);
    this.#timeline = new Timeline({
      range: (range) => {
        this.#setRange(range);
      },
      span: (span) => {
        this.#save({ span });
      },
      pick: (entry) => {
        this.#select(entry, true);
      },
    });
    this.#list = new List({
      select: (entry) => {
        this.#select(entry, true);
      },
      open: () => {
        this.#save({ detailOpen: true });
      },
      follow: (following) => {
        this.#save({ following });
      },
      resize: (id, width) => {
        this.#resizeColumn(id, width);
      },
      menu: (x, y) => {
        this.#openColumnMenu(x, y, null);
      },
    });
    this.#empty = new EmptyView({
      trace: post({ type: "command", command: "plainsight.trace" }),
      watchNetwork: post({ type: "command", command: "plainsight.watchNetwork" }),
      showCoverage: post({ type: "command", command: "plainsight.showCoverage" }),
      clearFilter: () => {
        this.#setRange(null);
        this.#toolbar.filterBox.setText("");
        this.#setFilter("");
        this.#toolbar.filterBox.focus();
      },
      resume: () => {
        this.#togglePause();
      },
      copy,
    });
    this.#detail = new Detail({
      close: () => {
        this.#closeDetail();
      },
      copy,
      openSource: ({ file, line, column }) => {
        this.#link.post({ type: "openSource", file, line, ...(column === undefined ? {} : { column }) });
      },
      filter: (text) => {
        this.#toolbar.filterBox.setText(text);
        this.#setFilter(text);
      },
      tab: (tab) => {
        this.#save({ tab });
      },
    });
    this.#summary = new SummaryBar(() => {
      this.#setRange(null);
    });

    const main = element("main", { class: "main" });
    this.#splitter = new Splitter(main, this.#saved.detailShare, (detailShare) => {
      this.#save({ detailShare });
    });
    main.append(
      element("div", { class: "list-pane" }, this.#list.element, this.#empty.element),
      this.#splitter.element,
      this.#detail.element,
    );
    root.append(
      this.#toolbar.element,
      this.#notices.element,
      this.#timeline.element,
      main,
      this.#summary.element,
    );
    window.addEventListener("keydown", (event) => {
      this.#onKey(event);
    });
    new ResizeObserver(() => {
      this.#schedule();
    }).observe(root);
    // A theme change alters the colours of the canvas, which CSS does not reach.
    const themed = new MutationObserver(() => {
      this.#schedule();
    });
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["style", "class"] });
    themed.observe(document.body, { attributes: true, attributeFilter: ["class"] });

    this.#toolbar.filterBox.setText(this.#saved.filter);
    this.#setFilter(this.#saved.filter);
    this.#link.post({ type: "ready" });
  }

  #receive(message: ToWebview): void {
    switch (message.type) {
      case "restore":
        this.#state = message.state;
        if (message.isNew && this.#saved.paused) this.#togglePause();
        this.#traffic.restore(message.rows, message.dropped);
        this.#selected =
          (this.#saved.selectedId === null ? undefined : this.#traffic.byId(this.#saved.selectedId)) ?? null;
        this.#list.select(this.#selected);
        break;
      case "traffic":
        this.#traffic.add(message.rows, message.dropped);
        break;
      case "state":
        this.#state = message.state;
        break;
      case "details":
        if (message.id === this.#asked?.id) this.#details = message.details;
        break;
      case "cleared":
        this.#clear();
        break;
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    const { all, matching, shown, heldCount, droppedCount, range, filterError } = this.#traffic;
    this.#dropSelectionThatLeft();
    const situation = situationOf({
      state: this.#state,
      rowCount: all.length,
      shownCount: shown.length,
      heldCount,
    });
    this.#toolbar.show({
      paused: this.#saved.paused,
      heldCount,
      following: this.#saved.following,
      tracing: (this.#state?.tracing.length ?? 0) > 0,
      watchingNetwork: this.#state?.network !== undefined,
      rowCount: all.length,
      shownCount: shown.length,
      filterError,
    });
    this.#notices.show({ state: this.#state, droppedCount, hasRows: situation.kind !== "problem" });
    this.#empty.show(situation);
    this.#timeline.element.hidden = all.length === 0;
    this.#timeline.draw({
      all,
      matching,
      span: this.#saved.span,
      range,
      selectedId: this.#selected?.row.id ?? null,
    });
    this.#summary.show({ state: this.#state, shown, droppedCount, range });
    this.#drawDetail();
    this.#list.element.hidden = situation.kind !== "rows";
    this.#list.setColumns({ hidden: new Set(this.#saved.hiddenColumns), widths: this.#saved.columnWidths });
    this.#list.setFollowing(this.#saved.following);
    this.#list.setEntries(shown);
  }

  #drawDetail(): void {
    const open = this.#saved.detailOpen && this.#selected !== null;
    this.#detail.element.hidden = !open;
    this.#splitter.element.hidden = !open;
    this.#splitter.apply();
    if (!open || this.#selected === null) return;
    this.#askForDetails(this.#selected.row);
    const decryptedCount = this.#contentCount(this.#selected.row);
    const toShow = [this.#selected.row, this.#details, this.#saved.tab, decryptedCount];
    if (toShow.every((part, index) => part === this.#detailShown[index])) return;
    this.#detailShown = toShow;
    this.#detail.show(this.#selected, this.#details, this.#saved.tab, decryptedCount);
  }

  /** Rows in which a connection of which there is metadata is seen decrypted. */
  #contentCount(row: TrafficRow): number {
    if (row.type !== "connection") return 0;
    return this.#traffic.all.filter((entry) => isContentOf(entry.row, row)).length;
  }

  /** Asks once for each state of a row; while the same row goes on, the earlier answer stays on screen. */
  #askForDetails(row: TrafficRow): void {
    if (row === this.#asked) return;
    if (row.id !== this.#asked?.id) this.#details = undefined;
    this.#asked = row;
    // The row of a connection is whole by itself.
    if (row.type === "connection") return;
    this.#link.post({ type: "details", id: row.id });
  }

  #dropSelectionThatLeft(): void {
    if (this.#selected === null || this.#traffic.byId(this.#selected.row.id) === this.#selected) return;
    this.#selected = null;
    this.#list.select(null);
  }

  #select(entry: Entry, focus: boolean): void {
    this.#selected = entry;
    const newest = this.#traffic.shown.at(-1) === entry;
    this.#save({ selectedId: entry.row.id, following: this.#saved.following && newest });
    this.#list.setFollowing(this.#saved.following);
    this.#list.select(entry, { reveal: true, focus });
  }

  #closeDetail(): void {
    this.#save({ detailOpen: false });
    this.#list.focus();
  }

  #togglePause(): void {
    const paused = !this.#saved.paused;
    this.#traffic.setPaused(paused);
    this.#save({ paused });
  }

  #setFilter(text: string): void {
    this.#traffic.setFilter(text);
    this.#save({ filter: text });
  }

  #setRange(range: TimeRange | null): void {
    this.#traffic.setRange(range);
    this.#schedule();
  }

  #resizeColumn(id: ColumnId, width: number | null): void {
    const columnWidths = { ...this.#saved.columnWidths };
    if (width === null) Reflect.deleteProperty(columnWidths, id);
    else columnWidths[id] = width;
    this.#save({ columnWidths });
  }

  #openColumnMenu(x: number, y: number, opener: HTMLElement | null): void {
    openColumnMenu({
      x,
      y,
      hidden: new Set(this.#saved.hiddenColumns),
      toggle: (id) => {
        const hidden = this.#saved.hiddenColumns;
        this.#save({
          hiddenColumns: hidden.includes(id) ? hidden.filter((other) => other !== id) : [...hidden, id],
        });
      },
      closed: () => {
        (opener ?? this.#list).focus();
      },
    });
  }

  #clear(): void {
    this.#traffic.clear();
    this.#notices.reset();
    this.#schedule();
  }

  #onKey(event: KeyboardEvent): void {
    const find = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f";
    const typing = event.target instanceof HTMLInputElement;
    if (find || (event.key === "/" && !typing)) {
      event.preventDefault();
      this.#toolbar.filterBox.focus();
    } else if (event.key === "Escape" && this.#saved.detailOpen && this.#selected !== null) {
      this.#closeDetail();
    } else if (
      event.key === " " &&
      event.target instanceof Node &&
      this.#list.element.contains(event.target)
    ) {
      event.preventDefault();
      this.#togglePause();
    }
  }

  #save(change: Partial<SavedState>): void {
    this.#saved = { ...this.#saved, ...change };
    this.#link.save(this.#saved);
    this.#schedule();
  }
}
