// What a row of the report is sorted and filtered by, and how. Pure: the table itself is table.ts's.
import { isOf, type Part, type PicturedProcess } from "./tree.ts";

export interface RowFacts extends PicturedProcess {
  /** Place in the order of the report: best verdict first. */
  rank: number;
  /** All its text, folded away or not, in lower case. */
  text: string;
  /** Text of each cell. */
  cells: string[];
}

export interface Filters {
  /** Every word has to be in the row. */
  words: string;
  /** Verdicts that are switched off. */
  hidden: ReadonlySet<string>;
  /** What was chosen in the picture; null for all of it. */
  part: Part | null;
}

/** Whether a row passes; the words may be anywhere in it, its folded evidence included. */
export function passes(
  row: PicturedProcess & Pick<RowFacts, "text">,
  { words, hidden, part }: Filters,
): boolean {
  if (hidden.has(row.verdict) || (part !== null && !isOf(row, part))) return false;
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => row.text.includes(word));
}

const collator = new Intl.Collator("en", { numeric: true });

/** Compares by a column; the first one, of verdicts, is in the order of the report rather than of the alphabet. */
export function compareBy(
  column: number,
): (a: Pick<RowFacts, "rank" | "cells">, b: Pick<RowFacts, "rank" | "cells">) => number {
  if (column === 0) return (a, b) => a.rank - b.rank;
  return (a, b) => collator.compare(a.cells[column] ?? "", b.cells[column] ?? "") || a.rank - b.rank;
}
