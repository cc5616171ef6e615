// The list's columns, and which of them fit: the less a column helps to recognise a row, the sooner it gives way.
// Widths are CSS pixels.

export type ColumnId =
  "status" | "method" | "host" | "path" | "process" | "type" | "size" | "duration" | "time";

export interface Column {
  id: ColumnId;
  title: string;
  /** Width until the user drags it; the path takes what is left, and at least this. */
  width: number;
  /** 0 never gives way; the highest gives way first. */
  rank: number;
  numeric?: true;
}

export const columns: readonly Column[] = [
  { id: "status", title: "Status", width: 74, rank: 0 },
  { id: "method", title: "Method", width: 76, rank: 0 },
  { id: "host", title: "Host", width: 150, rank: 3 },
  { id: "path", title: "Path", width: 130, rank: 0 },
  { id: "process", title: "Process", width: 130, rank: 4 },
  { id: "type", title: "Type", width: 80, rank: 6 },
  { id: "size", title: "Size", width: 72, rank: 2, numeric: true },
  { id: "duration", title: "Duration", width: 76, rank: 1, numeric: true },
  { id: "time", title: "Time", width: 106, rank: 5, numeric: true },
];

export const narrowestColumn = 40;

/** The columns the user may hide. */
export const optionalColumns = columns.filter((column) => column.rank > 0);

export interface ColumnChoice {
  hidden: ReadonlySet<ColumnId>;
  widths: Partial<Record<ColumnId, number>>;
}

export interface FittedColumns {
  columns: readonly Column[];
  /** The value of `grid-template-columns`. */
  template: string;
}

/** Chosen columns that fit into `available` pixels. */
export function fitColumns(available: number, choice: ColumnChoice): FittedColumns {
  const widthOf = (column: Column): number => choice.widths[column.id] ?? column.width;
  let fitting = columns.filter((column) => column.rank === 0 || !choice.hidden.has(column.id));
  const byRank = [...fitting].sort((a, b) => b.rank - a.rank);
  let needed = fitting.reduce((sum, column) => sum + widthOf(column), 0);
  for (const column of byRank) {
    if (needed <= available || column.rank === 0) break;
    fitting = fitting.filter((other) => other !== column);
    needed -= widthOf(column);
  }
  const template = fitting
    .map((column) => (column.id === "path" ? `minmax(0, 1fr)` : `${widthOf(column)}px`))
    .join(" ");
  return { columns: fitting, template };
}
