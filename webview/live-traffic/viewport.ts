// The arithmetic of a virtual list whose rows all have one height: which rows to draw, and where to scroll.
// Heights and offsets are CSS pixels.

export interface Viewport {
  scrollTop: number;
  height: number;
  rowHeight: number;
  rowCount: number;
}

/** Rows from `first` up to, not including, `end`: those in sight and `overscan` more on each side. */
export function visibleRows(viewport: Viewport, overscan: number): { first: number; end: number } {
  const { scrollTop, height, rowHeight, rowCount } = viewport;
  const first = Math.floor(scrollTop / rowHeight) - overscan;
  const end = Math.ceil((scrollTop + height) / rowHeight) + overscan;
  return { first: clamp(first, 0, rowCount), end: clamp(end, 0, rowCount) };
}

/** The nearest scroll offset at which the row is wholly in sight. */
export function scrollToReveal(viewport: Viewport, index: number): number {
  const top = index * viewport.rowHeight;
  if (top < viewport.scrollTop) return top;
  return Math.max(viewport.scrollTop, top + viewport.rowHeight - viewport.height);
}

/** Rows that Page Up and Page Down move by: a screenful, less one row to keep one's place. */
export function pageRows(viewport: Viewport): number {
  return Math.max(1, Math.floor(viewport.height / viewport.rowHeight) - 1);
}

/** True when the last row is in sight, give or take a row. */
export function atEnd(viewport: Viewport): boolean {
  return viewport.scrollTop + viewport.height >= (viewport.rowCount - 1) * viewport.rowHeight;
}

/** Where a list key leads, or null when the key does not move. */
export function moveBy(key: string, from: number, viewport: Viewport): number | null {
  const targets = new Map([
    ["ArrowUp", from - 1],
    ["ArrowDown", from + 1],
    ["PageUp", from - pageRows(viewport)],
    ["PageDown", from + pageRows(viewport)],
    ["Home", 0],
    ["End", viewport.rowCount - 1],
  ]);
  const target = targets.get(key);
  return target === undefined || viewport.rowCount === 0 ? null : clamp(target, 0, viewport.rowCount - 1);
}

export function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}
