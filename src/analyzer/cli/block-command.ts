// `plainsight block`: refuses TLS connections by the server's name, as long as it runs.
import { readFileSync } from "node:fs";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { openHelloSession, type HelloSession } from "../network/hello-session.ts";
import { readNameRules } from "../network/name-rules.ts";
import { Ending } from "./ending.ts";
import { FileChanges } from "./file-changes.ts";
import { interfacesOf, tellInterfaces } from "./interfaces.ts";
import { parseDuration } from "./quantities.ts";
import { terminalOf } from "./terminal.ts";
import { tellProblem, tracePrinter } from "./trace-printer.ts";
import { exitCodes, parseOptions, UsageError } from "./usage.ts";

export const blockHelp = `Usage: plainsight block --server-names FILE [options]

Refuses the TLS connections whose ClientHello names one of these servers, of clients and of servers on this
host, with a TCP reset: the client is told at once, and its hello never reaches the server whole. It ends with
the command, however that ends.

  --server-names FILE  a name or *.suffix a line, # begins a comment; read again when it changes
  --interface NAME     only what passes this network interface; may be given again (all that are up)
  --duration 10s       ends by itself; without it, Ctrl-C does
  --json               one JSON object a line for each refused connection
  --help

What QUIC names is read a moment after its first packet has passed, and its packets are dropped from then on.

Exit codes: 0 done, 2 wrong usage, 3 not enough rights or no kernel support (Linux 6.6).
`;

/** Gives the exit code. */
export async function blockCommand(argv: string[]): Promise<number> {
  const { values } = parseOptions({
    args: argv,
    options: {
      "server-names": { type: "string" },
      interface: { type: "string", multiple: true },
      duration: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help === true) {
    process.stdout.write(blockHelp);
    return exitCodes.done;
  }
  const file = values["server-names"];
  if (file === undefined) throw new UsageError("--server-names FILE says what to refuse");
  const changes = new FileChanges(file);
  const { rules } = readRules(file);
  if (rules.length === 0) throw new UsageError(`--server-names ${file} names no server`);
  const durationMs = values.duration === undefined ? null : parseDuration("--duration", values.duration);
  const ending = new Ending();
  try {
    return await block({
      file,
      changes,
      rules,
      interfaces: interfacesOf(values.interface),
      durationMs,
      json: values.json === true,
      ending,
    });
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    if (ending.isAsked) return exitCodes.done;
    tellProblem(error.problem);
    return exitCodes.notPossible;
  }
}

interface BlockOptions {
  file: string;
  /** Since the rules were read. */
  changes: FileChanges;
  rules: string[];
  interfaces: string[] | null;
  durationMs: number | null;
  json: boolean;
  ending: Ending;
}

async function block(options: BlockOptions): Promise<number> {
  const { file, changes, rules, interfaces, durationMs, json, ending } = options;
  const terminal = terminalOf(process.stdout);
  const print = tracePrinter(process.stdout, process.stderr, { json, verbose: false, terminal });
  const session = await openHelloSession({
    interfaces,
    // What is refused must not stay refused when this ends.
    places: { withTracer: true },
    wants: () => false,
    onEvent: print,
    onInterfaces: tellInterfaces,
    onEnded: (problem) => {
      ending.tracerEnded(problem);
    },
  });
  const refused = await session.block(rules);
  if (refused) {
    await session.close();
    tellProblem({ ...refused, remedy: "refusing connections needs Linux 6.6 or later" });
    return exitCodes.notPossible;
  }
  for (const { text } of session.missing) process.stderr.write(`plainsight: ${text}\n`);
  const names = session.interfaces.map(({ name }) => name).join(", ");
  process.stderr.write(`refusing ${told(rules)} on ${names}; Ctrl-C ends it\n`);
  const stopWatching = changes.watch(() => void reload(session, file));
  if (durationMs !== null) ending.after(durationMs);
  await ending.reached;
  stopWatching();
  print(await session.close());
  return ending.problem === null ? exitCodes.done : (tellProblem(ending.problem), exitCodes.notPossible);
}

/** The good lines, and how many others there were, which are told. Throws where the file cannot be read. */
function readRules(file: string): { rules: string[]; wrongLines: number } {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`--server-names ${file}: ${why}`, { cause: error });
  }
  const { rules, problems } = readNameRules(text);
  for (const problem of problems) process.stderr.write(`plainsight: ${file}: ${problem}\n`);
  return { rules, wrongLines: problems.length };
}

async function reload(session: HelloSession, file: string): Promise<void> {
  try {
    const { rules, wrongLines } = readRules(file);
    // A list that was emptied is meant so; one that makes no sense is not.
    if (rules.length === 0 && wrongLines > 0) throw new Error(`${file} names no server`);
    const failed = await session.block(rules);
    if (failed) throw new Error(`${file}: ${failed.text}`);
    process.stderr.write(`refusing ${told(rules)} now\n`);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    process.stderr.write(`plainsight: ${why}; what was refused before still is\n`);
  }
}

function told(rules: readonly string[]): string {
  const first = rules.slice(0, 3).join(", ");
  return rules.length > 3 ? `${first} and ${rules.length - 3} more` : rules.length === 0 ? "nothing" : first;
}
