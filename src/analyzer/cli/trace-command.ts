// `plainsight trace`: decrypted traffic of chosen processes, or of a command and its children, as it happens.
import { basename } from "node:path";
import type { ProcessReport } from "../../protocol/coverage.ts";
import type { SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import { openTraceSession, TracerUnavailable, type TraceSession } from "../capture/trace-session.ts";
import { isUncovered } from "../capture/traced-processes.ts";
import { Ties } from "../network/ties.ts";
import type { Judgement } from "../coverage/verdicts.ts";
import { Scanner } from "../scan.ts";
import { isByName as choosesByName, type Selection } from "../selection.ts";
import { BestPaths } from "./best-paths.ts";
import { Ending } from "./ending.ts";
import { executablesOf, launchWaiting, type LaunchedCommand } from "./launch.ts";
import { tellLongWait } from "./long-wait.ts";
import { networkTrace } from "./network-trace.ts";
import { isEveryProcess } from "./selectors.ts";
import { terminalOf } from "./terminal.ts";
import { traceHelp, traceOptions, type TraceOptions } from "./trace-options.ts";
import { tellProblem, tracePrinter } from "./trace-printer.ts";
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
  const { command } = options;
  const executables = command.length > 0 ? executablesOf(command[0] ?? "") : [];
  const judged = options.auto && command.length > 0 ? judgementOf(scanner, executables) : null;
  if (judged?.verdict === "proxy") return throughProxy(options, `${judged.name}: ${judged.reason.text}`);
  try {
    return await trace(options, { executables, isByName: isUncovered(judged?.verdict ?? null) }, scanner);
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    if (!options.auto || command.length === 0) {
      tellProblem(error.problem);
      return exitCodes.notPossible;
    }
    tellProblem(error.problem);
    return await throughProxy(options, "it needs no rights");
  }
}

async function throughProxy(options: TraceOptions, why: string): Promise<number> {
  process.stderr.write(`through the local proxy${options.hellos ? ", without hellos" : ""}: ${why}\n`);
  const { proxyTrace } = await import("./proxy-trace.ts");
  return proxyTrace({ ...options, metadataOnly: false, passThrough: [], server: null });
}

/** As far as a command's executable tells: a script's interpreter is what speaks. Null when it may be run, yet not read. */
function judgementOf(scanner: Scanner, executables: string[]): (Judgement & { name: string }) | null {
  const executable = executables.at(-1) ?? "";
  try {
    return { ...scanner.judgeFile(executable), name: basename(executable) };
  } catch {
    return null;
  }
}

/** @param isByName the command itself is one of which only names can be seen */
async function trace(
  options: TraceOptions,
  { executables, isByName }: { executables: string[]; isByName: boolean },
  scanner: Scanner,
): Promise<number> {
  const { auto, bodyLimit, command, hellos, showSecrets } = options;
  const print = tracePrinter(process.stdout, process.stderr, {
    ...options,
    terminal: terminalOf(process.stdout),
  });
  const ending = new Ending();
  const onEvent = (event: TraceEvent) => {
    ties.receive(event);
  };
  const ties = new Ties({ onEvent: print, isWatching: () => hellos || paths.isWatching });
  const paths = new BestPaths({ session: () => session, allHellos: hellos, onEvent });
  const [opened, added] = await Promise.allSettled([
    openTraceSession({
      bodyLimit,
      showSecrets,
      scanner,
      onEvent: (event: TraceEvent) => {
        const isTraffic = event.type === "exchange" || event.type === "message";
        const shown = isTraffic ? paths.asShown(event) : event;
        if (shown !== null) onEvent(shown);
        if (event.type === "exited") ending.processExited(session.traced.length);
      },
      ...(auto && {
        onJudged: (report: ProcessReport) => paths.take(report),
        onSettled: (report: ProcessReport) => paths.settle(report),
      }),
      onEnded: (problem) => {
        ending.tracerEnded(problem);
      },
    }),
    // Meanwhile, for the tracer takes as long to start.
    auto && command.length > 0 ? paths.openProxy({ bodyLimit, showSecrets, metadataOnly: false }) : {},
  ]);
  if (opened.status === "rejected" || added.status === "rejected") {
    await paths.close();
    if (opened.status === "fulfilled") await opened.value.close();
    else if (ending.isAsked) return exitCodes.done;
    throw opened.status === "rejected" ? opened.reason : (added as PromiseRejectedResult).reason;
  }
  const session: TraceSession = opened.value;
  if (options.durationMs !== null) ending.after(options.durationMs);
  for (const { text } of session.missing) process.stderr.write(`plainsight: not on this kernel: ${text}\n`);
  const problem = hellos || isByName ? await paths.watch() : null;
  if (problem) tellProblem(problem);
  let launched: LaunchedCommand | null = null;
  try {
    if (command.length > 0) {
      await paths.hold();
      launched = await launch(options, executables, session, added.value);
      void launched.ended.then((how) => {
        ending.commandEnded(`${command[0] ?? ""} ${how}`);
      });
    } else if (!(await addSelected(session, scanner, options, print))) ending.nothingToTrace();
    else ending.waitForProcesses(waitsForLater(options.selection));
    const how = await ending.reached;
    if (how !== null) process.stderr.write(`${how}\n`);
  } catch (error) {
    if (ending.problem === null) throw error; // else the tracer ended in the midst of it
  } finally {
    launched?.kill();
  }
  const others = await paths.close();
  const summary = await tellLongWait("detaching the probes…", session.close());
  ties.flush();
  const sum = (count: (one: SummaryEvent) => number | undefined) =>
    others.reduce((total, one) => total + (count(one) ?? 0), 0);
  print({
    ...summary,
    exchanges: summary.exchanges + sum((one) => one.exchanges),
    messages: summary.messages + sum((one) => one.messages),
    lost: summary.lost + sum((one) => one.lost),
    ...(others.some((one) => one.hellos !== undefined) && { hellos: sum((one) => one.hellos) }),
  });
  return ending.problem === null ? exitCodes.done : (tellProblem(ending.problem), exitCodes.notPossible);
}

