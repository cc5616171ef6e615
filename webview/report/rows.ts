// Reads the report's table into rows: the page carries its data once, as the table that also stands without a script.
// The attributes are written by src/analyzer/report/html-table.ts.

import type { RowFacts } from "./row-facts.ts";

export interface Row extends RowFacts {
  element: HTMLTableRowElement;
}

export function readRows(table: HTMLTableElement): Row[] {
  return [...(table.tBodies[0]?.rows ?? [])].map((element) => {
    const { verdict = "", rank = "0", title = "", group = "", basis = "" } = element.dataset;
    return {
      element,
      verdict,
      rank: Number(rank),
      title,
      group,
      basis,
      text: `${element.textContent} ${group}`.toLowerCase(),
      cells: [...element.cells].map((cell) => cell.textContent.trim()),
    };
  });
}
