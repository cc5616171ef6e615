// What the ClientHellos on the network add to a measuring: processes that nothing could be attached to, and how much of
// all that was on the wire was decrypted. Pure: the watching is network/'s.
import type { Measurement, NetworkMeasurement, ProcessReport } from "../../protocol/coverage.ts";
import { escapedOf, outcomeOf, withMeasurement, type Watched } from "./measurement.ts";

/** While a process was watched, its TLS functions were probed `throughout`, since they were `late` in it, or `never`. */
export type Probing = "throughout" | "late" | "never";

export function measuredProcess(process: ProcessReport, probing: Probing, seen: Watched): ProcessReport {
  if (probing !== "never") {
    const outcome = outcomeOf(process.pid, seen);
    // A process that is silent takes back a prediction of plaintext only, and what was late may have missed all of it.
    const takesBack = probing === "throughout" && process.path === "uprobe";
    if (takesBack || outcome.measured.state !== "silent") return withMeasurement(process, outcome);
  }
  const metadata = unprobedOutcome(process.pid, seen);
  return metadata === null ? process : withMetadata(process, metadata);
}

/** Of a process that was not probed: only the network tells of it, if anything does. */
export function unprobedOutcome(pid: number, { since, hellos }: Watched): Measurement | null {
  const escaped = (hellos ?? []).filter((hello) => hello.pid === pid);
  if (escaped.length === 0) return null;
  return {
    connections: escaped.length,
    decrypted: 0,
    bytes: 0,
    since,
    state: "metadata",
    ...escapedOf(escaped),
  };
}

/**
 * A process that was not probed, and has TLS on the network: what was called dark shows its names at least, and what was
 * thought to have no TLS has some, or hands on that of others.
 */
export function withMetadata(process: ProcessReport, measured: Measurement): ProcessReport {
  const { verdict, stacks } = process;
  if (verdict === "proxy" || verdict === "traceable") return { ...process, measured };
  const began = measured.connections === 1 ? "1 TLS connection" : `${measured.connections} TLS connections`;
  const text =
    stacks.length === 0
      ? `${began} began at it, though no TLS stack was found in it: it may hand on what others encrypt`
      : `${process.reason.text}; ${began} of it ${measured.connections === 1 ? "was" : "were"} seen on the network`;
  const reason = { code: "hello-seen", text };
  return { ...process, measured, basis: "measured", path: "xdp", verdict: "metadata", reason };
}

/** What the network tells of a whole report. @param measured its processes, measured */
export function networkMeasurement(
  measured: readonly ProcessReport[],
  { hellos }: Watched,
  interfaces: readonly string[],
): NetworkMeasurement {
  const pids = new Set(measured.map(({ pid }) => pid));
  const sum = (count: (measurement: Measurement) => number) =>
    measured.reduce((total, process) => total + (process.measured ? count(process.measured) : 0), 0);
  return {
    interfaces: [...interfaces],
    connections: sum(({ connections }) => connections),
    decrypted: sum(({ decrypted }) => decrypted),
    others: (hellos ?? []).filter(({ pid }) => pid === null || !pids.has(pid)).length,
  };
}
