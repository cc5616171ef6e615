// `plainsight scan`: which processes there are, and how the TLS of each can be seen.
import type { CoverageReport } from "../../protocol/coverage.ts";
import { Scanner } from "../scan.ts";
import { coverageTable } from "./coverage-table.ts";
import { isEveryProcess, selectionOf, selectorHelp, selectorOptions, tellNoMatch } from "./selectors.ts";
import { terminalOf } from "./terminal.ts";
import { exitCodes, parseOptions, UsageError } from "./usage.ts";

export const scanHelp = `Usage: plainsight scan [selectors] [--all] [--json]

Lists the processes of this host with how their TLS can be seen.

${selectorHelp}
  --all           lists the processes without TLS, too
  --json          prints the report as one JSON object
  --help

Exit codes: 0 done, 2 wrong usage, 3 none of the named processes may be read.
`;

/** Gives the exit code. */
export function scanCommand(argv: string[]): Promise<number> {
  const { values } = parseOptions({
    args: argv,
    options: {
      ...selectorOptions,
      all: { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) {
    process.stdout.write(scanHelp);
    return Promise.resolve(exitCodes.done);
  }
  if (values.json === true && values.all === true) throw new UsageError("--json lists every process already");
  const selection = selectionOf(values);
  const { report } = new Scanner().scan(selection);
  const isMatched = !tellNoMatch(report, selection);
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else if (isMatched) {
    const all = values.all === true || !isEveryProcess(selection);
    process.stdout.write(`${coverageTable(report, terminalOf(process.stdout), { all })}\n`);
  }
  return Promise.resolve(exitCodeOf(report));
}

/** 3 when rights were all that stood between the user and an answer. */
export function exitCodeOf({ processes, skipped }: CoverageReport): number {
  const forbidden = skipped.filter(({ reason }) => reason.code === "not-readable");
  if (processes.length > 0 || forbidden.length === 0) return exitCodes.done;
  const [first] = forbidden;
  process.stderr.write(`plainsight: nothing that was asked for may be read: ${first?.reason.text ?? ""}\n`);
  return exitCodes.notPossible;
}
