// The script of the HTML report: adds the picture, the filters and the sorting to a page that is complete without them.
import { element } from "../live-traffic/dom.ts";
import { drawPicture, type Picture } from "./picture.ts";
import { readRows } from "./rows.ts";
import { makeFilterBar, makeSortable } from "./table.ts";

const table = document.querySelector<HTMLTableElement>("#table");
const box = document.querySelector<HTMLElement>("#picture");

if (table && box) {
  const rows = readRows(table);
  let picture: Picture | null = null;
  const filters = makeFilterBar(rows, (shown, part) => picture?.show(shown, part));
  table.before(filters.bar, makeSortable(table, rows));
  const figure = element("div", { class: "figure" });
  box.append(element("h2", {}, "Host, services, processes"), figure);
  picture = drawPicture(figure, document.body.dataset.host ?? "", rows, (part) => {
    filters.choose(part);
  });
}
