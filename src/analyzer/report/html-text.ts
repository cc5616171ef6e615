// Text and small marks as HTML: the only places where a stranger's text becomes markup.
import type { Verdict } from "../../protocol/coverage.ts";

/**
 * For text and for attribute values in double quotes: names and paths come from strangers. What would make them read in
 * another order than they have is shown by its number.
 */
export function escapeHtml(text: string): string {
  return text
    .replace(
      /[\u202a-\u202e\u2066-\u2069]/g,
      (mark) => `[U+${mark.charCodeAt(0).toString(16).toUpperCase()}]`,
    )
    .replace(/[&<>"'`]/g, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

export function list(items: readonly string[]): string {
  return `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
}

/** A shape for each verdict in a box of 16, so that no verdict is told by its colour alone. */
const shapes: Readonly<Record<Verdict, string>> = {
  // A disc with a tick cut out, half a disc, a ring with a dot, a ring with a cross, a diamond, and a ring.
  traceable: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1ZM7 11.3 3.9 8.2 5.2 6.9 7 8.7l4-4L12.3 6Z",
  proxy: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 0 1 0 10.8Z",
  metadata:
    "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6Zm0 3a2.4 2.4 0 1 0 0 4.8 2.4 2.4 0 0 0 0-4.8Z",
  dark: "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6ZM5.9 4.9l-1 1L7 8l-2.1 2.1 1 1L8 9l2.1 2.1 1-1L9 8l2.1-2.1-1-1L8 7Z",
  unknown: "M8 0.6 15.4 8 8 15.4 0.6 8ZM8 2.9 2.9 8 8 13.1 13.1 8ZM7.2 4.6h1.6v4.2H7.2Zm0 5.2h1.6v1.6H7.2Z",
  "no-tls": "M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1Zm0 1.6a5.4 5.4 0 1 1 0 10.8A5.4 5.4 0 0 1 8 2.6Z",
};

export function icon(verdict: Verdict): string {
  return `<svg class="icon ${verdict}" viewBox="0 0 16 16" aria-hidden="true"><path fill-rule="evenodd" d="${shapes[verdict]}"/></svg>`;
}
