// Masks the values under secret names in JSON text, whole or cut off anywhere, and in JSON that a JSON string holds. It
// scans instead of parsing, so that everything else stays as it was on the wire.
import { isSecretName } from "./secret-names.ts";

/**
 * Masks `"name": value` at any depth; a value that is an object or a list is masked whole. In JSON inside a string every
 * quote has backslashes before it; their number is that of the name's quotes.
 */
export function maskJson(text: string, mask: string): string {
  const names = /(\\{0,15})(["'])([^"'\\\n]{1,128})\1\2\s*:\s*/g;
  let masked = "";
  let done = 0;
  for (let match = names.exec(text); match !== null; match = names.exec(text)) {
    const [, slashes = "", , name = ""] = match;
    const from = names.lastIndex;
    const start = text.slice(from, from + 16);
    if (!isSecretName(name, /^[\w.+-]*/.exec(start)?.[0] ?? "", "field")) continue;
    if (/^(?:(?:null|true|false)\b|""|''|\{\}|\[\])/.test(start)) continue;
    const end = valueEnd(text, from, slashes.length);
    if (end === from) continue;
    masked += `${text.slice(done, from)}${slashes}"${mask}${slashes}"`;
    done = end;
    names.lastIndex = end;
  }
  return masked + text.slice(done);
}

/** Where the value at `from` ends: the text's end for one that is cut off. `slashes` stand before its quotes. */
function valueEnd(text: string, from: number, slashes: number): number {
  const ends = /["']|[{[]|[}\]]|[\s,]/g;
  let depth = 0;
  ends.lastIndex = from;
  for (let match = ends.exec(text); match !== null; match = ends.exec(text)) {
    const [mark] = match;
    if (mark === '"' || mark === "'") {
      ends.lastIndex = stringEnd(text, ends.lastIndex, mark, slashes);
      if (depth === 0) return ends.lastIndex;
    } else if (mark === "{" || mark === "[") depth++;
    else if (mark === "}" || mark === "]") {
      if (depth === 0) return match.index;
      if (--depth === 0) return ends.lastIndex;
    } else if (depth === 0) return match.index;
  }
  return text.length;
}

/**
 * Where the string ends whose first character is at `from`. At each level of nesting a quote of the level has one more
 * than twice the backslashes of the level around it; fewer than `slashes` belong to the string around.
 */
function stringEnd(text: string, from: number, quote: string, slashes: number): number {
  for (let at = text.indexOf(quote, from); at !== -1; at = text.indexOf(quote, at + 1)) {
    let run = 0;
    while (at - run - 1 >= from && text[at - run - 1] === "\\") run++;
    if (run < slashes) return at - run;
    if (run % (2 * (slashes + 1)) === slashes) return at + 1;
  }
  return text.length;
}
