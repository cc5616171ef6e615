// Which connections are not to be opened, and what was learned of programs that do not take our certificate, so that
// each fails once at most. It keeps names and counts; it carries nothing.
import type { Reason } from "../../protocol/coverage.ts";

/** A program that lets go of a connection within this time, and without a word, has looked at the certificate. */
const hesitationMs = 1000;

export class ClosedToUs {
  readonly #patterns: readonly string[];
  readonly #learned = new Map<string, Reason>();

  /** @param patterns server names that are never opened: exact, or `*.suffix` */
  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((pattern) => pattern.toLowerCase());
  }

  /** @param key of the program and the server together */
  reason(key: string, serverName: string | null): Reason | null {
    return this.#isNamed(serverName) ? asked : (this.#learned.get(key) ?? null);
  }

  /** Gives what is learned from it. */
  refused(key: string, command: string, how: string): Reason {
    const text = `${command} does not take another certificate there (${how})`;
    const reason = { code: "not-trusted", text };
    this.#learned.set(key, reason);
    return reason;
  }

  /** A connection that was opened is over. Gives what is learned from it, or null. */
  ended(key: string, command: string, bytesFromClient: number, livedMs: number): Reason | null {
    if (bytesFromClient > 0 || livedMs > hesitationMs) return null;
    return this.refused(key, command, "it closed the connection right after the handshake");
  }

  #isNamed(serverName: string | null): boolean {
    const name = serverName?.toLowerCase() ?? "";
    return this.#patterns.some((pattern) =>
      pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : name === pattern,
    );
  }
}

const asked: Reason = { code: "pass-through", text: "you asked not to open it" };
