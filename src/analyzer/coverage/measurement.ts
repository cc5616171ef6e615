// Folds what a measuring saw (plaintext, and which connections were in use) into a measurement a process, and that into
// the verdict. The rule of "TLS was in use" is in this file alone. Pure: the watching is capture/'s.
import {
  stackTitles,
  type CoverageReport,
  type EscapedConnection,
  type Measurement,
  type ProcessReport,
  type StackReport,
} from "../../protocol/coverage.ts";
import { classOf } from "./classes.ts";
import type { ActiveSocket } from "./socket-activity.ts";
import { summarise } from "./summary.ts";

/** One TLS connection of which the probes saw something. */
export interface SeenConnection {
  pid: number;
  /** Its process's network namespace; null when not known. */
  namespace: number | null;
  /** Plaintext bytes of both directions; 0 when only its making was seen, which proves no traffic. */
  bytes: number;
  /** `address:port`; null when the kernel did not tell. */
  local: string | null;
  remote: string | null;
  /** Which end this process is, where the traffic told. */
  role: "client" | "server" | null;
  /** The file whose function carried the plaintext, as the process sees it; null when not known. */
  file: string | null;
}

/** A connection whose ClientHello was seen on the network while it was watched. */
export interface HelloConnection extends EscapedConnection {
  /** Null where no process of this host is known to have it. */
  pid: number | null;
}

export interface Watched {
  /** ISO 8601: when the probes were attached. */
  since: string;
  /** What the network told; null where it was not watched. */
  hellos: readonly HelloConnection[] | null;
  /** The network namespace whose interfaces were watched for them; null where none was. */
  watchedNamespace: number | null;
  connections: readonly SeenConnection[];
  /** TCP connections that were in use, of every process that was watched. */
  active: readonly ActiveSocket[];
}

/**
 * Ports that the IANA registry of service names gives to protocols over TLS from the first byte, and the usual
 * alternatives of HTTPS. Where plaintext was seen, no port is asked.
 */
const tlsPorts: ReadonlySet<number> = new Set([
  443, 465, 563, 636, 853, 989, 990, 992, 993, 994, 995, 2376, 3269, 5061, 5349, 5671, 5986, 6443, 6514, 6697,
  8443, 8883, 9443,
]);

/**
 * Why an active TCP connection is known to carry TLS, or null. There are three proofs, the first two from the
 * measuring itself:
 * 1. its other end is a process of this host whose plaintext was seen on this very connection;
 * 2. its server's end is an address and port at which plaintext was seen in another connection;
 * 3. its server's end is a port that is registered for TLS.
 * The last two are of connections whose beginning nobody watched: of others a ClientHello would have been seen. A
 * connection without a proof is not claimed to be TLS, so a silent process is at worst called not exercised.
 */
export function tlsProof(
  socket: ActiveSocket,
  decrypted: readonly SeenConnection[],
  watchedNamespace: number | null,
): string | null {
  if (decrypted.some((seen) => isOtherEnd(seen, socket))) return "its other end was decrypted";
  if (socket.isFresh && isSameNamespace(socket.namespace, watchedNamespace)) return null;
  const server = socket.isServer ? socket.local : socket.remote;
  if (
    decrypted.some((seen) => serverEnd(seen) === server && isSameNamespace(seen.namespace, socket.namespace))
  ) {
    return `TLS to ${server} was decrypted elsewhere`;
  }
  const port = Number(server.slice(server.lastIndexOf(":") + 1));
  return tlsPorts.has(port) ? `port ${port}` : null;
}

/** Both ends may be in namespaces of their own, as those of containers are; over loopback they are in the same. */
function isOtherEnd(seen: SeenConnection, socket: ActiveSocket): boolean {
  if (seen.local !== socket.remote || seen.remote !== socket.local) return false;
  return !isLoopback(socket.remote) || isSameNamespace(seen.namespace, socket.namespace);
}

const isLoopback = (end: string): boolean => /^(?:127\.|\[::1\])/.test(end);

const isSameNamespace = (one: number | null, other: number | null): boolean => one !== null && one === other;

function serverEnd({ role, local, remote }: SeenConnection): string | null {
  if (role === null) return null;
  return role === "server" ? local : remote;
}

/** What was measured of one process, and where silent, how its TLS is known. */
export interface Outcome {
  measured: Measurement;
  /** Of connections that were in use and silent; empty unless the process is silent. */
  proofs: string[];
  /** The file that carried most of the plaintext; null when not known. */
  carrier: string | null;
}

