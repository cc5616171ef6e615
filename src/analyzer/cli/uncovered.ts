// What `trace` cannot open by probes: whom those processes talk to is read off the network instead, in the same trace.
import type { ProcessReport } from "../../protocol/coverage.ts";
import type { SummaryEvent, TraceEvent } from "../../protocol/traffic.ts";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { openHelloSession, type HelloSession } from "../network/hello-session.ts";
import { printable } from "./terminal.ts";

/** Whether a process has TLS, and none that a probe shows. */
export function isUncovered({ verdict, probes }: ProcessReport): boolean {
  return (verdict === "proxy" || verdict === "metadata" || verdict === "dark") && probes.length === 0;
}

export class Uncovered {
  readonly #onEvent: (event: TraceEvent) => void;
  /** Opened for the first of them: it costs nothing where all is covered. */
  #session: Promise<HelloSession | null> | null = null;
  #open: HelloSession | null = null;

  constructor(onEvent: (event: TraceEvent) => void) {
    this.#onEvent = onEvent;
  }

  get traced(): { pid: number; command: string }[] {
    return [...(this.#open?.traced ?? [])];
  }

  /** Whether hellos may come. */
  get isWatching(): boolean {
    return this.#session !== null;
  }

  /** From now on its connections are told, and those of its children; or why they cannot be. */
  async add({ pid, command, reason, probes }: ProcessReport): Promise<void> {
    this.#session ??= this.#start();
    const session = await this.#session;
    if (session === null) {
      this.#onEvent({ type: "skipped", pid, reason });
      return;
    }
    const what = probes.length === 0 ? "names and sizes only" : "names and sizes beside what is probed";
    process.stderr.write(`${printable(`${command} ${pid}`)}: ${what}: ${printable(reason.text)}\n`);
    await session.add(pid);
  }

  /** Null where nothing was watched. */
  async close(): Promise<SummaryEvent | null> {
    const session = await this.#session;
    return session ? session.close() : null;
  }

  async #start(): Promise<HelloSession | null> {
    try {
      this.#open = await openHelloSession({
        interfaces: null,
        onlyAdded: true,
        onEvent: this.#onEvent,
        onEnded: () => undefined, // the tracer of the probes tells the same
      });
      return this.#open;
    } catch (error) {
      if (!(error instanceof TracerUnavailable)) throw error;
      return null;
    }
  }
}
