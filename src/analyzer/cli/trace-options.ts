// What `plainsight trace` was asked to do: its help, its options and what makes no sense together.
import { readNameRules } from "../network/name-rules.ts";
import type { Selection } from "../selection.ts";
import { interfacesOf } from "./interfaces.ts";
import { parseDuration, parseSize } from "./quantities.ts";
import { isEveryProcess, selectionOf, selectorHelp, selectorOptions } from "./selectors.ts";
import { parseOptions, UsageError } from "./usage.ts";

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
  --path PATH     auto: for each process the best that works of the others, and it says which and why; a COMMAND is
                  started with trust in the local proxy, for what it starts and probes do not show;
                  uprobe: by probes in TLS libraries;
                  mitm: through a local proxy, which the COMMAND is made to trust by its environment;
                  xdp: who talks to whom, from the first packets of each TLS connection
  --hellos        the ClientHello of each traced connection as well, tied to its exchanges, and how much it carried
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
  /** The best path that works, for each process. */
  auto: boolean;
  /** The ClientHellos of what is probed are wanted, too. */
  hellos: boolean;
}

/** Throws a UsageError for what cannot be meant. */
export function traceOptions(argv: string[]): TraceOptions | "help" {
  const dashes = argv.indexOf("--");
  const command = dashes < 0 ? [] : argv.slice(dashes + 1);
  const { values } = parseOptions({
    args: dashes < 0 ? argv : argv.slice(0, dashes),
    options: {
      ...selectorOptions,
      path: { type: "string", default: "auto" },
      interface: { type: "string", multiple: true },
      hellos: { type: "boolean" },
      duration: { type: "string" },
      json: { type: "boolean" },
      verbose: { type: "boolean" },
      "show-secrets": { type: "boolean" },
      "body-limit": { type: "string" },
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
    bodyLimit: parseSize("--body-limit", values["body-limit"] ?? "64KiB"),
    proxy: null,
    network: null,
    auto: values.path === "auto",
    hellos: values.hellos === true,
  };
  if (options.hellos && !["auto", "uprobe"].includes(values.path)) {
    throw new UsageError("--hellos belongs to --path auto and uprobe");
  }
  const ofContents = ["show-secrets", "body-limit"].find((name) => name in values);
  if (ofContents !== undefined && values.path === "xdp") {
    throw new UsageError(`--${ofContents} is of what is decrypted, and with --path xdp nothing is`);
  }
  if (ofContents !== undefined && values["metadata-only"] === true) {
    throw new UsageError(`--${ofContents} is of headers and bodies, which --metadata-only drops`);
  }
  if (values.interface !== undefined && values.path !== "xdp") {
    throw new UsageError("--interface belongs to --path xdp");
  }
  const proxy = proxySettings(values, command, selection);
  if (proxy) return { ...options, proxy };
  return values.path === "xdp"
    ? { ...options, network: { interfaces: interfacesOf(values.interface) } }
    : options;
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
  return { metadataOnly, passThrough: passThrough.map(nameRule), server };
}

/** As the names of `block`: one that names no server would be passed over in silence. */
function nameRule(written: string): string {
  const [rule] = readNameRules(written).rules;
  if (rule !== undefined) return rule;
  throw new UsageError(`--pass-through ${JSON.stringify(written)} is neither a name nor *.suffix`);
}
