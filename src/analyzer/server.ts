// The language server, `plainsight lsp`: the scanner and the capture, served on standard input and output. It owns
// standard output; whatever else wants to speak does so on standard error.
import { createConnection } from "vscode-languageserver/node";
import { measure } from "./capture/measure.ts";
import { openTraceSession } from "./capture/trace-session.ts";
import { renderReport } from "./report/formats.ts";
import { Scanner } from "./scan.ts";
import { everyProcess } from "./selection.ts";
import { serve } from "./server/serve.ts";

/** Serves until the client disconnects, which ends the process. */
export function serveLanguageServer(): Promise<void> {
  for (const level of ["log", "info", "debug"] as const) console[level] = console.error;
  const connection = createConnection(process.stdin, process.stdout);
  const scanner = new Scanner();
  serve(connection, {
    scan: (pids) => scanner.scan({ ...everyProcess, pids: pids ?? [] }).report,
    rescan: (before, changed) => scanner.rescan(before, changed),
    openTraceSession: (options) => openTraceSession({ ...options, scanner }),
    measure: (report, options) => measure(report, { ...options, scanner }),
    render: renderReport,
    openProxySession: async (options) => {
      const { openProxySession } = await import("./network/proxy-session.ts");
      return openProxySession(options);
    },
    openNetworkWatch: async (options) => {
      const { openHelloSession } = await import("./network/hello-session.ts");
      return openHelloSession(options);
    },
  });
  return new Promise((resolve) => {
    connection.onExit(resolve);
  });
}
