// `plainsight trace`: decrypted traffic of chosen processes, or of a command and its children, as it happens.
import type { SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import { openTraceSession, TracerUnavailable, type TraceSession } from "../capture/trace-session.ts";
import { Scanner } from "../scan.ts";
import type { Selection } from "../selection.ts";
import { Ending } from "./ending.ts";
import { launchWaiting, type LaunchedCommand } from "./launch.ts";
import { networkTrace } from "./network-trace.ts";
import { parseDuration, parseSize } from "./quantities.ts";
import { isEveryProcess, selectionOf, selectorHelp, selectorOptions } from "./selectors.ts";
import { terminalOf } from "./terminal.ts";
import { tellProblem, tracePrinter } from "./trace-printer.ts";
import { exitCodes, parseOptions, UsageError } from "./usage.ts";

export const traceHelp = `Usage: plainsight trace [selectors] [options]
       plainsight trace [options] -- COMMAND [ARGUMENTS…]

Prints the decrypted traffic of processes as it happens: those that are chosen, those of a name that start later, or a
command and all its children from their first byte. Without selectors, every process that can be traced.

${selectorHelp}
  --duration 10s  ends by itself; without it, Ctrl-C does, or the end of what is traced; a COMMAND ends with it
  --verbose       headers and bodies below each line
  --json          one JSON object a line; the command's own output then goes to standard error
  --show-secrets  credentials as they were sent, rather than masked
  --body-limit N  bytes kept of each body (64KiB); sizes stay exact
  --path PATH     auto or uprobe: by probes in TLS libraries; mitm: through a local proxy, which the COMMAND is made to
                  trust by its environment; xdp: who talks to whom, from the first packet of each TLS connection
  --interface NAME  with --path xdp: only what passes this network interface; may be given again (all that are up)
  --pass-through NAME  with --path mitm: never open connections to this server; NAME or *.suffix, may be given again
  --certificate FILE --key FILE  with --path mitm --port N: connections that come in to the local server there, which
                  has this certificate (PEM)
  --metadata-only with --path mitm: method, path, status, sizes and times, without headers and bodies
  --help

Exit codes: 0 done, 2 wrong usage, 3 not enough rights or no kernel support.
`;

export interface ProxyTraceSettings {
  metadataOnly: boolean;
  passThrough: string[];
  /** Files of the local server whose incoming connections are traced. */
  server: { certificate: string; key: string } | null;
}

interface ProxyValues {
  "metadata-only"?: boolean | undefined;
  "pass-through"?: string[] | undefined;
  certificate?: string | undefined;
  key?: string | undefined;
}

export interface TraceOptions {
  selection: Selection;
  command: string[];
  durationMs: number | null;
  json: boolean;
  verbose: boolean;
  showSecrets: boolean;
  bodyLimit: number;
  /** Only of the proxy. */
  proxy: ProxyTraceSettings | null;
  /** Only of the network: interfaces, or null for all that are up. */
  network: { interfaces: string[] | null } | null;
}

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
  const launched =
    options.command.length > 0 ? launchWaiting(options.command, options.json ? "errors" : "inherit") : null;
  const endCommand = () => launched?.kill();
  // A reader of our output that goes away ends the process at once.
  process.once("exit", endCommand);
  try {
    return await trace(options, launched);
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    tellProblem(error.problem);
    return exitCodes.notPossible;
  } finally {
    endCommand();
  }
}