/** @param pid a process to which the probes were attached */
export function outcomeOf(pid: number, watched: Watched): Outcome {
  const { since, connections, active, hellos, watchedNamespace } = watched;
  const decrypted = connections.filter(({ bytes }) => bytes > 0);
  const seen = decrypted.filter((connection) => connection.pid === pid);
  const known = new Set(seen.map(endsOf));
  const escaped = (hellos ?? []).filter((hello) => hello.pid === pid && !known.has(endsOf(hello)));
  for (const hello of escaped) known.add(endsOf(hello));
  const proven = active
    .filter((socket) => socket.pid === pid && !known.has(endsOf(socket)))
    .map((socket) => tlsProof(socket, decrypted, watchedNamespace))
    .filter((proof) => proof !== null);
  const others = [...escaped.map(() => "its ClientHello was seen"), ...proven];
  // A connection that the probes saw without its addresses may be one of these.
  const addressless = seen.filter(({ local }) => local === null).length;
  const silent = Math.max(0, others.length - addressless);
  const total = seen.length + silent;
  const measured: Measurement = {
    connections: total,
    decrypted: seen.length,
    bytes: seen.reduce((sum, { bytes }) => sum + bytes, 0),
    since,
    state: seen.length > 0 ? "confirmed" : total > 0 ? "silent" : "not-exercised",
    ...escapedOf(escaped.slice(addressless)),
  };
  return {
    measured,
    proofs: measured.state === "silent" ? [...new Set(others)] : [],
    carrier: carrierOf(seen),
  };
}

/** The most that one process lists. */
const mostEscaped = 50;

/** The first of them, as a measurement lists them. */
export function escapedOf(hellos: readonly HelloConnection[]): Pick<Measurement, "escaped"> {
  const escaped = hellos
    .slice(0, mostEscaped)
    .map(({ local, remote, serverName }) => ({ local, remote, serverName }));
  return escaped.length === 0 ? {} : { escaped };
}

const endsOf = ({ local, remote }: { local: string | null; remote: string | null }): string =>
  `${local ?? ""} ${remote ?? ""}`;

function carrierOf(seen: readonly SeenConnection[]): string | null {
  const bytesByFile = new Map<string, number>();
  for (const { file, bytes } of seen) {
    if (file !== null) bytesByFile.set(file, (bytesByFile.get(file) ?? 0) + bytes);
  }
  const [most] = [...bytesByFile].sort(([, a], [, b]) => b - a);
  return most?.[0] ?? null;
}

/**
 * The process with its measurement. Plaintext that was seen makes it traceable; silence, though TLS was in use, takes
 * that back; a process that was not exercised keeps its prediction. The stack that carried the traffic comes first.
 */
export function withMeasurement(
  process: ProcessReport,
  { measured, proofs, carrier }: Outcome,
): ProcessReport {
  switch (measured.state) {
    case "not-exercised":
      return { ...process, measured };
    case "silent": {
      const { connections } = measured;
      const used = connections === 1 ? "1 TLS connection was" : `${connections} TLS connections were`;
      const text =
        `probes are attached and ${used} in use (${proofs.join(", ")}), yet no plaintext was seen` +
        (process.stacks[0]?.boundary === undefined ? "" : ", which is not of connections made before");
      // Its names and sizes are seen where the network is.
      const verdict = measured.escaped === undefined ? "dark" : "metadata";
      return { ...process, measured, basis: "measured", verdict, reason: { code: "silent", text } };
    }
    case "confirmed":
      return { ...seenOpen(carriedBy(process, carrier)), measured, basis: "measured" };
    case "metadata":
      return { ...process, measured };
  }
}

/** Whatever was predicted of it, for the sake of another of its stacks or of missing rights. */
function seenOpen(process: ProcessReport): ProcessReport {
  if (process.verdict === "traceable") return process;
  const [first] = process.stacks;
  const text = `plaintext was seen at the functions of ${first === undefined ? "its TLS" : stackTitles[first.stack]}`;
  return { ...process, path: "uprobe", verdict: "traceable", reason: { code: "plaintext-seen", text } };
}

/** The process with the stack of this file first, which gives the class; as it was where it has no such stack. */
export function carriedBy(process: ProcessReport, carrier: string | null): ProcessReport {
  const carried = ({ file, boundary }: StackReport) => carrier !== null && [file, boundary].includes(carrier);
  const first = process.stacks.find(carried);
  if (first === undefined) return process;
  const stacks = [first, ...process.stacks.filter((stack) => stack !== first)];
  return { ...process, stacks, class: classOf(first, process.runtime) ?? process.class };
}

/** The report with these processes in place of those with the same pid. */
export function reportWith(report: CoverageReport, changed: readonly ProcessReport[]): CoverageReport {
  const byPid = new Map(changed.map((process) => [process.pid, process]));
  const processes = report.processes.map((process) => byPid.get(process.pid) ?? process);
  return { ...report, processes, summary: summarise(processes) };
}
