// Connections that the kernel sends to the proxy: has the tracer begin with it, and learns of each that arrives where it
// was going, whose it is, and what may become of it.
import { readFileSync } from "node:fs";
import { isIPv6 } from "node:net";
import type { Reason } from "../../protocol/coverage.ts";
import type { SharedTracer } from "../capture/tracer-client.ts";
import { endpointOf } from "../endpoint.ts";
import { HeldConnections } from "./held-connections.ts";
import { hasIpv6Route } from "./ipv6-route.ts";
import type { Arrival, Proxy } from "./proxy.ts";
import { redirectedFrom } from "./redirected.ts";

export interface RedirectionOptions {
  tracer: Pick<SharedTracer, "call">;
  /** Whether a process was started so that it trusts the proxy; null when that is not readable any more. */
  isTrusted: (pid: number) => boolean | null;
  commandOf: (pid: number) => string;
  /** As of {@link HeldConnections}; absent where no connection is held. */
  judged: ((pid: number) => Promise<boolean>) | undefined;
}

/** A child that was given another, or one that overwrites its own: Chromium, by the titles of its processes. */
export const otherEnvironment: Reason = {
  code: "other-environment",
  text: "the program's environment does not show that it trusts the proxy",
};

/** How long programs are left alone with a server that could not be reached. */
const unreachedMs = 5000;

export class Redirection {
  readonly #options: RedirectionOptions;
  readonly #held: HeldConnections | null;

  constructor(options: RedirectionOptions) {
    const { tracer, judged } = options;
    this.#options = options;
    this.#held = judged ? new HeldConnections(tracer, judged) : null;
  }

  /** Gives the reason when it cannot be. */
  async begin(proxy: Pick<Proxy, "port" | "ipv6">): Promise<Reason | null> {
    const answer = await this.#options.tracer.call({
      type: "redirect",
      pid: process.pid,
      port: proxy.port,
      ipv6: proxy.ipv6 && hasIpv6Route(readFileSync("/proc/net/ipv6_route", "utf8")),
      holds: this.#held !== null,
    });
    return answer.type === "failed" ? answer.reason : null;
  }

  /** Of the connection from this end; null when the kernel did not send it. */
  async arrival(address: string, port: number): Promise<Arrival | null> {
    const { tracer, commandOf, isTrusted } = this.#options;
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    const answer = await tracer.call({ type: "redirected", family, port });
    if (answer.type !== "redirected" || answer.original === null) return null;
    const { original } = answer;
    const { pid, isHeld, ...destination } = redirectedFrom(original);
    const client = endpointOf(address, port);
    const isUntouched = isHeld && (await this.#held?.decide(pid, client, destination)) !== true;
    const onUnreached = () => {
      // It was told a connection that was none; what it tries again meets the server's own answer.
      void tracer.call({ type: "direct", original, milliseconds: unreachedMs }).catch(() => undefined);
    };
    const exempt = isTrusted(pid) === true ? {} : { exempt: otherEnvironment };
    return { pid, command: commandOf(pid), destination, isUntouched, onUnreached, ...exempt };
  }

  /** Where a connection from this end was going that was passed on untouched; null for any other. */
  passedOn(client: string): string | null {
    return this.#held?.destinationOf(client) ?? null;
  }
}
