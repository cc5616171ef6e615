// The command line: finds the command, runs it and turns its outcome into an exit code. Each command is loaded when it
// is asked for, so that a scan starts fast.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { exitCodes, UsageError } from "./cli/usage.ts";
import { installationRoot } from "./installation.ts";

type Command = (argv: string[]) => Promise<number>;

const commands: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import("./cli/demo-command.ts")).demoCommand,
  scan: async () => (await import("./cli/scan-command.ts")).scanCommand,
  trace: async () => (await import("./cli/trace-command.ts")).traceCommand,
  report: async () => (await import("./cli/report-command.ts")).reportCommand,
  block: async () => (await import("./cli/block-command.ts")).blockCommand,
  lsp: async () => (await import("./cli/lsp-command.ts")).lspCommand,
};

const help = `Usage: plainsight COMMAND [OPTIONS]

Sees what the TLS of this host's processes is saying.

  demo     a sample service and its clients, scanned and traced
  scan     which processes there are, and how the TLS of each can be seen
  trace    decrypted traffic, live
  report   the coverage as HTML, Markdown or JSON, with a gate for CI
  block    refuses TLS connections by the server's name
  lsp      the language server, on standard input and output

plainsight COMMAND --help tells a command's options; plainsight --version the version.
`;

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined) {
    process.stderr.write(help);
    return exitCodes.wrongUsage;
  }
  if (name === "--help" || name === "-h" || name === "help") {
    const [about] = rest;
    if (name === "help" && about !== undefined && about !== "help") return main([about, "--help"]);
    process.stdout.write(help);
    return exitCodes.done;
  }
  if (name === "--version" || name === "-v") {
    process.stdout.write(`${version()}\n`);
    return exitCodes.done;
  }
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  try {
    if (load === undefined) throw new UsageError(`there is no command ${JSON.stringify(name)}`);
    return await (
      await load()
    )(rest);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    const ask = load === undefined ? "plainsight --help" : `plainsight ${name} --help`;
    process.stderr.write(`plainsight: ${error.message}\nSee ${ask}\n`);
    return exitCodes.wrongUsage;
  }
}

function version(): string {
  const { version } = JSON.parse(readFileSync(join(installationRoot(), "package.json"), "utf8")) as {
    version: string;
  };
  return version;
}

// A reader such as `head` that has seen enough is no failure; a full disk is one, and no gate that was not met.
for (const [stream, name] of [
  [process.stdout, "standard output"],
  [process.stderr, "standard error"],
] as const) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(exitCodes.done);
    if (stream === process.stdout) process.stderr.write(`plainsight: write ${name}: ${error.message}\n`);
    process.exit(exitCodes.wrongUsage);
  });
}

// Not process.exit: what was written to a pipe may still be on its way.
process.exitCode = await main(process.argv.slice(2));
