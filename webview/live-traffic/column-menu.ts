// The menu in which the user says which columns the list shows. It closes on Escape, on a click elsewhere, and when
// the keyboard leaves it.
import { optionalColumns, type ColumnId } from "./columns.ts";
import { element, setAttribute } from "./dom.ts";
import { icon } from "./icons.ts";
import { clamp } from "./viewport.ts";

export interface ColumnMenuRequest {
  /** Page coordinates of the menu's corner. */
  x: number;
  y: number;
  hidden: ReadonlySet<ColumnId>;
  toggle: (id: ColumnId) => void;
  /** Closed by the keyboard, which must go on somewhere. */
  closed: () => void;
}

export function openColumnMenu({ x, y, hidden, toggle, closed }: ColumnMenuRequest): void {
  const items = optionalColumns.map((column) => {
    const item = element(
      "button",
      {
        type: "button",
        role: "menuitemcheckbox",
        tabindex: -1,
        "aria-checked": hidden.has(column.id) ? "false" : "true",
        click: () => {
          setAttribute(item, "aria-checked", item.getAttribute("aria-checked") === "true" ? "false" : "true");
          toggle(column.id);
        },
      },
      icon("check"),
      column.title,
    );
    return item;
  });
  const menu = element("div", { class: "menu", role: "menu", "aria-label": "Columns" }, ...items);
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    menu.remove();
  };
  menu.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const at = items.findIndex((item) => item === document.activeElement);
    const steps: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      Home: 0,
      End: items.length - 1,
    };
    const step = steps[event.key];
    if (event.key === "Escape" || event.key === "Tab") {
      close();
      closed();
    } else if (step !== undefined) items[(step + items.length) % items.length]?.focus();
    else return;
    event.preventDefault();
  });
  menu.addEventListener("focusout", (event) => {
    if (!(event.relatedTarget instanceof Node && menu.contains(event.relatedTarget))) close();
  });
  document.body.append(menu);
  menu.style.left = `${clamp(x, 0, document.body.clientWidth - menu.offsetWidth - 4)}px`;
  menu.style.top = `${clamp(y, 0, document.body.clientHeight - menu.offsetHeight - 4)}px`;
  items[0]?.focus();
}
