// `plainsight trace --path xdp`: who talks to whom over TLS, from the first packets of each connection, and how much.
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { openHelloSession, type HelloSession } from "../network/hello-session.ts";
import { Ending } from "./ending.ts";
import { tellInterfaces } from "./interfaces.ts";
import { launchWaiting, type LaunchedCommand } from "./launch.ts";
import { NetworkSelection } from "./network-selection.ts";
import { isEveryProcess } from "./selectors.ts";
import { terminalOf } from "./terminal.ts";
import { tellProblem, tracePrinter } from "./trace-printer.ts";
import type { TraceOptions } from "./trace-options.ts";
import { exitCodes } from "./usage.ts";

type NetworkTraceOptions = TraceOptions & NonNullable<TraceOptions["network"]>;

/** Gives the exit code. */
export async function networkTrace(options: NetworkTraceOptions): Promise<number> {
  const { selection, command, json } = options;
  const print = tracePrinter(process.stdout, process.stderr, {
    ...options,
    terminal: terminalOf(process.stdout),
  });
  const ending = new Ending();
  const chosen = isEveryProcess(selection) ? null : new NetworkSelection(selection);
  let session: HelloSession;
  try {
    session = await openHelloSession({
      interfaces: options.interfaces,
      onlyAdded: command.length > 0,
      ...(chosen && { wants: (hello) => chosen.includes(hello) }),
      onEvent: (event) => {
        print(event);
        if (event.type === "exited") ending.processExited(session.traced.length);
      },
      onInterfaces: tellInterfaces,
      onEnded: (problem) => {
        ending.tracerEnded(problem);
      },
    });
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    if (ending.isAsked) return exitCodes.done;
    tellProblem(error.problem);
    return exitCodes.notPossible;
  }
  if (options.durationMs !== null) ending.after(options.durationMs);
  for (const { text } of session.missing) process.stderr.write(`plainsight: ${text}\n`);
  let launched: LaunchedCommand | null = null;
  try {
    if (chosen) {
      const { skipped, hasAny, endsWithThem } = await chosen.follow(session);
      for (const one of skipped) print({ type: "skipped", ...one });
      if (!hasAny) ending.nothingToTrace();
      else ending.waitForProcesses(!endsWithThem);
    }
    const places = session.interfaces.map(({ name, ingress, egress }) => `${name} (${ingress}, ${egress})`);
    process.stderr.write(`watching ${places.join(", ")}${command.length > 0 ? "" : "; Ctrl-C ends it"}\n`);
    if (command.length > 0) {
      launched = launchWaiting(command, json ? "errors" : "inherit");
      const started = launched;
      // A reader of our output that goes away ends the process at once.
      process.once("exit", () => {
        started.kill();
      });
      await session.add(launched.pid);
      launched.release();
      void launched.ended.then((how) => {
        ending.commandEnded(`${command[0] ?? ""} ${how}`);
      });
    }
    const how = await ending.reached;
    if (how !== null) process.stderr.write(`${how}\n`);
  } finally {
    launched?.kill();
    print(await session.close());
  }
  return ending.problem === null ? exitCodes.done : (tellProblem(ending.problem), exitCodes.notPossible);
}
