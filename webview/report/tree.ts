// The picture's data and its layout: host, services and processes as a tree, alike processes as one leaf. Pure.
import * as d3 from "d3";

export interface PicturedProcess {
  title: string;
  /** The service, container or user that it is shown under. */
  group: string;
  verdict: string;
  /** `predicted`, `measured: confirmed`, … */
  basis: string;
}

export interface Leaf extends PicturedProcess {
  /** Alike processes of the same group. */
  count: number;
}

export interface Branch {
  name: string;
  leaves: Leaf[];
}

/** Groups in order of size, then of name; leaves in the order in which they are met. */
export function branches(processes: readonly PicturedProcess[]): Branch[] {
  const grouped = d3.group(processes, ({ group }) => group);
  return [...grouped]
    .map(([name, members]) => ({ name, leaves: merged(members) }))
    .sort((a, b) => b.leaves.length - a.leaves.length || d3.ascending(a.name, b.name));
}

/** A part of the picture that can be chosen: a group, or the processes of one of its leaves. */
export interface Part {
  label: string;
  group: string;
  /** As `leafKey` makes it; null for the whole group. */
  leaf: string | null;
}

/** The same for alike processes. */
export const leafKey = ({ title, verdict, basis }: Omit<PicturedProcess, "group">): string =>
  JSON.stringify([title, verdict, basis]);

export function isOf(process: PicturedProcess, { group, leaf }: Part): boolean {
  return process.group === group && (leaf === null || leafKey(process) === leaf);
}

export function isSamePart(a: Part | null, b: Part | null): boolean {
  return a?.group === b?.group && a?.leaf === b?.leaf;
}

function merged(members: readonly PicturedProcess[]): Leaf[] {
  const alike = d3.group(members, leafKey);
  return [...alike.values()].flatMap((same) => (same[0] ? [{ ...same[0], count: same.length }] : []));
}

export interface Place {
  x: number;
  y: number;
}

export interface Placed {
  host: Place;
  groups: (Place & { branch: Branch })[];
  leaves: (Place & { leaf: Leaf; group: Place })[];
  height: number;
}

export const rowHeight = 24;

/** @param columns x of the host, of the groups and of the processes */
export function place(tree: readonly Branch[], columns: readonly [number, number, number]): Placed {
  const [hostX, groupX, leafX] = columns;
  interface Node {
    branch?: Branch;
    leaf?: Leaf;
    children?: Node[];
  }
  const data: Node = {
    children: tree.map((branch) => ({ branch, children: branch.leaves.map((leaf) => ({ leaf })) })),
  };
  const root = d3
    .cluster<Node>()
    .nodeSize([rowHeight, 1])
    .separation((a, b) => (a.parent === b.parent ? 1 : 1.5))(d3.hierarchy(data));
  const top = d3.min(root.leaves(), ({ x }) => x) ?? 0;
  const bottom = d3.max(root.leaves(), ({ x }) => x) ?? 0;
  const at = (node: d3.HierarchyPointNode<Node>, x: number): Place => ({ x, y: node.x - top + rowHeight });
  const groups = (root.children ?? []).flatMap((node) =>
    node.data.branch ? [{ ...at(node, groupX), branch: node.data.branch }] : [],
  );
  const leaves = root
    .leaves()
    .flatMap((node) =>
      node.data.leaf && node.parent
        ? [{ ...at(node, leafX), leaf: node.data.leaf, group: at(node.parent, groupX) }]
        : [],
    );
  return { host: at(root, hostX), groups, leaves, height: bottom - top + 2 * rowHeight };
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** The text, or its beginning with an ellipsis. */
export function shorten(text: string, characters: number): string {
  const letters = Array.from(graphemes.segment(text), ({ segment }) => segment);
  return letters.length <= characters ? text : `${letters.slice(0, Math.max(0, characters - 1)).join("")}…`;
}
