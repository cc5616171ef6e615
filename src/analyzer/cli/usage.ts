// Wrong usage and how it is told: one line on what is wrong, one on how to see the options.
import { parseArgs } from "node:util";
import type { ParseArgsConfig } from "node:util";

/** Exit codes of every command. */
export const exitCodes = { done: 0, gateNotMet: 1, wrongUsage: 2, notPossible: 3 } as const;

/** The user asked for something that cannot be meant; the command line tells it and exits with 2. */
export class UsageError extends Error {}

/** parseArgs of node:util, strict; throws a {@link UsageError} for what it does not know. */
export function parseOptions<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // The first sentence says what is wrong; the others are advice on quoting.
    throw new UsageError(error.message.replace(/\.\s.*/s, ""), { cause: error });
  }
}
