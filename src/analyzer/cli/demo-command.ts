// `plainsight demo`: the main job on a small sample. Scans the host, traces the sample's processes for some seconds,
// writes the report and says what to do next.
import { setTimeout as sleep } from "node:timers/promises";
import { openTraceSession, TracerUnavailable } from "../capture/trace-session.ts";
import { installationRoot } from "../installation.ts";
import { Scanner } from "../scan.ts";
import { everyProcess } from "../selection.ts";
import { coverageTable } from "./coverage-table.ts";
import { startSample, type RunningSample } from "./demo-sample.ts";
import { parseDuration } from "./quantities.ts";
import { reportCommand } from "./report-command.ts";
import { painter, terminalOf } from "./terminal.ts";
import { tellProblem, tracePrinter } from "./trace-printer.ts";
import { exitCodes, parseOptions } from "./usage.ts";

const help = `Usage: plainsight demo [--duration 6s]

Starts a small HTTPS service and clients in several runtimes on loopback, shows the TLS coverage of this host, traces
the sample's decrypted exchanges and writes the report. Everything it starts is gone when it ends.
`;

const reportFile = "plainsight-report.html";
/** So that the clients have loaded their TLS libraries when the host is scanned. */
const warmUpMs = 1500;

/** Gives the exit code. */
export async function demoCommand(argv: string[]): Promise<number> {
  const { values } = parseOptions({
    args: argv,
    options: { duration: { type: "string", default: "6s" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) {
    process.stdout.write(help);
    return exitCodes.done;
  }
  const durationMs = parseDuration("--duration", values.duration);
  const sample = await startSample(durationMs / 1000 + 60);
  const stopped = new Promise<void>((resolve) => {
    process.once("SIGINT", resolve).once("SIGTERM", resolve);
  });
  try {
    await demonstrate(sample, durationMs, stopped);
  } finally {
    await sample.stop();
  }
  return exitCodes.done;
}

async function demonstrate(sample: RunningSample, durationMs: number, stopped: Promise<void>): Promise<void> {
  const terminal = terminalOf(process.stdout);
  const paint = painter(terminal);
  const title = (text: string) => process.stdout.write(`\n${paint("bold", text)}\n\n`);

  title(`A sample service at ${sample.url}`);
  for (const { pid, what } of sample.processes)
    process.stdout.write(`  ${String(pid).padStart(7)}  ${what}\n`);
  for (const program of sample.absent)
    process.stdout.write(`  (no client for ${program}: it is not installed)\n`);
  await sleep(warmUpMs);

  title("What of this host's TLS can be observed");
  const scanner = new Scanner();
  process.stdout.write(`${coverageTable(scanner.scan(everyProcess).report, terminal, { all: false })}\n`);

  title("What the sample is saying, decrypted");
  await traceSample(sample, scanner, durationMs, stopped);

  title("The report");
  await reportCommand(["--format", "html", "--output", reportFile]);
  process.stdout.write(`  ${reportFile}: open it in a browser\n`);

  title("What to do next");
  process.stdout.write(nextSteps());
}

async function traceSample(
  sample: RunningSample,
  scanner: Scanner,
  durationMs: number,
  stopped: Promise<void>,
): Promise<void> {
  const terminal = terminalOf(process.stdout);
  const print = tracePrinter(process.stdout, process.stdout, { json: false, verbose: false, terminal });
  try {
    const session = await openTraceSession({
      bodyLimit: 65_536,
      showSecrets: false,
      scanner,
      onEvent: print,
    });
    const { skipped } = await session.add(
      sample.processes.map(({ pid }) => pid),
      { followChildren: true },
    );
    for (const { pid, reason } of skipped) print({ type: "skipped", pid, reason });
    await Promise.race([sleep(durationMs), stopped]);
    print(await session.close());
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    tellProblem(error.problem);
  }
}

function nextSteps(): string {
  const command = `${installationRoot()}/bin/plainsight`;
  return `  Your own process   sudo ${command} trace --pid PID
  A command          sudo ${command} trace -- curl https://example.com/
  Who talks to whom  sudo ${command} trace --path xdp
  Only look          ${command} scan
  In VS Code         npm run package, then: code --install-extension plainsight-linux-x64-*.vsix
                     open the folder demo, press F5, and watch Live traffic beside the code
`;
}