async function launch(
  { command, json }: TraceOptions,
  executables: string[],
  session: TraceSession,
  variables: Record<string, string>,
): Promise<LaunchedCommand> {
  const launched = launchWaiting(command, json ? "errors" : "inherit", variables);
  if (Object.keys(variables).length > 0) process.stderr.write(trustIsAdded);
  // A reader of our output that goes away ends the process at once.
  process.once("exit", () => {
    launched.kill();
  });
  await session.addFromStart(launched.pid, executables);
  launched.release();
  return launched;
}

const trustIsAdded =
  "the command's environment adds the local proxy's authority to what it trusts, for what probes do not show (--path uprobe: unchanged)\n";

/** False when there is nothing to trace and nothing to wait for. */
async function addSelected(
  session: TraceSession,
  scanner: Scanner,
  { selection, auto }: TraceOptions,
  print: (event: TraceEvent) => void,
): Promise<boolean> {
  const every = isEveryProcess(selection);
  const { report } = scanner.scan(selection);
  for (const { pid, reason } of every ? [] : report.skipped) print({ type: "skipped", pid, reason });
  const others = report.processes.filter(({ pid }) => pid !== process.pid);
  const byName = auto && scanner.host.paths.xdp.available ? others.filter(hasNoProbe) : [];
  const probed = others.filter((known) => !byName.includes(known) && (!every || known.probes.length > 0));
  // Who is seen by names comes last: the other end of what is told of it may be one that is probed.
  const pids = [...probed, ...byName].map(({ pid }) => pid);
  const { attached, skipped } = await tellLongWait(
    "attaching the probes…",
    // Of every process one probe a file is enough, is there before a process begins, and is gone sooner.
    session.add(pids, { followChildren: !every, areMany: every }),
  );
  for (const { pid, reason } of skipped) {
    // Nobody asked for what has ended meanwhile, nor for ourselves.
    if (!every || !notAskedFor.has(reason.code)) print({ type: "skipped", pid, reason });
  }
  const later = waitsForLater(selection);
  if (later) await session.addLater(selection);
  if (attached.length === 0 && !later) return false;
  const names = session.traced.map(({ command, pid }) => `${command} ${pid}`);
  process.stderr.write(`tracing ${names.slice(0, 6).join(", ") || "nothing yet"}`);
  if (names.length > 6) process.stderr.write(` and ${names.length - 6} more`);
  process.stderr.write(`${later ? ", and what starts later" : ""}; Ctrl-C ends it\n`);
  return true;
}

const notAskedFor: ReadonlySet<string> = new Set(["own-process", "no-such-process", "exited", "zombie"]);

/** Whether a process has TLS, and none that a probe shows. */
const hasNoProbe = ({ verdict, probes }: ProcessReport): boolean =>
  isUncovered(verdict) && probes.length === 0;

/** Process ids and ports name what is there now; a process of a name, a service or a container may start later. */
function waitsForLater(selection: Selection): boolean {
  return selection.pids.length + selection.ports.length === 0 || choosesByName(selection);
}
