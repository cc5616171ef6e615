// Which programs trust the proxy: those whose environment names its authority, and only theirs are its connections to
// open. How an environment says so is trust-environment.ts's.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { parseArguments } from "../processes/arguments.ts";
import { openAuthority, type Authority } from "./authority.ts";
import { isTrusting, trustFor, type Trust } from "./trust-environment.ts";

export class ProgramTrust {
  readonly authority: Authority;
  readonly #folder: string;

  /** @param folder of the files that environments name */
  constructor(authority: Authority, folder: string) {
    this.authority = authority;
    this.#folder = folder;
  }

  /** What makes a program trust the proxy that would have this environment without us. */
  of(environment: NodeJS.ProcessEnv): Trust {
    return trustFor(this.authority.certificate, environment, this.#folder);
  }

  /** Null when the environment that the process was started with is not readable. */
  isTrusted(pid: number): boolean | null {
    try {
      const lines = parseArguments(readFileSync(`/proc/${pid}/environ`, "utf8"));
      const pairs = lines.map((line): [string, string] => {
        const [, name = "", value = ""] = /^([^=]*)=(.*)$/s.exec(line) ?? [];
        return [name, value];
      });
      return isTrusting(Object.fromEntries(pairs), this.#folder);
    } catch {
      return null;
    }
  }
}

/**
 * The authority that is kept in this folder of the user's, or a new one. Rejects with TracerUnavailable (it has a
 * `problem`) when it can neither be read nor made.
 */
export async function openProgramTrust(folder: string): Promise<ProgramTrust> {
  try {
    const trust = new ProgramTrust(await openAuthority(folder), join(folder, "trust"));
    trust.of({}); // that its files can be written, too
    return trust;
  } catch (error) {
    const text = `the proxy's authority: ${error instanceof Error ? error.message : String(error)}`;
    const remedy = `${folder} has to be a folder of yours; XDG_STATE_HOME chooses another`;
    throw new TracerUnavailable({ code: "no-authority", text, remedy });
  }
}
