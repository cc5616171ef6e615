// Lets the report's table be sorted by its heads and filtered by words and verdicts. It only moves and hides what the
// page already holds.
import { element, fill, setAttribute, setText } from "../live-traffic/dom.ts";
import { compareBy, passes } from "./row-facts.ts";
import type { Row } from "./rows.ts";
import { isSamePart, type Part } from "./tree.ts";

/** Makes each head a button; a second click turns the order round. Gives the same as a choice, for where no head fits. */
export function makeSortable(table: HTMLTableElement, rows: readonly Row[]): HTMLElement {
  const heads = [...(table.tHead?.rows[0]?.cells ?? [])];
  const columns = element("select", {
    "aria-label": "Sort by",
    change: () => {
      sort(columns.selectedIndex, false);
    },
  });
  const direction = element("button", {
    type: "button",
    class: "chip",
    click: () => {
      turn(columns.selectedIndex);
    },
  });
  const sort = (column: number, isDescending: boolean): void => {
    heads.forEach((head, index) => {
      setAttribute(head, "aria-sort", index !== column ? null : isDescending ? "descending" : "ascending");
    });
    columns.selectedIndex = column;
    setText(direction, isDescending ? "↓" : "↑");
    setAttribute(direction, "aria-label", isDescending ? "Sort upwards" : "Sort downwards");
    const sorted = [...rows].sort(compareBy(column));
    if (isDescending) sorted.reverse();
    table.tBodies[0]?.append(...sorted.map((row) => row.element));
  };
  const turn = (column: number): void => {
    sort(column, heads[column]?.getAttribute("aria-sort") === "ascending");
  };
  heads.forEach((head, column) => {
    columns.append(element("option", {}, head.textContent));
    const click = (): void => {
      turn(column);
    };
    fill(head, element("button", { type: "button", click }, head.textContent));
  });
  sort(0, false);
  return element("div", { class: "sorting" }, "Sort by ", columns, direction);
}

export interface FilterBar {
  bar: HTMLElement;
  /** Shows the rows of this part of the picture alone; of all parts where it was chosen already. */
  choose(part: Part): void;
}

/** @param onChange is called with the rows that are shown, and the part that they are of where one was chosen */
export function makeFilterBar(
  rows: readonly Row[],
  onChange: (shown: Row[], part: Part | null) => void,
): FilterBar {
  const hidden = new Set<string>();
  let part: Part | null = null;
  const words = element("input", {
    type: "search",
    placeholder: "Filter processes",
    "aria-label": "Filter processes",
  });
  const count = element("output", { class: "quiet" });
  const chosen = element("button", {
    type: "button",
    class: "chip chosen",
    hidden: true,
    click: () => {
      part = null;
      apply();
    },
  });
  const apply = (): void => {
    const shown = rows.filter((row) => passes(row, { words: words.value, hidden, part }));
    const visible = new Set(shown);
    for (const row of rows) row.element.hidden = !visible.has(row);
    count.textContent = shown.length === rows.length ? "" : `${shown.length} of ${rows.length} shown`;
    chosen.hidden = part === null;
    setText(chosen, part === null ? "" : `${part.label} ✕`);
    setAttribute(chosen, "aria-label", part === null ? null : `Show all, not ${part.label} alone`);
    onChange(shown, part);
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
    bar: element("div", { class: "filters" }, words, chosen, ...(verdicts.length > 1 ? chips : []), count),
    choose(wanted) {
      part = isSamePart(part, wanted) ? null : wanted;
      apply();
    },
  };
}
