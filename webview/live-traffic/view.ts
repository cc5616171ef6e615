// The parts of the view: laid out, told what to show, and what the user does in each of them handed on as an action.
import type { StateParams } from "../../src/protocol/editor.ts";
import type { FromWebview, WebviewCommand } from "../../src/protocol/webview.ts";
import type { ColumnId } from "./columns.ts";
import { Detail } from "./detail.ts";
import { element } from "./dom.ts";
import { EmptyView } from "./empty-view.ts";
import type { Inspected } from "./inspection.ts";
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
import type { Traffic } from "./traffic.ts";

/** What the user can do here, wherever it is done. */
export interface Actions {
  togglePause(): void;
  toggleFollowing(): void;
  toggleNetworkWatch(): void;
  clear(): void;
  select(entry: Entry): void;
  closeDetail(): void;
  setFilter(text: string): void;
  setRange(range: TimeRange | null): void;
  resizeColumn(id: ColumnId, width: number | null): void;
  /** At page coordinates; the focus goes back to the opener, else to the list. */
  openColumnMenu(x: number, y: number, opener: HTMLElement | null): void;
  save(change: Partial<SavedState>): void;
  post(message: FromWebview): void;
}

export interface ViewFacts {
  /** Null before the extension has answered. */
  state: StateParams | null;
  saved: SavedState;
  traffic: Traffic;
  selected: Entry | null;
  /** Null while the detail pane is closed. */
  inspected: Inspected | null;
}

export class View {
  readonly #actions: Actions;
  readonly #toolbar: Toolbar;
  readonly #notices: Notices;
  readonly #timeline: Timeline;
  readonly #list: List;
  readonly #empty: EmptyView;
  readonly #detail: Detail;
  readonly #summary: SummaryBar;
  readonly #splitter: Splitter;

  constructor(root: HTMLElement, actions: Actions, saved: SavedState) {
    this.#actions = actions;
    const copy = (text: string): void => {
      actions.post({ type: "copy", text });
    };
    this.#toolbar = this.#makeToolbar();
    this.#notices = new Notices(copy);
    this.#timeline = this.#makeTimeline();
    this.#list = this.#makeList();
    this.#empty = this.#makeEmptyView(copy);
    this.#detail = this.#makeDetail(copy);
    this.#summary = new SummaryBar(() => {
      actions.setRange(null);
    });
    const main = element("main", { class: "main" });
    this.#splitter = new Splitter(main, saved.detailShare, (detailShare) => {
      actions.save({ detailShare });
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
  }

  draw({ state, saved, traffic, selected, inspected }: ViewFacts): void {
    const { all, matching, shown, heldCount, droppedCount, range, filterError } = traffic;
    const [rowCount, shownCount] = [all.length, shown.length];
    const situation = situationOf({ state, rowCount, shownCount, heldCount, hadRows: saved.hadRows });
    this.#toolbar.show({
      paused: saved.paused,
      heldCount,
      following: saved.following,
      tracing: (state?.tracing.length ?? 0) > 0,
      watchingNetwork: state?.network !== undefined,
      rowCount,
      shownCount,
      filterError,
    });
    this.#notices.show({ state, droppedCount, hasRows: situation.kind !== "problem" });
    this.#empty.show(situation);
    this.#timeline.element.hidden = rowCount === 0;
    this.#timeline.draw({ all, matching, span: saved.span, range, selectedId: selected?.row.id ?? null });
    this.#summary.show({ state, shown, droppedCount, range });
    this.#drawDetail(inspected, saved);
    this.#list.element.hidden = situation.kind !== "rows";
    this.#list.setColumns({ hidden: new Set(saved.hiddenColumns), widths: saved.columnWidths });
    this.#list.setFollowing(saved.following);
    this.#list.setEntries(shown);
  }

  #drawDetail(inspected: Inspected | null, { tab }: SavedState): void {
    this.#detail.element.hidden = inspected === null;
    this.#splitter.element.hidden = inspected === null;
    this.#splitter.apply();
    if (inspected) this.#detail.show(inspected, tab);
  }

  /** Where the selection is drawn; with `reveal` it is scrolled into sight, with `focus` it has the keyboard. */
  select(entry: Entry | null, how?: { reveal: boolean; focus: boolean }): void {
    this.#list.select(entry, how);
  }

  setFollowing(following: boolean): void {
    this.#list.setFollowing(following);
  }

  focusList(): void {
    this.#list.focus();
  }

  focusFilter(): void {
    this.#toolbar.filterBox.focus();
  }

  /** The text of the filter box, which tells nobody of it. */
  setFilterText(text: string): void {
    this.#toolbar.filterBox.setText(text);
  }

  isInList(target: EventTarget | null): boolean {
    return target instanceof Node && this.#list.element.contains(target);
  }

  /** After a clear everything may be noticed again. */
  resetNotices(): void {
    this.#notices.reset();
  }

  #makeToolbar(): Toolbar {
    const actions = this.#actions;
    return new Toolbar({
      pause: actions.togglePause.bind(actions),
      clear: () => {
        actions.clear();
        actions.post({ type: "clear" });
      },
      follow: actions.toggleFollowing.bind(actions),
      columns: (button) => {
        const { left, bottom } = button.getBoundingClientRect();
        actions.openColumnMenu(left, bottom, button);
      },
      watchNetwork: actions.toggleNetworkWatch.bind(actions),
      stop: this.#command("plainsight.stopAll"),
      filter: actions.setFilter.bind(actions),
      leaveFilter: () => {
        this.focusList();
      },
    });
  }

  #makeTimeline(): Timeline {
    const actions = this.#actions;
    return new Timeline({
      range: actions.setRange.bind(actions),
      span: (span) => {
        actions.save({ span });
      },
      pick: actions.select.bind(actions),
    });
  }

  #makeList(): List {
    const actions = this.#actions;
    return new List({
      select: actions.select.bind(actions),
      open: () => {
        actions.save({ detailOpen: true });
      },
      follow: (following) => {
        actions.save({ following });
      },
      resize: actions.resizeColumn.bind(actions),
      menu: (x, y) => {
        actions.openColumnMenu(x, y, null);
      },
    });
  }

  #makeEmptyView(copy: (text: string) => void): EmptyView {
    const actions = this.#actions;
    return new EmptyView({
      trace: this.#command("plainsight.trace"),
      watchNetwork: this.#command("plainsight.watchNetwork"),
      showCoverage: this.#command("plainsight.showCoverage"),
      clearFilter: () => {
        actions.setRange(null);
        this.setFilterText("");
        actions.setFilter("");
        this.focusFilter();
      },
      resume: actions.togglePause.bind(actions),
      copy,
    });
  }

  #makeDetail(copy: (text: string) => void): Detail {
    const actions = this.#actions;
    return new Detail({
      close: actions.closeDetail.bind(actions),
      copy,
      openSource: ({ file, line, column }) => {
        actions.post({ type: "openSource", file, line, ...(column === undefined ? {} : { column }) });
      },
      filter: (text) => {
        this.setFilterText(text);
        actions.setFilter(text);
      },
      tab: (tab) => {
        actions.save({ tab });
      },
    });
  }

  #command(command: WebviewCommand): () => void {
    return () => {
      this.#actions.post({ type: "command", command });
    };
  }
}
