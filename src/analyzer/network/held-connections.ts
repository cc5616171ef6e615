// Connections of programs that had just begun: they wait at the proxy until somebody has judged the program, and then are
// opened like any other, or passed on untouched because probes show what they say.
import { setTimeout as sleep } from "node:timers/promises";
import { endpointOf } from "../endpoint.ts";
import type { SharedTracer } from "../capture/tracer-client.ts";
import type { Destination } from "./upstream.ts";

/** Whoever judges may have lost the process: connections go on without it. */
const defaultMostHeldMs = 5000;
/** Of those that were passed on the latest are remembered. */
const mostPassedOn = 4096;

export class HeldConnections {
  readonly #tracer: Pick<SharedTracer, "call">;
  readonly #judged: (pid: number) => Promise<boolean>;
  readonly #mostHeldMs: number;
  readonly #passedOn = new Map<string, string>();

  /** @param judged resolves when the program that a process runs was looked at, with whether it is to be opened */
  constructor(
    tracer: Pick<SharedTracer, "call">,
    judged: (pid: number) => Promise<boolean>,
    mostHeldMs = defaultMostHeldMs,
  ) {
    this.#tracer = tracer;
    this.#judged = judged;
    this.#mostHeldMs = mostHeldMs;
  }

  /** Whether it is to be opened. */
  async decide(pid: number, client: string, destination: Destination): Promise<boolean> {
    // That the program began is still on its way.
    await this.#tracer.call({ type: "flush" });
    const over = new AbortController();
    const tooLong = sleep(this.#mostHeldMs, false, { signal: over.signal });
    const isOpened = await Promise.race([this.#judged(pid), tooLong]);
    over.abort();
    if (isOpened) return true;
    const [oldest] = this.#passedOn.keys();
    if (oldest !== undefined && this.#passedOn.size >= mostPassedOn) this.#passedOn.delete(oldest);
    this.#passedOn.set(client, endpointOf(destination.address, destination.port));
    return false;
  }

  /** Where a connection from here that was passed on was going; null for any other. */
  destinationOf(client: string): string | null {
    return this.#passedOn.get(client) ?? null;
  }
}
