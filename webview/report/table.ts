// Lets the report's table be sorted by its heads and filtered by words and verdicts. It only moves and hides what the
// page already holds.
import { element, fill, setAttribute } from "../live-traffic/dom.ts";
import { compareBy, passes } from "./row-facts.ts";
import type { Row } from "./rows.ts";

/** Makes each head a button; a second click turns the order round. */
export function makeSortable(table: HTMLTableElement, rows: readonly Row[]): void {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  heads.forEach((head, column) => {
    const sort = (): void => {
      const isDescending = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
      const sorted = [...rows].sort(compareBy(column));
      if (isDescending) sorted.reverse();
      table.tBodies[0]?.append(...sorted.map((row) => row.element));
    };
    fill(head, element("button", { type: "button", click: sort }, head.textContent));
  });
  heads[0]?.setAttribute("aria-sort", "ascending");
}

export interface FilterBar {
  bar: HTMLElement;
  /** Sets the words, as if they were typed, and shows the table. */
  search(words: string): void;
}

/** @param onChange is called with the rows that are shown */
export function makeFilterBar(rows: readonly Row[], onChange: (shown: Row[]) => void): FilterBar {
  const hidden = new Set<string>();
  const words = element("input", {
    type: "search",
    placeholder: "Filter processes",
    "aria-label": "Filter processes",
  });
  const count = element("output", { class: "quiet" });
  const apply = (): void => {
    const shown = rows.filter((row) => passes(row, { words: words.value, hidden }));
    const visible = new Set(shown);
    for (const row of rows) row.element.hidden = !visible.has(row);
    count.textContent = shown.length === rows.length ? "" : `${shown.length} of ${rows.length} shown`;
    onChange(shown);
  };
  words.addEventListener("input", apply);
  const verdicts = [...new Set(rows.map(({ verdict }) => verdict))];
  const chips = verdicts.map((verdict) => {
    const icon = rows.find((row) => row.verdict === verdict)?.element.querySelector("svg.icon");
    const chip = element(
      "button",
      {
        type: "button",
        class: "chip",
        "aria-pressed": "true",
        click: () => {
          if (!hidden.delete(verdict)) hidden.add(verdict);
          setAttribute(chip, "aria-pressed", String(!hidden.has(verdict)));
          apply();
        },
      },
      icon?.cloneNode(true) ?? null,
      ` ${verdict}`,
    );
    return chip;
  });
  return {
    bar: element("div", { class: "filters" }, words, ...(verdicts.length > 1 ? chips : []), count),
    search(text) {
      words.value = words.value === text ? "" : text;
      apply();
    },
  };
}
