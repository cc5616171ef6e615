// Which connections are not to be opened, and what was learned of programs that do not take our certificate, so that
// each fails once at most. It keeps names and counts; it carries nothing.
import type { Reason } from "../../protocol/coverage.ts";

/**
 * A program that lets go of a connection within this time, and without a word, may have looked at the certificate only
 * when the handshake was done. It may as well have wanted nothing, as a health check does.
 */
const hesitationMs = 1000;
/** So many of them, one after the other, of a program that never said anything there, are taken for a judgement. */
const mostSilent = 2;

export class ClosedToUs {
  readonly #patterns: readonly string[];
  readonly #learned = new Map<string, Reason>();
  /** How many connections ended in silence; none of those that said something once. */
  readonly #silent = new Map<string, number>();
  readonly #spoke = new Set<string>();

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

  /** A connection that was opened is over. Gives what is to be told of it, or null. */
  ended(
    key: string,
    command: string,
    bytesFromClient: number,
    livedMs: number,
  ): { reason: Reason; then: string } | null {
    if (bytesFromClient > 0) this.#spoke.add(key);
    if (livedMs > hesitationMs || this.#spoke.has(key)) return null;
    const silent = (this.#silent.get(key) ?? 0) + 1;
    this.#silent.set(key, silent);
    if (silent < mostSilent) {
      const text = `${command} closed the connection right after the handshake, without a word`;
      const then = "if it does so again, the next ones are passed through untouched";
      return { reason: { code: "closed-in-silence", text }, then };
    }
    const how = `it closed ${silent} connections right after the handshake, without a word`;
    return { reason: this.refused(key, command, how), then: "the next ones are passed through untouched" };
  }

  #isNamed(serverName: string | null): boolean {
    const name = serverName?.toLowerCase() ?? "";
    return this.#patterns.some((pattern) =>
      pattern.startsWith("*.") ? name.endsWith(pattern.slice(1)) : name === pattern,
    );
  }
}

const asked: Reason = { code: "pass-through", text: "you asked not to open it" };
