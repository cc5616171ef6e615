// What the tests of the network path share: network namespaces that go with their test, two of them joined by a cable,
// the product's watch in one of them, and servers that count for themselves what came over each connection.
import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import type { HelloSessionOptions } from "../../src/analyzer/network/hello-session.ts";
import type { InterfaceChange } from "../../src/analyzer/network/watched-interfaces.ts";
import type { Reason } from "../../src/protocol/coverage.ts";
import type { ConnectionEvent, HelloEvent, SummaryEvent, TraceEvent } from "../../src/protocol/traffic.ts";
import type { WatchedInterface } from "../../src/tracer/messages.ts";
import { firstLine, fixtures, type Certificate } from "./rig.ts";

/** A network namespace with its loopback up. It is kept by a process of the test's, so nothing of it can be left. */
export interface Namespace {
  /** The line that runs a program in it. `ip netns exec` would mount another /sys, in which no BPF program is found. */
  line(program: string, ...args: string[]): [program: string, args: string[]];
  /** Runs a program to its end; gives its output, and throws when it fails. */
  run(program: string, ...args: string[]): string;
  /** A child with pipes that goes with the test, and with it what it has started. Its errors show. */
  start(program: string, ...args: string[]): ChildProcess & { pid: number };
  holder: number;
}

export async function openNamespace(t: TestContext): Promise<Namespace> {
  const holder = spawn("unshare", ["--net", "sh", "-c", "ip link set lo up && echo up && cat"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  t.after(() => holder.kill("SIGKILL"));
  await firstLine(holder);
  const pid = holder.pid ?? 0;
  const line: Namespace["line"] = (program, ...args) => [
    "nsenter",
    [`--net=/proc/${pid}/ns/net`, program, ...args],
  ];
  return {
    holder: pid,
    line,
    run: (program, ...args) => execFileSync(...line(program, ...args), { encoding: "utf8", timeout: 30_000 }),
    start: (program, ...args) => {
      // It ends with the tests, too, where these are killed.
      const guarded = ["--pdeathsig", "KILL", ...line(program, ...args).flat()];
      const child = spawn("setpriv", guarded, { stdio: ["pipe", "pipe", "inherit"], detached: true });
      t.after(() => {
        killGroup(child);
      });
      if (child.pid === undefined) throw new Error(`start ${program} in a namespace: nsenter is not there`);
      return child as ChildProcess & { pid: number };
    },
  };
}

export function killGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

export const addresses = {
  near: { ipv4: "10.83.0.1", ipv6: "fd83::1" },
  far: { ipv4: "10.83.0.2", ipv6: "fd83::2" },
};

/** Two namespaces joined by a cable: `pn0` is the near end's interface, `pf0` the far one's. MTU 1500. */
export async function openCable(t: TestContext): Promise<{ near: Namespace; far: Namespace }> {
  const [near, far] = await Promise.all([openNamespace(t), openNamespace(t)]);
  near.run("ip", ...`link add pn0 type veth peer name pf0 netns ${far.holder}`.split(" "));
  for (const [end, name, { ipv4, ipv6 }] of [
    [near, "pn0", addresses.near],
    [far, "pf0", addresses.far],
  ] as const) {
    end.run("ip", "address", "add", `${ipv4}/24`, "dev", name);
    end.run("ip", "address", "add", `${ipv6}/64`, "dev", name, "nodad");
    end.run("ip", "link", "set", name, "up");
  }
  return { near, far };
}

export interface Watch {
  child: ChildProcess & { pid: number };
  interfaces: WatchedInterface[];
  missing: Reason[];
  events: TraceEvent[];
  /** Resolves with what was told of interfaces once it was told so often. */
  changes(count: number): Promise<InterfaceChange[]>;
  hellos(): HelloEvent[];
  connections(): ConnectionEvent[];
  /** Resolves with the events that fit once there are so many; rejects after fifteen seconds. */
  seen<Event extends TraceEvent>(
    fits: (event: TraceEvent) => event is Event,
    count?: number,
  ): Promise<Event[]>;
  /** Ends it; gives its summary. */
  close(): Promise<SummaryEvent>;
}

export const isHello = (event: TraceEvent): event is HelloEvent => event.type === "hello";
export const isConnection = (event: TraceEvent): event is ConnectionEvent => event.type === "connection";

const patienceMs = 15_000;

/** The product's watch in this namespace, of all its interfaces unless others are given. */
export async function watchIn(
  namespace: Namespace,
  options: Pick<Partial<HelloSessionOptions>, "interfaces" | "places" | "quicIdleMs"> = {},
): Promise<Watch> {
  const program = join(import.meta.dirname, "watch-network.ts");
  const child = namespace.start(process.execPath, "--import", "tsx", program, JSON.stringify(options));
  const events: TraceEvent[] = [];
  const changes: InterfaceChange[] = [];
  const waiting = new Set<() => void>();
  let watching: Pick<Watch, "interfaces" | "missing"> | undefined;
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  lines.on("line", (text) => {
    const line = JSON.parse(text) as
      | TraceEvent
      | ({ type: "watching" } & Pick<Watch, "interfaces" | "missing">)
      | ({ type: "interfaces" } & InterfaceChange);
    if (line.type === "watching") watching = line;
    else if (line.type === "interfaces") changes.push(line);
    else events.push(line);
    for (const check of waiting) check();
  });
  const until = (met: () => boolean, what: string) =>
    new Promise<void>((resolve, reject) => {
      const finish = (problem?: string) => {
        clearTimeout(timer);
        waiting.delete(check);
        lines.off("close", onClose);
        if (problem === undefined) resolve();
        else
          reject(new Error(`${what}: ${problem}; seen: ${JSON.stringify(events.slice(-8)).slice(0, 2000)}`));
      };
      const check = () => {
        if (met()) finish();
      };
      const timer = setTimeout(() => {
        finish("not in time");
      }, patienceMs);
      const onClose = () => {
        finish("the watch has ended");
      };
      lines.once("close", onClose);
      waiting.add(check);
      check();
    });
  await until(() => watching !== undefined, "begin to watch");
  const { interfaces, missing } = watching ?? { interfaces: [], missing: [] };
  return {
    child,
    interfaces,
    missing,
    events,
    changes: async (count) => {
      await until(() => changes.length >= count, `wait for ${count} changes of interfaces`);
      return changes;
    },
    hellos: () => events.filter(isHello),
    connections: () => events.filter(isConnection),
    seen: async (fits, count = 1) => {
      await until(() => events.filter(fits).length >= count, `wait for ${count} events`);
      return events.filter(fits);
    },
    close: async () => {
      child.stdin?.end();
      // Nothing comes after it.
      await until(() => events.at(-1)?.type === "summary", "end the watch");
      const summary = events.at(-1);
      assert.ok(summary?.type === "summary");
      return summary;
    },
  };
}

/** What a server's own process counted of a connection. */
export interface Counted {
  peer: string;
  pid: number;
  received: number;
  sent: number;
}

export interface CountingServer {
  pid: number;
  port: string;
  /** Resolves with what was counted of the next connection that ended. */
  next(): Promise<Counted>;
}

/** A TLS server on all addresses of a namespace; with `forks` each connection is a child's. */
export async function startCounting(
  namespace: Namespace,
  { key, cert }: Certificate,
  forks = false,
): Promise<CountingServer> {
  const program = join(fixtures, "counting-server.py");
  const child = namespace.start("/usr/bin/python3", program, key, cert, forks ? "forks" : "alone");
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const line = async () => {
    const next = await lines.next();
    if (next.done === true) throw new Error("read what the server counted: it has ended");
    return next.value;
  };
  const port = await line();
  return { pid: child.pid, port, next: async () => JSON.parse(await line()) as Counted };
}

/** Resolves with a child's output when it has ended. */
export async function outputOf(child: ChildProcess): Promise<string> {
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
  await once(child, "close");
  return text;
}
