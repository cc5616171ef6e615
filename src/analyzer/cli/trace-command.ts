// `plainsight trace`: decrypted traffic of chosen processes, or of a command and its children, as it happens.
import { basename } from "node:path";
import type { ProcessReport } from "../../protocol/coverage.ts";
import type { SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import { openTraceSession, TracerUnavailable, type TraceSession } from "../capture/trace-session.ts";
import { Ties } from "../network/ties.ts";
import { Scanner } from "../scan.ts";
import { isByName, type Selection } from "../selection.ts";
import { Ending } from "./ending.ts";
import { executablesOf, launchWaiting, type LaunchedCommand } from "./launch.ts";
import { networkTrace } from "./network-trace.ts";
import { openHellos } from "./probed-hellos.ts";
import { isEveryProcess } from "./selectors.ts";
import { terminalOf } from "./terminal.ts";
import { traceHelp, traceOptions, type TraceOptions } from "./trace-options.ts";
import { tellProblem, tracePrinter } from "./trace-printer.ts";
import { isUncovered, Uncovered } from "./uncovered.ts";
import { exitCodes } from "./usage.ts";

/** Gives the exit code. */
export async function traceCommand(argv: string[]): Promise<number> {
  const options = traceOptions(argv);
  if (options === "help") {
    process.stdout.write(traceHelp);
    return exitCodes.done;
  }
  if (options.network) return networkTrace({ ...options, ...options.network });
  if (options.proxy) {
    // What makes certificates takes a tenth of a second to load.
    const { proxyTrace } = await import("./proxy-trace.ts");
    return proxyTrace({ ...options, ...options.proxy });
  }
  const scanner = new Scanner();
  if (options.auto && options.command.length > 0) {
    const why = onlyByProxy(scanner, options.command[0] ?? "");
    if (why !== null) return throughProxy(options, why);
  }
  const launched =
    options.command.length > 0 ? launchWaiting(options.command, options.json ? "errors" : "inherit") : null;
  const endCommand = () => launched?.kill();
  // A reader of our output that goes away ends the process at once.
  process.once("exit", endCommand);
  try {
    return await trace(options, launched, scanner);
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    tellProblem(error.problem);
    if (!options.auto || launched === null) return exitCodes.notPossible;
    endCommand(); // it has not begun
    return await throughProxy(options, "it needs no rights");
  } finally {
    endCommand();
  }
}

async function throughProxy(options: TraceOptions, why: string): Promise<number> {
  process.stderr.write(`through the local proxy${options.hellos ? ", without hellos" : ""}: ${why}\n`);
  const { proxyTrace } = await import("./proxy-trace.ts");
  return proxyTrace({ ...options, metadataOnly: false, passThrough: [], server: null });
}

/** Why a command is seen by the proxy alone; null where probes may do, as far as its executable tells. */
function onlyByProxy(scanner: Scanner, name: string): string | null {
  // A script's interpreter is what speaks.
  const executable = executablesOf(name).at(-1) ?? name;
  try {
    const { path, verdict, reason } = scanner.judgeFile(executable);
    return path === "mitm" && verdict === "proxy" ? `${basename(executable)}: ${reason.text}` : null;
  } catch {
    return null; // it may be run, yet not read
  }
}

async function trace(
  options: TraceOptions,
  launched: LaunchedCommand | null,
  scanner: Scanner,
): Promise<number> {
  const { bodyLimit, showSecrets } = options;
  const print = tracePrinter(process.stdout, process.stderr, {
    ...options,
    terminal: terminalOf(process.stdout),
  });
  const ending = new Ending();
  const ties = new Ties({ onEvent: print, isWatching: () => options.hellos || uncovered.isWatching });
  const uncovered = new Uncovered((event) => {
    // Of a command's processes the trace of its probes tells the end.
    if (launched !== null && event.type === "exited") return;
    ties.receive(event);
    if (event.type === "exited") ending.processExited(session.traced.length + uncovered.traced.length);
  });
  const session: TraceSession = await openTraceSession({
    bodyLimit,
    showSecrets,
    scanner,
    onEvent: (event: TraceEvent) => {
      ties.receive(event);
      if (event.type === "exited") ending.processExited(session.traced.length + uncovered.traced.length);
    },
    ...(options.auto && { onUncovered: (report: ProcessReport) => void uncovered.add(report) }),
    onEnded: (problem) => {
      ending.tracerEnded(problem);
    },
  });
  if (options.durationMs !== null) ending.after(options.durationMs);
  for (const { text } of session.missing) process.stderr.write(`plainsight: not on this kernel: ${text}\n`);
  const hellos = options.hellos
    ? await openHellos(session, uncovered, (event) => {
        ties.receive(event);
      })
    : null;
  if (launched) {
    await session.addFromStart(launched.pid, launched.executables);
    launched.release();
    void launched.ended.then((how) => {
      ending.commandEnded(`${options.command[0] ?? ""} ${how}`);
    });
  } else if (!(await addSelected(session, scanner, options, { print, uncovered }))) ending.nothingToTrace();
  else ending.waitForProcesses(waitsForLater(options.selection));
  const how = await ending.reached;
  if (how !== null) process.stderr.write(`${how}\n`);
  const metadata = [await uncovered.close(), (await hellos?.close()) ?? null].filter((one) => one !== null);
  const summary = await session.close();
  ties.flush();
  const sum = (count: (one: SummaryEvent) => number) =>
    metadata.reduce((total, one) => total + count(one), 0);
  const lost = summary.lost + sum((one) => one.lost);
  print(metadata.length > 0 ? { ...summary, lost, hellos: sum((one) => one.hellos ?? 0) } : summary);
  return ending.problem === null ? exitCodes.done : (tellProblem(ending.problem), exitCodes.notPossible);
}

/** False when there is nothing to trace and nothing to wait for. */
async function addSelected(
  session: TraceSession,
  scanner: Scanner,
  { selection, auto }: TraceOptions,
  { print, uncovered }: { print: (event: TraceEvent | SummaryEvent) => void; uncovered: Uncovered },
): Promise<boolean> {
  const every = isEveryProcess(selection);
  const { report } = scanner.scan(selection);
  for (const { pid, reason } of every ? [] : report.skipped) print({ type: "skipped", pid, reason });
  const others = report.processes.filter(({ pid }) => pid !== process.pid);
  const byName = auto && scanner.host.paths.xdp.available ? others.filter(isUncovered) : [];
  const pids = others
    .filter((known) => !byName.includes(known) && (every ? known.probes.length > 0 : true))
    .map(({ pid }) => pid);
  const { attached, skipped } = await session.add(pids, { followChildren: !every });
  for (const { pid, reason } of skipped) print({ type: "skipped", pid, reason });
  for (const known of byName) await uncovered.add(known);
  const later = waitsForLater(selection);
  if (later) await session.addLater(selection);
  const names = session.traced.map(({ command, pid }) => `${command} ${pid}`);
  process.stderr.write(`tracing ${names.slice(0, 6).join(", ") || "nothing yet"}`);
  if (names.length > 6) process.stderr.write(` and ${names.length - 6} more`);
  process.stderr.write(`${later ? ", and what starts later" : ""}; Ctrl-C ends it\n`);
  return attached.length + uncovered.traced.length > 0 || later;
}

/** Process ids and ports name what is there now; a process of a name, a service or a container may start later. */
function waitsForLater(selection: Selection): boolean {
  return selection.pids.length + selection.ports.length === 0 || isByName(selection);
}
