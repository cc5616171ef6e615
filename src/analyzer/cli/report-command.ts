// `plainsight report`: the coverage as a file to keep or to send, and as a gate for CI.
import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import type { CoverageReport } from "../../protocol/coverage.ts";
import { coveredPercent } from "../coverage/summary.ts";
import { htmlReport } from "../report/html.ts";
import { markdownReport } from "../report/markdown.ts";
import { processTitle, wholePercent } from "../report/wording.ts";
import { Scanner } from "../scan.ts";
import { exitCodeOf } from "./scan-command.ts";
import { selectionOf, selectorHelp, selectorOptions } from "./selectors.ts";
import { printable } from "./terminal.ts";
import { exitCodes, parseOptions, UsageError } from "./usage.ts";

export const reportHelp = `Usage: plainsight report [selectors] [--format html|markdown|json] [--output FILE] [--fail-under PERCENT]

Writes the TLS coverage of this host, as predicted from symbols.

${selectorHelp}
  --format NAME   html, markdown or json; without it, as FILE's name ends, else markdown
  --output FILE   writes there instead of to standard output
  --fail-under PERCENT
                  exits with 1 when less of the processes with TLS is traceable, or when none was found
  --help

Exit codes: 0 done, 1 --fail-under was not met, 2 wrong usage, 3 none of the named processes may be read.
`;

const formats: Readonly<Record<string, (report: CoverageReport) => string>> = {
  html: htmlReport,
  markdown: markdownReport,
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
};
const endings: Readonly<Record<string, string>> = { ".html": "html", ".htm": "html", ".json": "json" };

/** Gives the exit code. */
export function reportCommand(argv: string[]): Promise<number> {
  const { values } = parseOptions({
    args: argv,
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
    return Promise.resolve(exitCodes.done);
  }
  if (values.measure !== undefined) {
    throw new UsageError("--measure belongs to a later version: this one reports what symbols predict");
  }
  const { output } = values;
  const format = values.format ?? endings[extname(output ?? "").toLowerCase()] ?? "markdown";
  const write = Object.hasOwn(formats, format) ? formats[format] : undefined;
  if (write === undefined) throw new UsageError(`--format ${format} is not one of html, markdown, json`);
  const least = percentOf(values["fail-under"]);

  const { report } = new Scanner().scan(selectionOf(values));
  const text = write(report);
  if (output === undefined) process.stdout.write(text);
  else save(output, text);
  const code = exitCodeOf(report);
  return Promise.resolve(code === exitCodes.done && least !== null ? gate(report, least) : code);
}

function percentOf(value: string | undefined): number | null {
  if (value === undefined) return null;
  const percent = /^\d+(\.\d+)?%?$/.test(value) ? Number.parseFloat(value) : -1;
  if (percent < 0 || percent > 100)
    throw new UsageError(`--fail-under ${value} is not a percentage (0 to 100)`);
  return percent;
}

function save(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (error) {
    throw new UsageError(`write ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  process.stderr.write(`Wrote ${path}\n`);
}

/** Tells on standard error what fell short. A gate that found nothing to judge is not met. */
function gate({ summary, processes, skipped }: CoverageReport, least: number): number {
  const percent = coveredPercent(summary);
  if (percent !== null && percent >= least) return exitCodes.done;
  const short = processes.filter(({ verdict }) => !["traceable", "no-tls"].includes(verdict));
  const lines =
    percent === null
      ? [`no process with TLS was found, so ${least} % of them cannot be traceable`]
      : [
          `${wholePercent(percent)} % of the processes with TLS is traceable, which is under ${least} %`,
          ...short.map((it) => `  ${it.pid} ${processTitle(it)}: ${it.verdict}, ${it.reason.text}`),
        ];
  if (skipped.length > 0) lines.push(`  ${skipped.length} skipped`);
  process.stderr.write(`plainsight: ${lines.map(printable).join("\n")}\n`);
  return exitCodes.gateNotMet;
}
