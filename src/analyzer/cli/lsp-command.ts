// `plainsight lsp`: the language server, for an editor that has started it.
import { serveLanguageServer } from "../server.ts";
import { exitCodes, parseOptions } from "./usage.ts";

const help = `Usage: plainsight lsp [--stdio]

Speaks the Language Server Protocol on standard input and output, until the editor ends it. Coverage and
traffic are requests and notifications of its own: src/protocol/editor.ts.
`;

/** Gives the exit code. */
export async function lspCommand(argv: string[]): Promise<number> {
  const { values } = parseOptions({
    args: argv,
    // Editors say how they speak to a server; there is one way.
    options: { stdio: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help === true) process.stdout.write(help);
  else await serveLanguageServer();
  return exitCodes.done;
}
