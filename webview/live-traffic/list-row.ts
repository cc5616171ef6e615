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
      const { content, title } = cells[column.id](entry);
      const numeric = column.numeric === true ? " numeric" : "";
      return element("div", { class: `cell ${column.id}${numeric}`, role: "gridcell", title }, ...content);
    }),
  );
}

const cells: Record<ColumnId, (entry: Entry) => Cell> = {
  status: ({ row }) => ({
    content: [icon(glyphOf(row)), element("span", {}, facts.statusText(row))],
    title: facts.statusTitle(row),
  }),
  method: ({ row }) => plain(row.type === "exchange" ? row.method : "message"),
  host: ({ row }) => plain(facts.hostOf(row)),
  path: ({ row }) => pathCell(row),
  process: ({ row }) => ({
    content: [row.command, element("span", { class: "faint" }, ` ${row.pid}`)],
    title: facts.processOf(row),
  }),
  type: ({ row }) => ({
    ...plain(facts.typeOf(row)),
    title: row.type === "exchange" ? row.contentType : row.protocol,
  }),
  size: ({ row }) => {
    if (row.type === "exchange" && row.status === null) return { content: [], title: null };
    return {
      content: [formatBytes(facts.sizeOf(row))],
      title: `${facts.sizeOf(row).toLocaleString("en-US")} bytes`,
    };
  },
  duration: ({ row }) => {
    if (row.type === "message") return { content: [], title: null };
    if (row.durationMs !== null)
      return { content: [formatDuration(row.durationMs)], title: `${row.durationMs} ms` };
    return {
      content: [element("span", { class: "faint" }, row.state === "pending" ? "Pending" : "–")],
      title: null,
    };
  },
  time: ({ row, startMs }) => ({ content: [formatTime(startMs)], title: row.startedAt }),
};

function plain(text: string | null): Cell {
  return { content: [text ?? element("span", { class: "faint", title: "Not known" }, "–")], title: text };
}

function pathCell(row: TrafficRow): Cell {
  const path = facts.pathOf(row);
  const reason = facts.reasonOf(row);
  const text = row.type === "message" ? element("span", { class: "preview" }, path ?? "") : path;
  return {
    content: [
      reason === null ? null : element("span", { class: "reason" }, reason),
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
