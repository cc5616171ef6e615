// A short way to build elements. Attributes and listeners are set from script, never parsed from markup, so that
// neither the content security policy nor traffic that looks like HTML can matter; nor is text shown in another order
// than it was sent in, because it says so.

import { withoutOverrides } from "./format.ts";

export type Child = Node | string | null;
type Attributes = Record<string, string | number | boolean | null | ((event: never) => void)>;

/**
 * Makes an element. A function becomes a listener of the event its name gives (`click`); `true` sets an empty
 * attribute; `false` and null set none.
 */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") made.addEventListener(name, value as EventListener);
    else setAttribute(made, name, value);
  }
  made.append(...present(children));
  return made;
}

/** Sets an attribute only where it changes, which keeps style recalculation out of a burst of rows. */
export function setAttribute(target: Element, name: string, value: string | number | boolean | null): void {
  if (value === null || value === false) target.removeAttribute(name);
  else {
    const text = value === true ? "" : value.toString();
    if (target.getAttribute(name) !== text) target.setAttribute(name, text);
  }
}

/** Sets an element's text, only where it changes: a selection or a click in progress stays. */
export function setText(target: Element, text: string): void {
  const shown = withoutOverrides(text);
  if (target.textContent !== shown) target.textContent = shown;
}

/** Replaces the children of an element. */
export function fill(target: Element, ...children: Child[]): void {
  target.replaceChildren(...present(children));
}

function present(children: readonly Child[]): (Node | string)[] {
  return children
    .filter((child) => child !== null)
    .map((child) => (typeof child === "string" ? withoutOverrides(child) : child));
}
