// `plainsight report`: the coverage as a file to keep or to send, and as a gate for CI.
import { accessSync, constants, existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import type { CoverageReport } from "../../protocol/coverage.ts";
import { TracerUnavailable } from "../capture/trace-session.ts";
import { isReportFormat, renderReport } from "../report/formats.ts";
import { Scanner } from "../scan.ts";
import { shortfall } from "./gate.ts";
import { measureFromTerminal } from "./measuring.ts";
import { parseDuration } from "./quantities.ts";
import { exitCodeOf } from "./scan-command.ts";
import { selectionOf, selectorHelp, selectorOptions, tellNoMatch } from "./selectors.ts";
import { printable } from "./terminal.ts";
import { tellProblem } from "./trace-printer.ts";
import { exitCodes, parseOptions, UsageError } from "./usage.ts";

export const reportHelp = `Usage: plainsight report [selectors] [--format html|markdown|json] [--output FILE] [--measure [10s]]
                         [--fail-under PERCENT]

Writes the TLS coverage of this host: as predicted from symbols, or measured.

${selectorHelp}
  --format NAME   html, markdown or json; without it, as FILE's name ends, else markdown
  --output FILE   writes there instead of to standard output
  --measure [10s] probes what can be probed, watches for that long, and says of each process
                  whether plaintext was seen (confirmed), was not though its TLS was in use
                  (silent), or nothing was there to see (not exercised); counts the decrypted
                  connections against all whose ClientHello was seen on the network, and names
                  the servers of the others; needs rights; Ctrl-C ends it early and still writes
                  the report
  --fail-under PERCENT
                  exits with 1 when less of the processes with TLS is traceable, or when none was found.
                  Those of which it is not known whether they have TLS (unknown) count among them; skipped
                  ones are named and not counted. One that stayed silent while it was measured is not
                  traceable, and without the rights for probes none is: run it with sudo
  --help

Exit codes: 0 done, 1 --fail-under was not met, 2 wrong usage, 3 none of the named processes may be
read, or not enough rights or no kernel support for --measure.
`;

const defaultDuration = "10s";

const endings: Readonly<Record<string, string>> = { ".html": "html", ".htm": "html", ".json": "json" };

/** Gives the exit code. */
export async function reportCommand(argv: string[]): Promise<number> {
  const { values } = parseOptions({
    args: withDefaultDuration(argv),
    options: {
      ...selectorOptions,
      format: { type: "string" },
      output: { type: "string" },
      measure: { type: "string" },
      "fail-under": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) {
    process.stdout.write(reportHelp);
    return exitCodes.done;
  }
  const { output } = values;
  if (output === "") throw new UsageError("--output needs a value");
  const format = values.format ?? endings[extname(output ?? "").toLowerCase()] ?? "markdown";
  if (!isReportFormat(format)) throw new UsageError(`--format ${format} is not one of html, markdown, json`);
  const least = percentOf(values["fail-under"]);

  const durationMs = values.measure === undefined ? null : parseDuration("--measure", values.measure);
  const selection = selectionOf(values);
  if (output !== undefined) checkWritable(output);

  const scanner = new Scanner();
  const predicted = scanner.scan(selection).report;
  tellNoMatch(predicted, selection);
  let report = predicted;
  try {
    if (durationMs !== null) report = await measureFromTerminal(predicted, scanner, durationMs);
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    tellProblem(error.problem);
    return exitCodes.notPossible;
  }
  const text = renderReport(report, format);
  if (output === undefined) process.stdout.write(text);
  else save(output, text);
  const code = exitCodeOf(report);
  return code === exitCodes.done && least !== null ? gate(report, least) : code;
}

/**
 * `--measure` may stand alone, which node:util's parseArgs does not know of, nor that a number below zero is no option:
 * it is told as what it is, no duration.
 */
function withDefaultDuration(argv: readonly string[]): string[] {
  return argv.flatMap((word, index) => {
    const next = argv[index + 1] ?? "-";
    if (argv[index - 1] === "--measure" && isNegative(word)) return [];
    if (word !== "--measure" || !next.startsWith("-")) return [word];
    return isNegative(next) ? [`${word}=${next}`] : [word, defaultDuration];
  });
}

const isNegative = (word: string): boolean => /^-\.?\d/.test(word);

function percentOf(value: string | undefined): number | null {
  if (value === undefined) return null;
  const percent = /^\d+(\.\d+)?%?$/.test(value) ? Number.parseFloat(value) : -1;
  if (percent < 0 || percent > 100)
    throw new UsageError(`--fail-under ${value} is not a percentage (0 to 100)`);
  return percent;
}

/** Before anything is measured. */
function checkWritable(path: string): void {
  const folder = dirname(resolve(path));
  try {
    if (existsSync(path)) {
      if (statSync(path).isDirectory()) throw new Error("it is a folder");
      accessSync(path, constants.W_OK);
    } else accessSync(folder, constants.W_OK);
  } catch (error) {
    throw notWritable(path, error);
  }
}

function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw notWritable(path, error);
  }
  process.stderr.write(`Wrote ${path}\n`);
}

function notWritable(path: string, cause: unknown): UsageError {
  return new UsageError(`write ${path}: ${cause instanceof Error ? cause.message : String(cause)}`, {
    cause,
  });
}

function gate(report: CoverageReport, least: number): number {
  const lines = shortfall(report, least);
  if (lines.length === 0) return exitCodes.done;
  process.stderr.write(`plainsight: ${lines.map(printable).join("\n")}\n`);
  return exitCodes.gateNotMet;
}
