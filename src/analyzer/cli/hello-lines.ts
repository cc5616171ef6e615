// What the network shows of TLS, a line each in the columns of an exchange: a connection's hello, how much it carried,
// and its refusal; with --verbose all that is known of it below.
import type { BlockedEvent, Connection, ConnectionEvent, HelloEvent } from "../../protocol/traffic.ts";
import { formatDuration, formatSize } from "./quantities.ts";
import { displayWidth, fit, painter, printable, truncate, type Terminal } from "./terminal.ts";
import {
  clock,
  columnsOf,
  durationWidth,
  methodWidth,
  processName,
  statusWidth,
  type Columns,
} from "./traffic-columns.ts";
import { arrow } from "./traffic-lines.ts";

const newestFirst = ["1.3", "1.2", "1.1", "1.0"];

/** A hello in one line: version and application protocol stand where an exchange has its status and duration. */
export function helloLine(hello: HelloEvent, terminal: Terminal): string {
  const paint = painter(terminal);
  const columns = columnsOf(terminal);
  const { versions, alpn, problem } = hello;
  const version = newestFirst.find((known) => versions.includes(known)) ?? versions[0] ?? "";
  const line = [
    beginning(hello, hello.at, hello.direction === "out" ? "→" : "←", terminal),
    paint("bold", fit(hello.transport === "quic" ? "QUIC" : "TLS", methodWidth)),
    nameAndFingerprint(hello, columns, terminal),
    fit(printable(version), statusWidth),
    fit(printable(alpn[0] ?? ""), durationWidth),
    hello.encryptedClientHello ? paint("cyan", " ECH") : "",
  ].join(" ");
  return `${line.trimEnd()}${problem ? paint("yellow", `  ! ${printable(problem.text)}`) : ""}`;
}

/** What a connection has carried, in one line; it is told at the connection's end, or as it stands at the trace's. */
export function connectionLine(event: ConnectionEvent, terminal: Terminal): string {
  const paint = painter(terminal);
  const columns = columnsOf(terminal);
  const endedAt = new Date(Date.parse(event.startedAt) + event.durationMs).toISOString();
  const begun = [
    beginning(event, endedAt, arrow(event.connection.role), terminal),
    paint("dim", fit(event.state, methodWidth)),
    fit(hostOf(event), columns.target),
  ];
  const duration = formatDuration(event.durationMs);
  // Where it is narrow, both directions need the room of the status, too.
  const ended = columns.wide
    ? [fit("", statusWidth), fit(duration, durationWidth, "right"), ""]
    : [fit(duration, durationWidth, "right"), ""];
  const sizesWidth = columns.sizes + (columns.wide ? 0 : statusWidth + 1);
  const sizes = paint("dim", fit(bytesOutAndIn(event, columns), sizesWidth, "right"));
  return [...begun, ...ended, sizes].join(" ");
}

/** A refused connection in one line, with the rule that refused it. */
export function blockedLine(blocked: BlockedEvent, terminal: Terminal): string {
  const paint = painter(terminal);
  const columns = columnsOf(terminal);
  const room = statusWidth + 1 + durationWidth + 2 + columns.sizes;
  return [
    beginning(blocked, blocked.at, blocked.direction === "out" ? "→" : "←", terminal),
    paint("red", fit("blocked", methodWidth)),
    paint("red", fit(printable(blocked.serverName), columns.target)),
    paint("red", truncate(`by ${printable(blocked.rule)}`, room)),
  ].join(" ");
}

/** All that a hello says, indented. */
export function helloDetails(hello: HelloEvent, terminal: Terminal): string {
  return factLines(
    [
      ["server name", hello.serverName],
      ...addresses(hello.connection),
      ["interface", hello.interface],
      ["alpn", hello.alpn.join(", ")],
      ["versions", hello.versions.join(", ")],
      ["ja3", hello.ja3],
      ["ja4", hello.ja4],
      ["encrypted client hello", hello.encryptedClientHello ? "yes" : "no"],
    ],
    terminal,
  );
}

/** Between which addresses a connection was, indented. */
export function connectionDetails({ connection }: ConnectionEvent, terminal: Terminal): string {
  return factLines(addresses(connection), terminal);
}

/** Where a connection was refused, and by which rule, indented. */
export function blockedDetails(blocked: BlockedEvent, terminal: Terminal): string {
  return factLines(
    [
      ["server name", blocked.serverName],
      ["rule", blocked.rule],
      ...addresses(blocked.connection),
      ["interface", blocked.interface],
    ],
    terminal,
  );
}

type Fact = [label: string, value: string | null];

function addresses({ local, remote }: Connection): Fact[] {
  return [
    ["local", local],
    ["remote", remote],
  ];
}

/** What is not known, or was not said, has no line. */
function factLines(facts: Fact[], terminal: Terminal): string {
  const paint = painter(terminal);
  return facts
    .filter(([, value]) => value !== null && value !== "")
    .map(([label, value]) => `    ${paint("cyan", label)}: ${printable(value ?? "")}`)
    .join("\n");
}

/** Time, process and arrow. */
function beginning(
  event: { pid: number | null; command: string | null },
  at: string,
  direction: string,
  terminal: Terminal,
): string {
  const paint = painter(terminal);
  const { time, process } = columnsOf(terminal);
  return [paint("dim", clock(at, time)), fit(processName(event), process), paint("dim", direction)].join(
    "  ",
  );
}

/** A part of a fingerprint tells nothing: it is whole at the right of the name's column, or it is not there. */
function nameAndFingerprint(hello: HelloEvent, { target }: Columns, terminal: Terminal): string {
  const host = hostOf(hello);
  const ja4 = printable(hello.ja4 ?? "");
  const room = target - displayWidth(host) - 2;
  if (ja4 === "" || displayWidth(ja4) > room) return fit(host, target);
  return `${host}  ${painter(terminal)("dim", fit(ja4, room, "right"))}`;
}

function hostOf(event: { serverName?: string | null; connection: Connection }): string {
  return printable(event.serverName ?? event.connection.serverName ?? event.connection.remote ?? "–");
}

function bytesOutAndIn({ bytesOut, bytesIn }: ConnectionEvent, { wide }: Columns): string {
  const size = (bytes: number | null) => {
    if (bytes === null) return "–";
    return wide ? formatSize(bytes) : formatSize(bytes).replace(/ (?:B|(.)iB)$/, "$1");
  };
  return `${size(bytesOut)} ⇢ ${size(bytesIn)}`;
}
