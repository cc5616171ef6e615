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
    throw new UsageError(wrongOption(error.message), { cause: error });
  }
}

/** What node:util says of an option, without its advice on quoting; of a value that is not there, as we say it. */
function wrongOption(message: string): string {
  const [, without] = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument missing/.exec(message) ?? [];
  if (without !== undefined) return `${without} needs a value`;
  const [, before] = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument is ambiguous/.exec(message) ?? [];
  if (before !== undefined)
    return `${before} needs a value; one that begins with a dash is written ${before}=VALUE`;
  return message.replace(/\.\s.*/s, "");
}
