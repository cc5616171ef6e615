// Reads the report's table into rows: the page carries its data once, as the table that also stands without a script.
// The attributes are written by src/analyzer/report/html-table.ts.

import type { RowFacts } from "./row-facts.ts";

export interface Row extends RowFacts {
  element: HTMLTableRowElement;
  title: string;
  /** The service, container or user that it is shown under. */
  group: string;
  /** `predicted`, `measured: confirmed`, … */
  basis: string;
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
