// What a terminal can show: its width, colours, and text that fits into columns. Text from processes is a stranger's:
// nothing of it may move the cursor.

export interface Terminal {
  /** Columns. */
  width: number;
  colour: boolean;
}

/** What a stream is written to when it is no terminal: wide enough for a table, narrow enough to read. */
const widthElsewhere = 120;

/** COLUMNS beats the terminal's own width; NO_COLOR (no-color.org) and TERM=dumb turn colours off. */
export function terminalOf(
  stream: { isTTY?: boolean; columns?: number },
  env: Readonly<Record<string, string | undefined>> = process.env,
): Terminal {
  const asked = Number(env.COLUMNS);
  const width = Number.isInteger(asked) && asked > 0 ? asked : stream.columns;
  const plain = (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb";
  return { width: width ?? widthElsewhere, colour: stream.isTTY === true && !plain };
}

/** Select graphic rendition, ECMA-48 8.3.117: the code that begins a style and the one that ends it. */
const styles = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39],
} as const;
export type Style = keyof typeof styles;
export type Paint = (style: Style, text: string) => string;

export function painter({ colour }: Terminal): Paint {
  return (style, text) => {
    const [begin, end] = styles[style];
    return colour && text !== "" ? `\u001b[${begin}m${text}\u001b[${end}m` : text;
  };
}

/** The same text with control characters made visible (`\x1b`), bidirectional overrides too. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16)}`;
  });
}

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** East Asian wide and fullwidth ranges (UAX #11), and pictures that are shown as such (UTS #51). */
const wide =
  /^(?:[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}|\p{Emoji}\ufe0f)/u;
const invisible = /^[\p{Mn}\p{Me}\p{Cf}]/u;

function graphemeWidth(grapheme: string): number {
  if (wide.test(grapheme)) return 2;
  return invisible.test(grapheme) ? 0 : 1;
}

/** Columns that the text takes; it has no styles in it. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += graphemeWidth(segment);
  return width;
}

/** The text, or its beginning with an ellipsis, in at most `width` columns. */
export function truncate(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width < 1) return "";
  let kept = "";
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    used += graphemeWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** Fills up to `width` columns; longer text is truncated. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const cut = truncate(text, width);
  const space = " ".repeat(Math.max(0, width - displayWidth(cut)));
  return align === "left" ? cut + space : space + cut;
}

/** Breaks at spaces into lines of at most `width` columns; a longer word has a line of its own, truncated. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (displayWidth(longer) <= width) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = truncate(word, width);
  }
  return [...lines, line];
}
