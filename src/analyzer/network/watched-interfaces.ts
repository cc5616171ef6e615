// Which interfaces a watch of the network sits on: those that were asked for as they come and go (containers bring
// theirs, a tunnel begins), looked at again and again.
import { readFileSync } from "node:fs";
import type { Reason } from "../../protocol/coverage.ts";
import type { NetworkPlaces, TracerAnswer, WatchedInterface } from "../../tracer/messages.ts";
import type { SharedTracer } from "../capture/tracer-client.ts";

export interface InterfaceChange {
  /** Watched from now on, or under another name. */
  added: readonly WatchedInterface[];
  gone: readonly WatchedInterface[];
  /** What could not be had of those that have come. */
  missing: readonly Reason[];
}

export interface InterfacesOptions {
  tracer: Pick<SharedTracer, "call">;
  /** Names; null: all that are up. */
  names: readonly string[] | null;
  /** Where programs sit on them. */
  places: Partial<NetworkPlaces>;
  onChange: (change: InterfaceChange) => void;
}

/** What begins on an interface that came within it is not seen. */
const followMs = 250;

export class WatchedInterfaces {
  /** What is watched now. */
  all: readonly WatchedInterface[] = [];
  readonly #options: InterfacesOptions;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: InterfacesOptions) {
    this.#options = options;
  }

  /** Takes what is there, and follows it from then on where that is any. Gives what could not be had. */
  async open(): Promise<readonly Reason[]> {
    const answer = await this.#watch();
    if (answer.type !== "watching") return answer.type === "failed" ? [answer.reason] : [];
    this.all = answer.interfaces;
    if (this.all.length > 0) this.#followSoon();
    // Nobody asked for an interface that is down by name.
    return answer.missing.filter(({ code }) => this.#options.names !== null || code !== "interface-down");
  }

  nameOf(index: number): string {
    return this.all.find((watched) => watched.index === index)?.name ?? `#${index}`;
  }

  close(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #watch(): Promise<TracerAnswer> {
    const { tracer, names, places } = this.#options;
    return tracer.call({
      type: "watch-network",
      interfaces: [...(names ?? presentInterfaces())],
      places: { ingress: null, egress: null, withTracer: false, ...places },
    });
  }

  #followSoon(): void {
    this.#timer = setTimeout(() => void this.#follow(), followMs).unref();
  }

  async #follow(): Promise<void> {
    const answer = await this.#watch().catch(() => null);
    if (this.#timer === null || answer === null) return;
    if (answer.type === "watching") this.#onAnswer(answer);
    this.#followSoon();
  }

  #onAnswer({ interfaces: added, gone, missing }: Extract<TracerAnswer, { type: "watching" }>): void {
    const changed = new Set([...added, ...gone].map(({ index }) => index));
    this.all = [...this.all.filter(({ index }) => !changed.has(index)), ...added];
    // Of what is not there, or down, it was said that it is gone, or it never was.
    const failed = missing.filter(({ code }) => code !== "no-interface" && code !== "interface-down");
    if (changed.size + failed.length > 0) this.#options.onChange({ added, gone, missing: failed });
  }
}

/** Of this network namespace, from the kernel's table of them: proc_net(5). */
function presentInterfaces(): string[] {
  return readFileSync("/proc/self/net/dev", "utf8")
    .split("\n")
    .flatMap((line) => /^\s*([^\s:|]+):/.exec(line)?.[1] ?? []);
}
