// Fills one row element of the list from an entry. The elements are used again for other rows, so every cell is
// written anew when the row or the columns change, and only then.
import type { TrafficRow } from "../../src/protocol/editor.ts";
import type { Column, ColumnId } from "./columns.ts";
import { element, fill, setAttribute, type Child } from "./dom.ts";
import { formatBytes, formatDuration, formatTime } from "./format.ts";
import { icon, type IconName } from "./icons.ts";
import * as facts from "./row-facts.ts";
import type { Entry } from "./row-store.ts";

interface Cell {
  content: Child[];
  /** Null where the content says it all. */
  title: string | null;
}

const filled = new WeakMap<Element, { row: TrafficRow; columns: readonly Column[] }>();

export function rowElement(): HTMLElement {
  return element("div", { class: "row", role: "row", tabindex: -1 });
}

export function fillRow(target: HTMLElement, entry: Entry, columns: readonly Column[]): void {
  const before = filled.get(target);
  if (before?.row === entry.row && before.columns === columns) return;
  filled.set(target, { row: entry.row, columns });
  setAttribute(target, "data-outcome", facts.outcomeOf(entry.row));
  setAttribute(target, "data-id", entry.row.id);
  fill(
    target,
    ...columns.map((column) => {
      const { content, title } = cells[column.id](entry, columns);
      const numeric = column.numeric === true ? " numeric" : "";
      return element("div", { class: `cell ${column.id}${numeric}`, role: "gridcell", title }, ...content);
    }),
  );
}

const cells: Record<ColumnId, (entry: Entry, columns: readonly Column[]) => Cell> = {
  status: ({ row }) => ({
    content: [icon(glyphOf(row)), element("span", {}, facts.statusText(row))],
    title: facts.statusTitle(row),
  }),
  method: ({ row }) => plain(row.type === "exchange" ? row.method : kindWords[row.type]),
  host: ({ row }) => plain(facts.hostOf(row)),
  path: ({ row }, columns) => pathCell(row, columns),
  process: ({ row }) => {
    if (row.pid === null && row.command === null) return plain(null);
    const id = element("span", { class: "faint" }, ` ${row.pid ?? ""}`);
    return {
      content: [element("span", { class: "command" }, row.command ?? ""), id],
      title: facts.processOf(row),
    };
  },
  type: ({ row }) => ({
    ...plain(facts.typeOf(row)),
    title: row.type === "exchange" ? row.contentType : facts.typeOf(row),
  }),
  size: ({ row }) => {
    const size = row.type === "exchange" && row.status === null ? null : facts.sizeOf(row);
    return size === null
      ? { content: [], title: null }
      : { content: [formatBytes(size)], title: sizeTitle(row, size) };
  },
  duration: ({ row }) => {
    if (row.type === "message") return { content: [], title: null };
    if (row.durationMs !== null)
      return { content: [formatDuration(row.durationMs)], title: `${row.durationMs} ms` };
    const word = row.state === "pending" ? "Pending" : row.state === "open" ? "Open" : "–";
    return { content: [element("span", { class: "faint" }, word)], title: null };
  },
  time: ({ row, startMs }) => ({ content: [formatTime(startMs)], title: row.startedAt }),
};

const kindWords = { message: "message", connection: "metadata" } as const;

function sizeTitle(row: TrafficRow, size: number): string {
  const bytes = (count: number | null): string => count?.toLocaleString("en-US") ?? "not known";
  if (row.type !== "connection") return `${bytes(size)} bytes`;
  return `${bytes(row.bytesOut)} bytes out, ${bytes(row.bytesIn)} in`;
}

function plain(text: string | null): Cell {
  return { content: [text ?? element("span", { class: "faint", title: "Not known" }, "–")], title: text };
}

function pathCell(row: TrafficRow, columns: readonly Column[]): Cell {
  // A connection without its host says little: where the host's own column gave way, it comes here.
  const host =
    row.type === "connection" && !columns.some(({ id }) => id === "host") ? facts.hostOf(row) : null;
  const known = [host, facts.pathOf(row)].filter((part) => part !== null);
  const path = known.length === 0 ? null : known.join(" · ");
  const reason = facts.reasonOf(row);
  const text = row.type === "message" ? element("span", { class: "preview" }, path ?? "") : path;
  return {
    content: [
      reason === null ? null : element("span", { class: path === null ? "reason alone" : "reason" }, reason),
      element("span", { class: "path-text" }, text ?? element("span", { class: "faint" }, "–")),
    ],
    title: [row.type === "exchange" ? facts.urlOf(row) : path, reason]
      .filter((part) => part !== null)
      .join("\n"),
  };
}

function glyphOf(row: TrafficRow): IconName {
  const outcome = facts.outcomeOf(row);
  return outcome === "message" ? (row.type === "message" ? row.direction : "out") : `outcome-${outcome}`;
}
