// The reference matrix as JSON and as Markdown. Pure: rows in, text out.
import type { Linkage, Path, ProcessClass, Verdict } from "../../src/protocol/coverage.ts";
import type { ByHello, ByProxy, Measured } from "./measured.ts";

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
  /** By probes. */
  measured: Measured | null;
  byProxy: ByProxy | null;
  byHello: ByHello | null;
  /** Its command takes any certificate. */
  unverified: boolean;
}

export interface Matrix {
  schema: "plainsight.matrix/1";
  generatedAt: string;
  kernel: string;
  arch: string;
  rows: Row[];
}

/**
 * Whether what was measured is what was predicted: plaintext exactly where it was promised, by probes or the proxy, and a
 * hello where that was.
 */
export function agrees(row: Row): boolean {
  const { predicted, unverified } = row;
  const probed = isProbed(row);
  if (predicted === "traceable" || probed) return predicted === "traceable" && probed;
  if (predicted === "proxy") return isProxied(row);
  if (predicted === "metadata" && row.byHello?.state === "nothing") return false;
  return unverified || !isProxied(row);
}

const isProbed = ({ measured }: Row): boolean => measured?.state === "confirmed";
const isProxied = ({ byProxy }: Row): boolean => byProxy?.state === "confirmed";

const measuredWords: Record<Measured["state"], string> = {
  confirmed: "**plaintext**",
  partly: "partly",
  nothing: "nothing seen",
};
const proxyWords: Record<ByProxy["state"], string> = {
  ...measuredWords,
  "passed-through": "passed through",
  refused: "refused",
  "not-tried": "not tried",
};
const helloWords: Record<ByHello["state"], string> = {
  named: "name",
  "none-sent": "none sent",
  misnamed: "name missed",
  nothing: "not seen",
};

function proxyCell({ byProxy, unverified }: Row): string {
  if (byProxy === null) return "–";
  return (
    proxyWords[byProxy.state] + (unverified && byProxy.state === "confirmed" ? " (any certificate)" : "")
  );
}

function helloCell({ byHello }: Row): string {
  if (byHello === null) return "–";
  const isStrangers = byHello.state !== "nothing" && !byHello.process;
  return helloWords[byHello.state] + (isStrangers ? ", process not told" : "");
}

function cells(row: Row): string[] {
  const name = row.version === null ? row.name : `${row.name} (${row.version})`;
  const vendor = row.vendor ?? "–";
  if (row.skipped !== null)
    return [name, row.side, "", "", "", "", `not run: ${row.skipped}`, "", "", "", vendor];
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
    proxyCell(row),
    helloCell(row),
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
    "by probes",
    "request / response",
    "by proxy",
    "by ClientHello",
    "a vendor says",
  ],
];
const escape = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const line = (parts: readonly string[]): string => `| ${parts.map(escape).join(" | ")} |`;

export function markdown(matrix: Matrix): string {
  const run = matrix.rows.filter(({ skipped }) => skipped === null);
  const count = (is: (row: Row) => boolean) => run.filter(is).length;
  const hello = ({ byHello }: Row) => byHello?.state ?? "nothing";
  const astray = run.filter((row) => !agrees(row));
  const reasons = run.filter(({ predicted }) => predicted !== "traceable");
  return [
    "# Support matrix",
    "",
    `${matrix.rows.length} real programs, each making one known TLS exchange while it was traced: in ` +
      `${count(isProbed)} of the ${run.length} that ran, plaintext was seen, request and response byte for byte. ` +
      `Once more, through the local proxy, it was seen in ${count(isProxied)}, of which ` +
      `${count((row) => isProxied(row) && !isProbed(row))} show nothing to probes; by one of the two in ` +
      `${count((row) => isProxied(row) || isProbed(row))}. By its ClientHello on the wire ` +
      `${count((row) => hello(row) !== "nothing")} were seen, ${count((row) => hello(row) === "named")} with the ` +
      `server's name, ${count(({ byHello }) => byHello?.process === true)} with the process. Linux ${matrix.kernel}, ${matrix.arch}, ${matrix.generatedAt.slice(0, 10)}.`,
    "",
    "Written by `npm run matrix`; no row is written by hand. **By proxy**: a client started with `trace --path mitm`,",
    "which trusts the proxy by its environment alone; what comes in to a server whose certificate and key were given.",
    "*Passed through*: the exchange was made, unopened; *refused*: the program did not take the proxy's certificate;",
    "*any certificate*: its command takes whichever it meets. **By ClientHello**: whether `trace --path xdp` told the",
    "server's name as the server met it, and the program's own process; *none sent*: the hello has no name, as Java's for",
    "localhost. The last column is what a published vendor matrix says of the same family, a dash where it says nothing.",
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
          ({ name, predicted, measured, byProxy, reason }) =>
            `- ${name}: ${predicted ?? "–"} was predicted (${reason ?? "no reason"}), and ` +
            `${measured === null ? "–" : measuredWords[measured.state].replaceAll("*", "")} measured` +
            (predicted === "traceable" || byProxy === null
              ? ""
              : ` (by proxy: ${proxyWords[byProxy.state].replaceAll("*", "")})`),
        )),
    "",
    "## Why the others cannot be probed yet",
    "",
    ...reasons.map(({ name, reason }) => `- ${name}: ${reason ?? "no reason"}`),
    "",
    "## Where the proxy gave no plaintext",
    "",
    ...run
      .filter((row) => !isProxied(row))
      .map(({ name, byProxy }) => `- ${name}: ${byProxy?.reason ?? "it did not say why"}`),
    "",
  ].join("\n");
}
