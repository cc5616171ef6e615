// The list's header: column titles, and handles that change their widths by dragging.
import { narrowestColumn, type Column, type ColumnId } from "./columns.ts";
import { element, fill } from "./dom.ts";
import { clamp } from "./viewport.ts";

const widestColumn = 800;

export interface ListHeadEvents {
  /** Null gives the column its own width back. */
  resize(id: ColumnId, width: number | null): void;
  /** The user asks for the menu of columns, at this point of the page. */
  menu(x: number, y: number): void;
}

export class ListHead {
  readonly element: HTMLElement;
  readonly #events: ListHeadEvents;

  constructor(events: ListHeadEvents) {
    this.#events = events;
    this.element = element("div", {
      class: "list-head",
      role: "row",
      "aria-rowindex": 1,
      contextmenu: (event: MouseEvent) => {
        event.preventDefault();
        events.menu(event.clientX, event.clientY);
      },
    });
  }

  show(columns: readonly Column[]): void {
    const path = columns.findIndex((column) => column.id === "path");
    fill(
      this.element,
      ...columns.map((column, index) =>
        element(
          "div",
          {
            class: `cell${column.numeric === true ? " numeric" : ""}`,
            role: "columnheader",
            title: column.title,
          },
          element("span", {}, column.title),
          index === path ? null : this.#handle(column, index < path ? 1 : -1),
        ),
      ),
    );
  }

  /** Left of the path, the flexible column, a handle is on its column's right edge; right of it, on the left edge. */
  #handle(column: Column, direction: 1 | -1): HTMLElement {
    const handle = element("span", { class: `column-handle ${direction === 1 ? "after" : "before"}` });
    handle.addEventListener("dblclick", () => {
      this.#events.resize(column.id, null);
    });
    handle.addEventListener("pointerdown", (down) => {
      if (down.button !== 0) return;
      down.preventDefault();
      const startWidth = handle.parentElement?.getBoundingClientRect().width ?? column.width;
      // The header is drawn anew while its column is resized: listen where it stays.
      const drag = new AbortController();
      const move = (event: PointerEvent): void => {
        const width = startWidth + direction * (event.clientX - down.clientX);
        this.#events.resize(column.id, Math.round(clamp(width, narrowestColumn, widestColumn)));
      };
      const end = (): void => {
        drag.abort();
      };
      window.addEventListener("pointermove", move, { signal: drag.signal });
      window.addEventListener("pointerup", end, { signal: drag.signal });
      window.addEventListener("pointercancel", end, { signal: drag.signal });
    });
    return handle;
  }
}