function traceOptions(argv: string[]): TraceOptions | "help" {
  const dashes = argv.indexOf("--");
  const command = dashes < 0 ? [] : argv.slice(dashes + 1);
  const { values } = parseOptions({
    args: dashes < 0 ? argv : argv.slice(0, dashes),
    options: {
      ...selectorOptions,
      path: { type: "string", default: "auto" },
      interface: { type: "string", multiple: true },
      duration: { type: "string" },
      json: { type: "boolean" },
      verbose: { type: "boolean" },
      "show-secrets": { type: "boolean" },
      "body-limit": { type: "string", default: "64KiB" },
      "metadata-only": { type: "boolean" },
      "pass-through": { type: "string", multiple: true },
      certificate: { type: "string" },
      key: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) return "help";
  if (!["auto", "uprobe", "xdp", "mitm"].includes(values.path)) {
    throw new UsageError(`--path ${JSON.stringify(values.path)} is none of auto, uprobe, xdp, mitm`);
  }
  if (dashes >= 0 && command.length === 0) throw new UsageError("after -- comes the command to run");
  const selection = selectionOf(values);
  if (command.length > 0 && !isEveryProcess(selection)) {
    throw new UsageError("selectors and a command exclude each other");
  }
  const options: TraceOptions = {
    selection,
    command,
    durationMs: values.duration === undefined ? null : parseDuration("--duration", values.duration),
    json: values.json === true,
    verbose: values.verbose === true,
    showSecrets: values["show-secrets"] === true,
    bodyLimit: parseSize("--body-limit", values["body-limit"]),
    proxy: null,
    network: null,
  };
  if (values.interface !== undefined && values.path !== "xdp") {
    throw new UsageError("--interface belongs to --path xdp");
  }
  const proxy = proxySettings(values, command, selection);
  if (proxy) return { ...options, proxy };
  return values.path === "xdp" ? { ...options, network: { interfaces: values.interface ?? null } } : options;
}

/** Null for another path, which takes none of the proxy's options. */
function proxySettings(
  values: ProxyValues & { path: string },
  command: string[],
  selection: Selection,
): ProxyTraceSettings | null {
  const {
    certificate,
    key,
    "metadata-only": metadataOnly = false,
    "pass-through": passThrough = [],
  } = values;
  if (values.path !== "mitm") {
    const given = metadataOnly || passThrough.length > 0 || certificate !== undefined || key !== undefined;
    if (!given) return null;
    throw new UsageError("--metadata-only, --pass-through, --certificate and --key belong to --path mitm");
  }
  if ((certificate === undefined) !== (key === undefined)) {
    throw new UsageError("--certificate and --key go together");
  }
  const server = certificate === undefined || key === undefined ? null : { certificate, key };
  if (server && (command.length > 0 || selection.ports.length === 0)) {
    throw new UsageError("--certificate and --key need --port of the server that has them, and no command");
  }
  if (command.length === 0 && isEveryProcess(selection)) {
    throw new UsageError("--path mitm needs a command after --, or --pid of one that was started so");
  }
  return { metadataOnly, passThrough, server };
}

async function trace(options: TraceOptions, launched: LaunchedCommand | null): Promise<number> {
  const { bodyLimit, showSecrets } = options;
  const print = tracePrinter(process.stdout, process.stderr, {
    ...options,
    terminal: terminalOf(process.stdout),
  });
  const scanner = new Scanner();
  const ending = new Ending();
  const session = await openTraceSession({
    bodyLimit,
    showSecrets,
    scanner,
    onEvent: (event: TraceEvent) => {
      print(event);
      if (event.type === "exited") ending.processExited(session.traced.length);
    },
    onEnded: (problem) => {
      ending.tracerEnded(problem);
    },
  });
  if (options.durationMs !== null) ending.after(options.durationMs);
  for (const { text } of session.missing) process.stderr.write(`plainsight: not on this kernel: ${text}\n`);
  if (launched) {
    await session.addFromStart(launched.pid, launched.executables);
    launched.release();
    void launched.ended.then((how) => {
      ending.commandEnded(`${options.command[0] ?? ""} ${how}`);
    });
  } else if (!(await addSelected(session, scanner, options.selection, print))) ending.nothingToTrace();
  else ending.waitForProcesses(waitsForLater(options.selection));
  const how = await ending.reached;
  if (how !== null) process.stderr.write(`${how}\n`);
  print(await session.close());
  return ending.problem === null ? exitCodes.done : (tellProblem(ending.problem), exitCodes.notPossible);
}

/** False when there is nothing to trace and nothing to wait for. */
async function addSelected(
  session: TraceSession,
  scanner: Scanner,
  selection: Selection,
  print: (event: TraceEvent | SummaryEvent) => void,
): Promise<boolean> {
  const every = isEveryProcess(selection);
  const { report } = scanner.scan(selection);
  for (const { pid, reason } of every ? [] : report.skipped) print({ type: "skipped", pid, reason });
  const pids = report.processes
    .filter(({ verdict, pid }) => pid !== process.pid && (every ? verdict === "traceable" : true))
    .map(({ pid }) => pid);
  const { attached, skipped } = await session.add(pids, { followChildren: !every });
  for (const { pid, reason } of skipped) print({ type: "skipped", pid, reason });
  const later = waitsForLater(selection);
  if (later) await session.addLater(selection);
  const names = session.traced.map(({ command, pid }) => `${command} ${pid}`);
  process.stderr.write(`tracing ${names.slice(0, 6).join(", ") || "nothing yet"}`);
  if (names.length > 6) process.stderr.write(` and ${names.length - 6} more`);
  process.stderr.write(`${later ? ", and what starts later" : ""}; Ctrl-C ends it\n`);
  return attached.length > 0 || later;
}

/** Process ids and ports name what is there now; a name or a service may start later. */
function waitsForLater({ names, services, pids, ports }: Selection): boolean {
  return pids.length + ports.length === 0 || names.length + services.length > 0;
}
