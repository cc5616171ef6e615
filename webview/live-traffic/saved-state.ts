// What the view remembers across reloads, and how it reads that back: the stored value may come from another version,
// so each field is checked and falls back on its own. The editor writes it to disk: nothing of the traffic is in it.
import { columns, narrowestColumn, type ColumnId } from "./columns.ts";

export type TabId = "headers" | "request" | "response" | "timing";
/** How much of the past the timeline shows. */
export type TimelineSpan = "10s" | "1m" | "10m" | "all";

export interface SavedState {
  filter: string;
  paused: boolean;
  following: boolean;
  selectedId: string | null;
  detailOpen: boolean;
  tab: TabId;
  span: TimelineSpan;
  /** The detail pane's share of the width when it is on the right, of the height when it is below. */
  detailShare: { right: number; below: number };
  hiddenColumns: ColumnId[];
  columnWidths: Partial<Record<ColumnId, number>>;
  /** There were rows, which are not kept when the window goes: to say so to who looks for them. */
  hadRows: boolean;
}

export const initialState: SavedState = {
  filter: "",
  paused: false,
  following: true,
  selectedId: null,
  detailOpen: false,
  tab: "headers",
  span: "1m",
  detailShare: { right: 0.45, below: 0.55 },
  hiddenColumns: [],
  columnWidths: {},
  hadRows: false,
};

/** The stored value as far as it can be understood; never throws. */
export function readSavedState(stored: unknown): SavedState {
  const value = record(stored);
  const share = record(value.detailShare);
  const widths = record(value.columnWidths);
  const ids = columns.map((column) => column.id);
  return {
    filter: typeof value.filter === "string" ? value.filter : initialState.filter,
    paused: value.paused === true,
    following: value.following !== false,
    selectedId: typeof value.selectedId === "string" ? value.selectedId : null,
    detailOpen: value.detailOpen === true,
    tab: oneOf(value.tab, ["headers", "request", "response", "timing"], initialState.tab),
    span: oneOf(value.span, ["10s", "1m", "10m", "all"], initialState.span),
    detailShare: {
      right: shareOf(share.right, initialState.detailShare.right),
      below: shareOf(share.below, initialState.detailShare.below),
    },
    hiddenColumns: ids.filter((id) => Array.isArray(value.hiddenColumns) && value.hiddenColumns.includes(id)),
    columnWidths: Object.fromEntries(
      ids.flatMap((id) => {
        const width = widths[id];
        return typeof width === "number" && width >= narrowestColumn ? [[id, width]] : [];
      }),
    ),
    hadRows: value.hadRows === true,
  };
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function oneOf<Value extends string>(value: unknown, known: readonly Value[], otherwise: Value): Value {
  return known.find((one) => one === value) ?? otherwise;
}

function shareOf(value: unknown, otherwise: number): number {
  return typeof value === "number" && value >= 0.1 && value <= 0.9 ? value : otherwise;
}
