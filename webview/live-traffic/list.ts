// The list of traffic: a grid whose rows exist only while they are in sight. It keeps its place while rows come and
// go, follows the newest when asked, and moves by keyboard. Which rows there are, and which is selected, others say.
import { fitColumns, type Column, type ColumnChoice } from "./columns.ts";
import { element, setAttribute } from "./dom.ts";
import { ListHead, type ListHeadEvents } from "./list-head.ts";
import { fillRow, rowElement } from "./list-row.ts";
import { indexOfSequence, type Entry } from "./row-store.ts";
import { atEnd, moveBy, scrollToReveal, visibleRows, type Viewport } from "./viewport.ts";

const rowHeight = 22;
const overscan = 4;

export interface ListEvents extends ListHeadEvents {
  select(entry: Entry): void;
  /** Enter or a double click on the selected row. */
  open(): void;
  /** The user scrolled away from the newest row, or back to it. */
  follow(following: boolean): void;
}

export class List {
  readonly element: HTMLElement;
  readonly #events: ListEvents;
  readonly #head: ListHead;
  readonly #scroller: HTMLElement;
  readonly #spacer = element("div", { class: "list-rows", role: "none" });
  readonly #drawn = new Map<number, HTMLElement>();
  readonly #spare: HTMLElement[] = [];
  #entries: readonly Entry[] = [];
  #columns: readonly Column[] = [];
  #template = "";
  #selected: Entry | null = null;
  #following = true;
  /** Where the program last scrolled to; any other offset is the user's doing. */
  #expectedScrollTop = 0;

