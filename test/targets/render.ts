// The reference matrix as JSON and as Markdown. Pure: rows in, text out.
import type { Linkage, Path, ProcessClass, Verdict } from "../../src/protocol/coverage.ts";
import type { Measured } from "./measured.ts";

export interface Row {
  id: string;
  name: string;
  version: string | null;
  side: "client" | "server";
  /** What a published vendor matrix says; null where it says nothing. */
  vendor: string | null;
  /** Why it was not run; the fields below are then null. */
  skipped: string | null;
  stack: { name: string; version: string | null; linkage: Linkage; symbols: string } | null;
  class: ProcessClass | null;
  path: Path | null;
  predicted: Verdict | null;
  reason: string | null;
  measured: Measured | null;
}

export interface Matrix {
  schema: "plainsight.matrix/1";
  generatedAt: string;
  kernel: string;
  arch: string;
  rows: Row[];
}

/** Whether what was measured is what was predicted: plaintext exactly where it was promised. */
export function agrees({ predicted, measured }: Row): boolean {
  return (predicted === "traceable") === (measured?.state === "confirmed");
}

const measuredWords: Record<Measured["state"], string> = {
  confirmed: "**plaintext**",
  partly: "partly",
  nothing: "nothing seen",
};

function cells(row: Row): string[] {
  const name = row.version === null ? row.name : `${row.name} (${row.version})`;
  const vendor = row.vendor ?? "–";
  if (row.skipped !== null) return [name, row.side, "", "", "", "", `not run: ${row.skipped}`, "", vendor];
  const { stack, measured } = row;
  const half = (seen: boolean | undefined) => (seen === true ? "yes" : "no");
  return [
    name,
    row.side,
    stack === null
      ? "–"
      : [stack.name, stack.version, stack.linkage].filter((part) => part !== null).join(" "),
    row.class ?? "–",
    row.path ?? "–",
    row.predicted ?? "–",
    (measured === null ? "–" : measuredWords[measured.state]) +
      (measured?.protocol == null ? "" : `, ${measured.protocol}`),
    `${half(measured?.request)} / ${half(measured?.response)}`,
    vendor,
  ];
}

const titles = [
  ...[
    "program",
    "side",
    "TLS stack",
    "class",
    "path",
    "predicted",
    "measured",
    "request / response",
    "a vendor says",
  ],
];
const escape = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const line = (parts: readonly string[]): string => `| ${parts.map(escape).join(" | ")} |`;

export function markdown(matrix: Matrix): string {
  const run = matrix.rows.filter(({ skipped }) => skipped === null);
  const confirmed = run.filter(({ measured }) => measured?.state === "confirmed");
  const astray = run.filter((row) => !agrees(row));
  const reasons = run.filter(({ predicted }) => predicted !== "traceable");
  return [
    "# Support matrix",
    "",
    `${matrix.rows.length} real programs, each making one known TLS exchange while it was traced: in ` +
      `${confirmed.length} of the ${run.length} that ran, plaintext was seen, request and response byte for byte. ` +
      `Linux ${matrix.kernel}, ${matrix.arch}, ${matrix.generatedAt.slice(0, 10)}.`,
    "",
    "Written by `npm run matrix`; no row is written by hand. The last column is what a published vendor matrix says of",
    "the same family, a dash where it says nothing.",
    "",
    line(titles),
    line(titles.map(() => "---")),
    ...matrix.rows.map((row) => line(cells(row))),
    "",
    "## Where the prediction was wrong",
    "",
    ...(astray.length === 0
      ? ["Nowhere."]
      : astray.map(
          ({ name, predicted, measured, reason }) =>
            `- ${name}: ${predicted ?? "–"} was predicted (${reason ?? "no reason"}), ` +
            `and ${measured === null ? "–" : measuredWords[measured.state].replaceAll("*", "")} measured`,
        )),
    "",
    "## Why the others cannot be traced yet",
    "",
    ...reasons.map(({ name, reason }) => `- ${name}: ${reason ?? "no reason"}`),
    "",
  ].join("\n");
}
