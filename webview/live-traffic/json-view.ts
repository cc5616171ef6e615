// Shows a JSON document as a tree of coloured lines that fold, by pointer and by keyboard.
import { element, setAttribute } from "./dom.ts";
import { formatCount } from "./format.ts";
import { icon } from "./icons.ts";
import { unfoldedLines, type JsonDocument, type JsonLine } from "./json-lines.ts";
import { LinesView } from "./lines-view.ts";

/** A longer value is cut on the screen; copying the body copies all of it. */
const longestToken = 4000;

export function jsonView(document: JsonDocument, label: string): HTMLElement {
  const { lines } = document;
  const view = new LinesView(label);
  const folded = new Set<number>();
  let visible: number[] = [];
  /** Position in `visible` of the line that the keyboard is on. */
  let active = 0;

  const toggle = (index: number): void => {
    if (!folded.delete(index)) folded.add(index);
    show();
  };
  const show = (): void => {
    visible = unfoldedLines(lines, folded);
    view.setLines(visible.length, (position) => {
      const index = visible[position] ?? 0;
      return lineElement(lines, index, folded.has(index), position === active, () => {
        toggle(index);
      });
    });
    setAttribute(view.element, "aria-activedescendant", lineId(visible[active] ?? 0));
  };
  const move = (position: number): void => {
    active = Math.min(Math.max(position, 0), visible.length - 1);
    show();
    view.reveal(active);
  };

  setAttribute(view.element, "role", "tree");
  view.element.addEventListener("keydown", (event) => {
    const index = visible[active] ?? 0;
    const line = lines[index];
    const foldable = line?.fold !== undefined;
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    if (event.key === "ArrowDown") move(active + 1);
    else if (event.key === "ArrowUp") move(active - 1);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(visible.length - 1);
    else if (event.key === "ArrowRight" && foldable && folded.has(index)) toggle(index);
    else if (event.key === "ArrowLeft" && foldable && !folded.has(index)) toggle(index);
    else if (event.key === "ArrowLeft") move(parentPosition(lines, visible, active));
    else if (event.key === "Enter" && foldable) toggle(index);
    else return;
    event.preventDefault();
  });
  show();
  return view.element;
}

function lineElement(
  lines: readonly JsonLine[],
  index: number,
  folded: boolean,
  active: boolean,
  toggle: () => void,
): HTMLElement {
  const line = lines[index];
  const made = element("div", {
    class: `line${active ? " active" : ""}`,
    role: "treeitem",
    id: lineId(index),
    "aria-level": (line?.depth ?? 0) + 1,
    "aria-selected": active ? "true" : "false",
  });
  if (line === undefined) return made;
  made.style.paddingInlineStart = `${line.depth * 2 + 2}ch`;
  if (line.fold !== undefined) {
    setAttribute(made, "aria-expanded", folded ? "false" : "true");
    const twistie = element("span", { class: "twistie", click: toggle }, icon("chevron"));
    twistie.style.insetInlineStart = `${line.depth * 2}ch`;
    made.append(twistie);
  }
  for (const { kind, text } of line.tokens) {
    const cut = text.length > longestToken;
    made.append(element("span", { class: `token-${kind}` }, cut ? text.slice(0, longestToken) : text));
    if (cut)
      made.append(
        element(
          "span",
          { class: "faint" },
          ` … ${formatCount(text.length - longestToken, "more character")}`,
        ),
      );
  }
  if (line.fold !== undefined && folded) {
    const closing = lines[line.fold.end]?.tokens.map((token) => token.text).join("") ?? "";
    made.append(
      element("span", { class: "folded", click: toggle }, "…"),
      element("span", { class: "token-punctuation" }, closing),
      element("span", { class: "faint" }, ` ${formatCount(line.fold.members, "item")}`),
    );
  }
  return made;
}

function parentPosition(lines: readonly JsonLine[], visible: readonly number[], from: number): number {
  const depth = lines[visible[from] ?? 0]?.depth ?? 0;
  for (let position = from - 1; position >= 0; position -= 1) {
    if ((lines[visible[position] ?? 0]?.depth ?? 0) < depth) return position;
  }
  return from;
}

function lineId(index: number): string {
  return `json-line-${index}`;
}
