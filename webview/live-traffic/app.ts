// Holds the view together: messages of the extension and actions of the user change the state, and at most once a
// frame everything is drawn from it.
import type { StateParams } from "../../src/protocol/editor.ts";
import type { FromWebview, ToWebview } from "../../src/protocol/webview.ts";
import { openColumnMenu } from "./column-menu.ts";
import type { ColumnId } from "./columns.ts";
import { openEditorLink, type EditorLink } from "./editor-link.ts";
import { Inspection } from "./inspection.ts";
import type { Entry } from "./row-store.ts";
import type { SavedState } from "./saved-state.ts";
import { View, type Actions } from "./view.ts";
import type { TimeRange } from "./time-range.ts";
import { Traffic } from "./traffic.ts";

export class App implements Actions {
  readonly #link: EditorLink;
  readonly #traffic: Traffic;
  readonly #inspection: Inspection;
  readonly #view: View;
  #saved: SavedState;
  #state: StateParams | null = null;
  #frame = 0;

  constructor(root: HTMLElement) {
    this.#link = openEditorLink((message) => {
      this.#receive(message);
    });
    this.#saved = this.#link.saved();
    this.#traffic = new Traffic(this.#saved.paused);
    this.#inspection = new Inspection(this.#traffic, (id) => {
      this.post({ type: "details", id });
    });
    this.#view = new View(root, this, this.#saved);
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

    this.#view.setFilterText(this.#saved.filter);
    this.setFilter(this.#saved.filter);
    this.post({ type: "ready" });
  }

  togglePause(): void {
    const paused = !this.#saved.paused;
    this.#traffic.setPaused(paused);
    this.save({ paused });
  }

  toggleFollowing(): void {
    this.save({ following: !this.#saved.following });
  }

  toggleNetworkWatch(): void {
    const isWatching = this.#state?.network !== undefined;
    const command = isWatching ? "plainsight.unwatchNetwork" : "plainsight.watchNetwork";
    this.post({ type: "command", command });
  }

  clear(): void {
    this.#traffic.clear();
    this.#view.resetNotices();
    this.save({ hadRows: false });
  }

  select(entry: Entry): void {
    this.#inspection.select(entry);
    const newest = this.#traffic.shown.at(-1) === entry;
    this.save({ selectedId: entry.row.id, following: this.#saved.following && newest });
    this.#view.setFollowing(this.#saved.following);
    this.#view.select(entry, { reveal: true, focus: true });
  }

  closeDetail(): void {
    this.save({ detailOpen: false });
    this.#view.focusList();
  }

  setFilter(text: string): void {
    this.#traffic.setFilter(text);
    this.save({ filter: text });
  }

  setRange(range: TimeRange | null): void {
    this.#traffic.setRange(range);
    this.#schedule();
  }

  resizeColumn(id: ColumnId, width: number | null): void {
    const columnWidths = { ...this.#saved.columnWidths };
    if (width === null) Reflect.deleteProperty(columnWidths, id);
    else columnWidths[id] = width;
    this.save({ columnWidths });
  }

  openColumnMenu(x: number, y: number, opener: HTMLElement | null): void {
    openColumnMenu({
      x,
      y,
      hidden: new Set(this.#saved.hiddenColumns),
      toggle: (id) => {
        const hidden = this.#saved.hiddenColumns;
        this.save({
          hiddenColumns: hidden.includes(id) ? hidden.filter((other) => other !== id) : [...hidden, id],
        });
      },
      closed: () => {
        if (opener) opener.focus();
        else this.#view.focusList();
      },
    });
  }

  save(change: Partial<SavedState>): void {
    this.#saved = { ...this.#saved, ...change };
    this.#link.save(this.#saved);
    this.#schedule();
  }

  post(message: FromWebview): void {
    this.#link.post(message);
  }

  #receive(message: ToWebview): void {
    switch (message.type) {
      case "restore":
        this.#state = message.state;
        if (message.isNew && this.#saved.paused) this.togglePause();
        this.#traffic.restore(message.rows, message.dropped);
        this.#inspection.selectById(this.#saved.selectedId);
        this.#view.select(this.#inspection.entry);
        break;
      case "traffic":
        this.#traffic.add(message.rows, message.dropped);
        break;
      case "state":
        this.#state = message.state;
        break;
      case "details":
        this.#inspection.answer(message.id, message.details);
        break;
      case "cleared":
        this.clear();
        break;
    }
    this.#rememberRows();
    this.#schedule();
  }

  /** What was there before is of no matter any more once something is traced. */
  #rememberRows(): void {
    const isBusy =
      this.#state !== null && (this.#state.tracing.length > 0 || this.#state.network !== undefined);
    const hasRows = this.#traffic.all.length > 0 || this.#traffic.heldCount > 0;
    const hadRows = hasRows || (this.#saved.hadRows && !isBusy);
    if (hadRows !== this.#saved.hadRows) this.save({ hadRows });
  }

  #schedule(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw(): void {
    if (this.#inspection.dropIfGone()) this.#view.select(null);
    this.#view.draw({
      state: this.#state,
      saved: this.#saved,
      traffic: this.#traffic,
      selected: this.#inspection.entry,
      inspected: this.#saved.detailOpen ? this.#inspection.inspect() : null,
    });
  }

  #onKey(event: KeyboardEvent): void {
    const find = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "f";
    const typing = event.target instanceof HTMLInputElement;
    if (find || (event.key === "/" && !typing)) {
      event.preventDefault();
      this.#view.focusFilter();
    } else if (event.key === "Escape" && this.#saved.detailOpen && this.#inspection.entry !== null) {
      this.closeDetail();
    } else if (event.key === " " && this.#view.isInList(event.target)) {
      event.preventDefault();
      this.togglePause();
    }
  }
}
