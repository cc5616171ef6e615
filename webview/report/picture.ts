// Draws host → service → process, each process with its verdict's shape and colour. A click on a part asks for the rows
// that belong to it.
import * as d3 from "d3";
import {
  branches,
  isOf,
  isSamePart,
  leafKey,
  place,
  rowHeight,
  shorten,
  type Branch,
  type Leaf,
  type Part,
  type Place,
} from "./tree.ts";
import type { Row } from "./rows.ts";

export interface Picture {
  /** Dims what is not among these rows, and marks the part that was chosen. */
  show(rows: readonly Row[], part: Part | null): void;
}

/** Average advance of the picture's font in pixels, for cutting labels before they are drawn. */
const letter = 7.6;
const iconSize = 14;

const partOfLeaf = (leaf: Leaf): Part => ({
  label: `${leaf.title} in ${leaf.group}`,
  group: leaf.group,
  leaf: leafKey(leaf),
});
const partOfBranch = ({ name }: Branch): Part => ({ label: name, group: name, leaf: null });

/** @param choose is called with the part that was clicked */
export function drawPicture(
  box: HTMLElement,
  host: string,
  rows: readonly Row[],
  choose: (part: Part) => void,
): Picture {
  const shapes = new Map(
    rows.map(({ verdict, element }) => [
      verdict,
      element.querySelector("svg.icon path")?.getAttribute("d") ?? "",
    ]),
  );
  const tree = branches(rows);
  const svg = d3.select(box).append("svg").attr("class", "picture").attr("role", "group");
  svg.attr("aria-label", "Host, services and processes with TLS; each leads to its rows in the table");
  let shown = rows;
  let chosen: Part | null = null;

  function mark(): void {
    svg
      .selectAll<SVGGElement, { leaf: Leaf }>("g.leaf")
      .classed("dimmed", ({ leaf }) => !shown.some((row) => isOf(row, partOfLeaf(leaf))))
      .attr("aria-pressed", ({ leaf }) => String(isSamePart(partOfLeaf(leaf), chosen)));
    svg
      .selectAll<SVGGElement, { branch: Branch }>("g.group")
      .attr("aria-pressed", ({ branch }) => String(isSamePart(partOfBranch(branch), chosen)));
  }

  function draw(width: number): void {
    const isNarrow = width < 640;
    const widest = (names: readonly string[], most: number) =>
      Math.min(most, d3.max(names, ({ length }) => length) ?? 0);
    const hostLetters = isNarrow ? 0 : widest([host], 20);
    const groupLetters = widest(
      tree.map(({ name }) => name),
      isNarrow ? 14 : 28,
    );
    const hostX = hostLetters * letter + 20;
    const groupX = hostX + groupLetters * letter + (isNarrow ? 28 : 72);
    const leafX = groupX + (isNarrow ? 24 : 72);
    const leafLetters = Math.max(8, Math.floor((width - leafX - iconSize - 12) / letter));
    const placed = place(tree, [hostX, groupX, leafX]);

    svg.attr("viewBox", `0 0 ${width} ${placed.height}`).attr("width", width).attr("height", placed.height);
    svg.selectAll("*").remove();
    const link = d3
      .link<{ source: Place; target: Place }, Place>(d3.curveBumpX)
      .x(({ x }) => x)
      .y(({ y }) => y);
    svg
      .append("g")
      .attr("class", "links")
      .selectAll("path")
      .data([
        ...placed.groups.map((target) => ({ source: placed.host, target })),
        ...placed.leaves.map((leaf) => ({ source: leaf.group, target: leaf })),
      ])
      .join("path")
      .attr("d", link);

    const inner = svg.append("g").attr("class", "inner");
    const at = ({ x, y }: Place) => `translate(${x},${y})`;
    const hostNode = inner.append("g").attr("transform", at(placed.host));
    hostNode.append("rect").attr("x", -5).attr("y", -5).attr("width", 10).attr("height", 10).attr("rx", 2);
    if (!isNarrow) {
      hostNode
        .append("text")
        .attr("x", -10)
        .attr("dy", "0.32em")
        .attr("text-anchor", "end")
        .text(shorten(host, 20));
    }
    const groups = inner
      .selectAll<SVGGElement, unknown>("g.group")
      .data(placed.groups)
      .join("g")
      .attr("class", "group part");
    groups.attr("transform", at);
    groups.append("circle").attr("r", 4);
    groups
      .append("text")
      .attr("x", -8)
      .attr("dy", "0.32em")
      .attr("text-anchor", "end")
      .text(({ branch }) => shorten(branch.name, groupLetters));
    groups.append("title").text(({ branch }) => branch.name);
    actsAs(groups, ({ branch }) => [`Show ${branch.name}`, partOfBranch(branch)]);

    const leaves = svg
      .append("g")
      .selectAll<SVGGElement, unknown>("g")
      .data(placed.leaves)
      .join("g")
      .attr("class", "leaf part");
    leaves.attr("transform", at);
    leaves
      .append("rect")
      .attr("class", "hit")
      .attr("y", -rowHeight / 2)
      .attr("height", rowHeight);
    leaves.select("rect.hit").attr("width", Math.max(0, width - leafX));
    leaves
      .append("path")
      .attr("class", ({ leaf }) => `icon ${leaf.verdict}`)
      .attr("fill-rule", "evenodd")
      .attr("transform", `translate(0,${-iconSize / 2}) scale(${iconSize / 16})`)
      .attr("d", ({ leaf }) => shapes.get(leaf.verdict) ?? "");
    const label = leaves
      .append("text")
      .attr("x", iconSize + 7)
      .attr("dy", "0.32em");
    label
      .append("tspan")
      .attr("class", "name")
      .text(({ leaf }) => nameOf(leaf, leafLetters));
    label
      .append("tspan")
      .attr("class", "quiet")
      .attr("dx", 8)
      .text(({ leaf }) => {
        const told = `${leaf.verdict}, ${leaf.basis}`;
        return nameOf(leaf, leafLetters).length + told.length + 2 <= leafLetters ? told : "";
      });
    leaves.append("title").text(({ leaf }) => sentence(leaf));
    actsAs(leaves, ({ leaf }) => [`Show ${sentence(leaf)}`, partOfLeaf(leaf)]);
    mark();
  }

  function actsAs<Datum>(
    parts: d3.Selection<SVGGElement, Datum, SVGGElement, unknown>,
    action: (datum: Datum) => [label: string, part: Part],
  ): void {
    parts
      .attr("role", "button")
      .attr("tabindex", 0)
      .attr("aria-label", (datum) => action(datum)[0])
      .on("click", (_event, datum) => {
        choose(action(datum)[1]);
      })
      .on("keydown", (event: KeyboardEvent, datum) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        choose(action(datum)[1]);
      });
  }

  let drawnWidth = 0;
  new ResizeObserver(() => {
    const width = Math.floor(box.clientWidth);
    if (width === drawnWidth || width === 0) return;
    drawnWidth = width;
    draw(width);
  }).observe(box);

  return {
    show(visible, part) {
      shown = visible;
      chosen = part;
      mark();
    },
  };
}

function nameOf({ title, count }: Leaf, letters: number): string {
  const times = count === 1 ? "" : ` ×${count}`;
  return shorten(title, letters - times.length) + times;
}

function sentence({ title, count, verdict, basis }: Leaf): string {
  return `${title}${count === 1 ? "" : `, ${count} processes`}: ${verdict} (${basis})`;
}
