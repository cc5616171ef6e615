// Shows one body: its notes, a choice of forms (JSON, fields, text, hex), and the form that is chosen.
import type { BodyView } from "../../src/protocol/traffic.ts";
import { bodyBytes, bodyForms, bodyNotes, type BodyForm } from "./body-forms.ts";
import { element, fill, setAttribute } from "./dom.ts";
import { formatBytes } from "./format.ts";
import { formFields } from "./form-fields.ts";
import { hexLine, hexLineCount } from "./hex-dump.ts";
import { jsonDocument } from "./json-lines.ts";
import { jsonView } from "./json-view.ts";
import { LinesView } from "./lines-view.ts";
import { noteElement, placeholder, properties } from "./properties.ts";

const formTitles: Record<BodyForm, string> = { json: "JSON", fields: "Fields", text: "Text", hex: "Hex" };

export interface BodyFacts {
  /** `Request body`, for screen readers. */
  label: string;
  body: BodyView | null;
  /** Bytes on the wire. */
  size: number;
  mediaType: string | null;
  /** What the bar above the body says of its kind, before its size. */
  kind: string;
}

/** What is shown when the body has no form: nothing was sent, or nothing of it was kept. */
export function bodyView({ label, body, size, mediaType, kind }: BodyFacts): HTMLElement {
  const forms = bodyForms(body, mediaType);
  const [first] = forms;
  const notes = bodyNotes(body).map(noteElement);
  if (body === null || first === undefined) {
    const text = size === 0 ? "No body" : `${formatBytes(size)} of body, of which nothing was kept`;
    return element("div", { class: "body-view" }, ...notes, placeholder(text));
  }
  const shown = element("div", { class: "body-form" });
  const choices = forms.map((form) =>
    element(
      "button",
      {
        class: "choice",
        type: "button",
        click: () => {
          choose(form);
        },
      },
      formTitles[form],
    ),
  );
  const choose = (form: BodyForm): void => {
    choices.forEach((choice, index) => {
      setAttribute(choice, "aria-pressed", forms[index] === form ? "true" : "false");
    });
    fill(shown, formElement(form, body, label));
  };
  choose(first);
  return element(
    "div",
    { class: "body-view" },
    element(
      "div",
      { class: "body-bar" },
      element("span", { class: "body-kind" }, `${kind} · ${formatBytes(size)}`),
      element("div", { class: "choices", role: "group", "aria-label": `${label}: show as` }, ...choices),
    ),
    ...notes,
    shown,
  );
}

function formElement(form: BodyForm, body: BodyView, label: string): HTMLElement {
  if (form === "hex") return hexView(bodyBytes(body), label);
  const text = body.text ?? "";
  if (form === "fields") return properties(formFields(text));
  const json = form === "json" ? jsonDocument(text) : null;
  return json === null ? textView(text, label) : jsonView(json, label);
}

function textView(text: string, label: string): HTMLElement {
  const lines = text.split(/\r\n|\n|\r/);
  const view = new LinesView(label);
  view.setLines(lines.length, (index) => element("div", { class: "line" }, lines[index] ?? ""));
  return view.element;
}

function hexView(bytes: Uint8Array, label: string): HTMLElement {
  const view = new LinesView(label);
  let bytesPerLine = 0;
  const show = (): void => {
    // 16 bytes a line take 79 characters, each six tenths of the font's size wide.
    const needed = 79 * 0.6 * (parseFloat(getComputedStyle(view.element).fontSize) || 13);
    const fitting = view.element.clientWidth > 0 && view.element.clientWidth < needed ? 8 : 16;
    if (fitting === bytesPerLine) return;
    bytesPerLine = fitting;
    view.setLines(hexLineCount(bytes, bytesPerLine), (index) => {
      const { offset, hex, ascii } = hexLine(bytes, index, bytesPerLine);
      return element(
        "div",
        { class: "line hex-line" },
        element("span", { class: "faint" }, offset),
        element("span", {}, hex),
        element("span", { class: "token-string" }, ascii),
      );
    });
  };
  new ResizeObserver(show).observe(view.element);
  show();
  return view.element;
}
