// Decodes `application/x-www-form-urlencoded` (WHATWG URL, section 5) for bodies and for the query of a target.

export type FormField = [name: string, value: string];

/** Names and values in order; repeated names stay. */
export function formFields(text: string): FormField[] {
  return [...new URLSearchParams(text)];
}

/** The decoded query of a request target; empty when there is none. */
export function queryFields(target: string | null): FormField[] {
  const question = target?.indexOf("?") ?? -1;
  if (target === null || question < 0) return [];
  return formFields(target.slice(question + 1).replace(/#.*$/s, ""));
}
