// `plainsight trace --path mitm`: a command, or processes started by an earlier one, seen through the local proxy.
import { readFileSync } from "node:fs";
import type { SummaryEvent } from "../../protocol/traffic.ts";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { ownCertificate, type OwnCertificate } from "../network/own-certificate.ts";
import { openProxySession, type ProxySession } from "../network/proxy-session.ts";
import { Scanner } from "../scan.ts";
import { Ending } from "./ending.ts";
import { launchWaiting, type LaunchedCommand } from "./launch.ts";
import { terminalOf } from "./terminal.ts";
import { tellProblem, tracePrinter } from "./trace-printer.ts";
import type { ProxyTraceSettings, TraceOptions } from "./trace-options.ts";
import { exitCodes, UsageError } from "./usage.ts";

type ProxyTraceOptions = TraceOptions & ProxyTraceSettings;

/** Gives the exit code. */
export async function proxyTrace(options: ProxyTraceOptions): Promise<number> {
  try {
    return await trace(options);
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    tellProblem(error.problem);
    return exitCodes.notPossible;
  }
}

async function trace(options: ProxyTraceOptions): Promise<number> {
  const print = tracePrinter(process.stdout, process.stderr, {
    ...options,
    terminal: terminalOf(process.stdout),
  });
  const { bodyLimit, showSecrets, metadataOnly, passThrough, command } = options;
  const own = options.server && readOwn(options.server);
  const ending = new Ending();
  const session = await openProxySession({
    traffic: { bodyLimit, showSecrets, metadataOnly },
    passThrough,
    onEvent: (event) => {
      print(event);
      if (event.type === "exited") ending.processExited(session.traced.length);
    },
    onEnded: (problem) => {
      ending.tracerEnded(problem);
    },
  });
  let launched: LaunchedCommand | null = null;
  let summary: SummaryEvent;
  let refused = false;
  try {
    if (options.durationMs !== null) ending.after(options.durationMs);
    if (session.fallback && !own && !ending.isAsked) tellFallback(session.fallback.text);
    if (command.length > 0) {
      launched = await launch(options, session);
      void launched.ended.then((how) => {
        ending.commandEnded(`${command[0] ?? ""} ${how}`);
      });
    } else if (own ? await serve(options, session, own, print) : await addRunning(options, session, print)) {
      ending.waitForProcesses(false);
    } else {
      refused = true;
      ending.nothingToTrace();
    }
    const how = await ending.reached;
    if (how !== null) process.stderr.write(`${how}\n`);
  } finally {
    launched?.kill();
    summary = await session.close();
  }
  print(summary);
  if (ending.problem !== null) tellProblem(ending.problem);
  return refused || ending.problem !== null ? exitCodes.notPossible : exitCodes.done;
}

function tellFallback(missing: string): void {
  const remedy = process.geteuid?.() === 0 ? "" : " (try sudo)";
  process.stderr.write(
    `plainsight: the proxy is offered by HTTPS_PROXY, which not every program honours: ${missing}${remedy}\n`,
  );
}

async function launch({ command, json }: ProxyTraceOptions, session: ProxySession): Promise<LaunchedCommand> {
  const launched = launchWaiting(command, json ? "errors" : "inherit", session.variablesFor(process.env));
  // A reader of our output that goes away ends the process at once.
  process.once("exit", () => {
    launched.kill();
  });
  await session.add(launched.pid);
  launched.release();
  return launched;
}

/** False when none could be added; each of those is told. */
async function addRunning(
  { selection }: ProxyTraceOptions,
  session: ProxySession,
  print: ReturnType<typeof tracePrinter>,
): Promise<boolean> {
  session.variablesFor(process.env); // for the roots that are trusted here
  const { report } = new Scanner().scan(selection);
  for (const { pid, reason } of report.skipped) print({ type: "skipped", pid, reason });
  for (const { pid } of report.processes) {
    const reason = await session.addRunning(pid);
    if (reason) print({ type: "skipped", pid, reason });
  }
  const names = session.traced.map(({ command, pid }) => `${command} ${pid}`);
  if (names.length > 0) process.stderr.write(`tracing ${names.join(", ")}; Ctrl-C ends it\n`);
  return names.length > 0;
}

function readOwn({ certificate, key }: { certificate: string; key: string }): OwnCertificate {
  try {
    return ownCertificate(readFileSync(certificate, "utf8"), readFileSync(key, "utf8"));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--certificate ${certificate} --key ${key}: ${why}`, { cause: error });
  }
}

/** False when no server could be; each is told. */
async function serve(
  { selection }: ProxyTraceOptions,
  session: ProxySession,
  own: OwnCertificate,
  print: ReturnType<typeof tracePrinter>,
): Promise<boolean> {
  const scanner = new Scanner();
  const names: string[] = [];
  for (const port of selection.ports) {
    // A server of several processes has its port from the first of them.
    const [first] = scanner.scan({ ...selection, ports: [port] }).report.processes;
    if (!first) {
      process.stderr.write(`plainsight: no process that may be looked at listens on port ${port}\n`);
      continue;
    }
    const { pid, command } = first;
    const reason = await session.serve({ pid, command, port }, own);
    if (reason) print({ type: "skipped", pid, reason });
    else names.push(`${command} ${pid} on port ${port}`);
  }
  if (names.length > 0)
    process.stderr.write(`tracing what comes in to ${names.join(", ")}; Ctrl-C ends it\n`);
  return names.length > 0;
}
