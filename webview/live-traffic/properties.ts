// Small building blocks of the detail pane: sections that fold, tables of names and values, and notes.
import { maskedValue } from "../../src/protocol/traffic.ts";
import type { Note } from "./body-forms.ts";
import { element, type Child } from "./dom.ts";
import { icon } from "./icons.ts";

export type Property = [name: string | null, value: Child];

/** A titled part that folds. */
export function section(title: string, count: number | null, ...content: Child[]): HTMLElement {
  return element(
    "details",
    { class: "section", open: true },
    element(
      "summary",
      {},
      icon("chevron"),
      element("span", {}, title),
      count === null ? null : element("span", { class: "count" }, count.toString()),
    ),
    ...content,
  );
}

/** Names and values; null is shown as not known, never left out. */
export function properties(rows: readonly Property[]): HTMLElement {
  return element(
    "table",
    { class: "properties" },
    element(
      "tbody",
      {},
      ...rows.map(([name, value]) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, name ?? notKnown()),
          element("td", {}, element("div", { class: "property-value" }, ...valueContent(value))),
        ),
      ),
    ),
  );
}

/** A text in which what is masked is marked as such. */
function valueContent(value: Child): Child[] {
  if (typeof value !== "string") return [value ?? notKnown()];
  return value.split(maskedValue).flatMap((part, index) => {
    const mask = element("span", { class: "masked", title: "Masked" }, maskedValue);
    return index === 0 ? [part] : [mask, part];
  });
}

export function notKnown(): HTMLElement {
  return element("span", { class: "not-known" }, "not known");
}

export function noteElement(note: Note): HTMLElement {
  return element(
    "div",
    { class: `note ${note.severity}` },
    icon(note.severity),
    element("span", {}, note.text),
  );
}

/** What stands in place of content that is not there. */
export function placeholder(text: string): HTMLElement {
  return element("p", { class: "placeholder" }, text);
}