  constructor(events: ListEvents) {
    this.#events = events;
    this.#head = new ListHead(events);
    this.#scroller = element(
      "div",
      {
        class: "list-scroller",
        role: "none",
        scroll: () => {
          this.#onScroll();
        },
      },
      this.#head.element,
      element("div", { role: "rowgroup" }, this.#spacer),
    );
    this.element = element(
      "div",
      {
        class: "list",
        role: "grid",
        "aria-label": "Traffic",
        tabindex: -1,
        "data-vscode-context": '{"preventDefaultContextMenuItems":true}',
        keydown: (event: KeyboardEvent) => {
          this.#onKey(event);
        },
        pointerdown: (event: PointerEvent) => {
          this.#onPointer(event);
        },
        click: (event: MouseEvent) => {
          if (this.#entryAt(event) !== undefined) events.open();
        },
      },
      this.#scroller,
    );
    new ResizeObserver(() => {
      this.draw();
    }).observe(this.#scroller);
  }

  /** Shows these entries, in arrival order, keeping the rows in sight where they are unless the newest is followed. */
  setEntries(entries: readonly Entry[]): void {
    if (entries === this.#entries) return;
    const top = this.#scroller.scrollTop;
    const anchorIndex = Math.floor(top / rowHeight);
    const anchor = this.#entries[anchorIndex];
    this.#entries = entries;
    this.#spacer.style.height = `${entries.length * rowHeight}px`;
    setAttribute(this.element, "aria-rowcount", entries.length + 1);
    if (anchor !== undefined && !this.#following && top > 0) {
      const found = indexOfSequence(entries, anchor.sequence);
      const index = found >= 0 ? found : -1 - found;
      this.#scrollTo(index * rowHeight + (top - anchorIndex * rowHeight));
    }
    this.draw();
  }

  setColumns(choice: ColumnChoice): void {
    const { columns, template } = fitColumns(this.#scroller.clientWidth, choice);
    if (template === this.#template) return;
    this.#template = template;
    this.#columns = columns;
    setAttribute(this.element, "aria-colcount", columns.length);
    this.element.style.setProperty("--columns", template);
    this.#head.show(columns);
    this.draw();
  }

  setFollowing(following: boolean): void {
    this.#following = following;
    if (following) this.draw();
  }

  /** Marks a row as selected; `reveal` brings it into sight, `focus` gives it the keyboard. */
  select(entry: Entry | null, how: { reveal?: boolean; focus?: boolean } = {}): void {
    this.#selected = entry;
    const index = this.#selectedIndex();
    if (how.reveal === true && index >= 0) this.#scrollTo(scrollToReveal(this.#viewport(), index));
    this.draw();
    if (how.focus === true) this.focus();
  }

  /** Gives the keyboard to the selected row, else to the list as a whole. */
  focus(): void {
    const row = this.#selected === null ? undefined : this.#drawn.get(this.#selected.sequence);
    (row ?? this.element).focus({ preventScroll: true });
  }

  draw(): void {
    if (this.#following) this.#scrollTo(this.#spacer.offsetHeight);
    const { first, end } = visibleRows(this.#viewport(), overscan);
    // The selected row stays, wherever it is: an element that leaves the page takes the keyboard focus with it.
    const wanted = new Map<number, number>();
    for (let index = first; index < end; index += 1) wanted.set(this.#entries[index]?.sequence ?? -1, index);
    const selectedIndex = this.#selectedIndex();
    if (selectedIndex >= 0) wanted.set(this.#selected?.sequence ?? -1, selectedIndex);

    const hadFocus = this.#spacer.contains(document.activeElement);
    for (const [sequence, row] of this.#drawn) {
      if (wanted.has(sequence)) continue;
      this.#drawn.delete(sequence);
      this.#spare.push(row);
    }
    const tabStop = selectedIndex >= 0 ? selectedIndex : Math.min(first + overscan, end - 1);
    for (const [sequence, index] of wanted) this.#drawRow(sequence, index, index === tabStop);
    for (const row of this.#spare) row.remove();
    this.#spare.length = Math.min(this.#spare.length, 64);
    if (hadFocus && !this.#spacer.contains(document.activeElement))
      this.element.focus({ preventScroll: true });
  }

  #drawRow(sequence: number, index: number, tabStop: boolean): void {
    const entry = this.#entries[index];
    if (entry === undefined) return;
    const row = this.#drawn.get(sequence) ?? this.#spare.pop() ?? rowElement();
    this.#drawn.set(sequence, row);
    fillRow(row, entry, this.#columns);
    const offset = `translateY(${index * rowHeight}px)`;
    if (row.style.transform !== offset) row.style.transform = offset;
    setAttribute(row, "aria-rowindex", index + 2);
    setAttribute(row, "aria-selected", entry === this.#selected ? "true" : "false");
    setAttribute(row, "tabindex", tabStop ? 0 : -1);
    row.classList.toggle("odd", entry.sequence % 2 === 1);
    if (row.parentElement === null) this.#spacer.append(row);
  }

  #onScroll(): void {
    const { scrollTop } = this.#scroller;
    if (Math.abs(scrollTop - this.#expectedScrollTop) > 1) {
      // Only down leads back to the newest row.
      const following = atEnd(this.#viewport()) && (this.#following || scrollTop > this.#expectedScrollTop);
      this.#expectedScrollTop = scrollTop;
      if (following !== this.#following) {
        this.#following = following;
        this.#events.follow(following);
      }
    }
    this.draw();
  }

  #onKey(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Enter" && this.#selected !== null) {
      event.preventDefault();
      this.#events.open();
      return;
    }
    const selected = this.#selectedIndex();
    const first = Math.ceil(this.#scroller.scrollTop / rowHeight);
    const target =
      selected < 0 && event.key.startsWith("Arrow")
        ? moveBy("ArrowDown", first - 1, this.#viewport())
        : moveBy(event.key, selected < 0 ? first : selected, this.#viewport());
    const entry = target === null ? undefined : this.#entries[target];
    if (entry === undefined) return;
    event.preventDefault();
    this.#events.select(entry);
  }

  #onPointer(event: PointerEvent): void {
    const entry = this.#entryAt(event);
    if (entry !== undefined && event.button === 0) this.#events.select(entry);
  }

  #entryAt(event: Event): Entry | undefined {
    const row = event.target instanceof Element ? event.target.closest(".row") : null;
    const sequence = [...this.#drawn].find(([, drawn]) => drawn === row)?.[0];
    return sequence === undefined ? undefined : this.#entries[indexOfSequence(this.#entries, sequence)];
  }

  #selectedIndex(): number {
    return this.#selected === null ? -1 : indexOfSequence(this.#entries, this.#selected.sequence);
  }

  #viewport(): Viewport {
    return {
      scrollTop: this.#scroller.scrollTop,
      height: Math.max(0, this.#scroller.clientHeight - this.#head.element.offsetHeight),
      rowHeight,
      rowCount: this.#entries.length,
    };
  }

  #scrollTo(scrollTop: number): void {
    if (Math.abs(this.#scroller.scrollTop - scrollTop) > 0.5) this.#scroller.scrollTop = scrollTop;
    // Read back: the browser clamps it.
    this.#expectedScrollTop = this.#scroller.scrollTop;
  }
}
