// The icons: 16 by 16, one path each, in the current text colour, drawn for this view in the manner of VS Code's own.

const shapes = {
  pause: "M5.5 3v10M10.5 3v10",
  resume: "M4.5 2.8v10.4L13 8z",
  clear: "M2 3.5h11M2 7.5h6M2 11.5h4.5M9 8.5l5 5M14 8.5l-5 5",
  follow: "M8 2v8M4.5 6.8 8 10.3l3.5-3.5M3 13.5h10",
  filter: "M2 3h12L9.5 8.3v4.2l-3-1.5V8.3z",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
  terminal: "M1.5 3h13v10h-13zM4 6l2.2 2L4 10M8 10.5h4",
  columns: "M2 3h12v10H2zM6 3v10M10 3v10",
  stop: "M4 4h8v8H4z",
  chevron: "M6 3.8 10.2 8 6 12.2",
  check: "M3 8.5l3.2 3.2L13 5",
  warning: "M8 2.2 14.3 13.3H1.7zM8 6.3v3.4M8 11.2v.9",
  info: "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM8 7.2v3.8M8 4.8v.9",
  error: "M8 1.8a6.2 6.2 0 1 1 0 12.4A6.2 6.2 0 0 1 8 1.8zM5.8 5.8l4.4 4.4M10.2 5.8l-4.4 4.4",
  traffic: "M4.5 13V3M2 5.5 4.5 3 7 5.5M11.5 3v10M9 10.5l2.5 2.5 2.5-2.5",
  network:
    "M8 7.2a.8.8 0 1 1 0 1.6.8.8 0 0 1 0-1.6zM5.7 5.7a3.3 3.3 0 0 0 0 4.6M10.3 5.7a3.3 3.3 0 0 1 0 4.6M3.6 3.6a6.2 6.2 0 0 0 0 8.8M12.4 3.6a6.2 6.2 0 0 1 0 8.8",
  "outcome-informational": "M8 4.5a3.5 3.5 0 1 1 0 7 3.5 3.5 0 0 1 0-7z",
  "outcome-success": "M4 8.3l2.8 2.8L12 5.5",
  "outcome-redirect": "M3.5 5v2.5h8.5M9 4.5l3 3-3 3",
  "outcome-client-error": "M8 3.8 12.8 12H3.2zM8 7v2.3M8 10.4v.5",
  "outcome-server-error": "M4.5 4.5l7 7M11.5 4.5l-7 7",
  "outcome-pending": "M8 3.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9zM8 5.5V8l1.8 1.3",
  "outcome-incomplete": "M3 8h3.2M9.8 8H13M7.2 4.5l1.6 7",
  "outcome-metadata": "M4 7.3h8v5.7H4zM5.7 7.3V5.2a2.3 2.3 0 0 1 4.6 0v2.1",
  "outcome-blocked": "M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3zM4.5 11.5l7-7",
  out: "M8 13V3.5M4.5 7 8 3.5 11.5 7",
  in: "M8 3v9.5M4.5 9 8 12.5 11.5 9",
};

export type IconName = keyof typeof shapes;

/** A new icon; hidden from screen readers, for its button or its row says what it means. */
export function icon(name: IconName): SVGSVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  made.setAttribute("class", "icon");
  made.setAttribute("viewBox", "0 0 16 16");
  made.setAttribute("aria-hidden", "true");
  made.append(document.createElementNS("http://www.w3.org/2000/svg", "path"));
  setIcon(made, name);
  return made;
}

/** Turns an icon into another. */
export function setIcon(target: SVGSVGElement, name: IconName): void {
  target.firstElementChild?.setAttribute("d", shapes[name]);
}
