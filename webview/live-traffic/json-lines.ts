// Lays JSON out as lines with tokens to colour and ranges to fold. It reads the text itself rather than through
// JSON.parse: numbers keep every digit, repeated names stay, and a body that was cut short is still shown as JSON.

export type JsonTokenKind = "punctuation" | "name" | "string" | "number" | "literal";

export interface JsonToken {
  kind: JsonTokenKind;
  /** As on the wire, quotes and escapes included. */
  text: string;
}

export interface JsonLine {
  depth: number;
  tokens: JsonToken[];
  /** On a line that opens an object or array: its members and the index of the line that closes it. */
  fold?: { end: number; members: number };
}

export interface JsonDocument {
  lines: JsonLine[];
  /** False when the text ends before its value does. */
  complete: boolean;
}

// Sticky, one token a match: punctuation, string (perhaps cut by the end of the text), number, literal.
const tokenPattern =
  /[ \t\r\n]*(?:([{}[\],:])|("(?:[^"\\]+|\\[^])*(?:"|\\?$))|(-?\d+(?:\.\d*)?(?:[eE][+-]?\d*)?|-$)|(true|false|null)(?![\w])|([a-z]+)$)/y;

const literals = ["true", "false", "null"];

/** Lines of the text, or null when it is not JSON. A sequence of values, such as JSON lines, is taken too. */
export function jsonDocument(body: string): JsonDocument | null {
  const text = body.trimEnd();
  if (text === "") return null;
  const layout = new Layout();
  let previous = "";
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const match = tokenPattern.exec(text);
    if (match === null) return null;
    const [, punctuation, string, number, literal, cut] = match;
    if (cut !== undefined && !literals.some((word) => word.startsWith(cut))) return null;
    if (punctuation !== undefined) {
      if (!layout.punctuation(punctuation, previous)) return null;
      previous = punctuation;
    } else {
      const kind = string !== undefined ? "string" : number !== undefined ? "number" : "literal";
      const value = string ?? number ?? literal ?? cut ?? "";
      if (!layout.value(kind, value, previous)) return null;
      previous = isWhole(kind, value) ? "value" : "cut";
    }
  }
  return {
    lines: layout.lines,
    complete: layout.open.length === 0 && (previous === "value" || /[}\]]/.test(previous)),
  };
}

function isWhole(kind: JsonTokenKind, text: string): boolean {
  if (kind === "string") return text.length > 1 && text.endsWith('"') && !/[^\\](?:\\\\)*\\"$/.test(text);
  return kind === "number" ? /\d$/.test(text) : literals.includes(text);
}

class Layout {
  readonly lines: JsonLine[] = [{ depth: 0, tokens: [] }];
  readonly open: { line: number; bracket: string; members: number }[] = [];

  /** False when a bracket, comma or colon cannot stand here. */
  punctuation(mark: string, previous: string): boolean {
    const innermost = this.open.at(-1);
    const afterValue = previous === "value" || previous === "}" || previous === "]";
    if (mark === "{" || mark === "[") {
      if (!this.#startValue(previous)) return false;
      this.#push("punctuation", mark);
      this.open.push({ line: this.lines.length - 1, bracket: mark, members: 0 });
      return true;
    }
    if (innermost === undefined) return false;
    if (mark === ":") {
      const name = this.#line().tokens.at(-1);
      if (previous !== "value" || innermost.bracket !== "{" || name?.kind !== "string") return false;
      name.kind = "name";
      this.#push("punctuation", ": ");
      return true;
    }
    if (mark === ",") {
      if (!afterValue) return false;
      this.#push("punctuation", ",");
      return true;
    }
    return this.#close(mark, innermost, afterValue || previous === innermost.bracket);
  }

  /** False when a value cannot stand here. */
  value(kind: JsonTokenKind, text: string, previous: string): boolean {
    if (!this.#startValue(previous)) return false;
    if (this.open.at(-1)?.bracket === "{" && previous !== ":" && kind !== "string") return false;
    this.#push(kind, text);
    return true;
  }

  #close(
    mark: string,
    innermost: { line: number; bracket: string; members: number },
    allowed: boolean,
  ): boolean {
    if (!allowed || (mark === "}") !== (innermost.bracket === "{")) return false;
    this.open.pop();
    if (innermost.members > 0) {
      this.lines.push({ depth: this.open.length, tokens: [] });
      const opening = this.lines[innermost.line];
      if (opening !== undefined) opening.fold = { end: this.lines.length - 1, members: innermost.members };
    }
    this.#push("punctuation", mark);
    return true;
  }

  /** Moves to a new line where a member, an item or a further top-level value begins. */
  #startValue(previous: string): boolean {
    if (previous === ":") return true;
    const innermost = this.open.at(-1);
    if (innermost === undefined) {
      if (previous !== "") this.lines.push({ depth: 0, tokens: [] });
      return true;
    }
    if (previous !== "," && previous !== innermost.bracket) return false;
    innermost.members += 1;
    this.lines.push({ depth: this.open.length, tokens: [] });
    return true;
  }

  #push(kind: JsonTokenKind, text: string): void {
    this.#line().tokens.push({ kind, text });
  }

  #line(): JsonLine {
    const last = this.lines.at(-1);
    if (last === undefined) throw new Error("lay out JSON: the first line is made with the layout");
    return last;
  }
}

/** Indices of the lines in sight when the folds that open on the given lines are closed. */
export function unfoldedLines(lines: readonly JsonLine[], folded: ReadonlySet<number>): number[] {
  const visible: number[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    visible.push(index);
    const fold = lines[index]?.fold;
    // The closing line is left out too: the folded line shows its bracket.
    if (fold !== undefined && folded.has(index)) index = fold.end;
  }
  return visible;
}
