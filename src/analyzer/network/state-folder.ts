// Where what outlives a run is kept, as the XDG Base Directory Specification says.
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/** The user's folder for Plainsight's state; it need not exist yet. A relative XDG_STATE_HOME is no path, and ignored. */
export function stateFolder(environment: NodeJS.ProcessEnv): string {
  const { XDG_STATE_HOME: given = "" } = environment;
  return join(isAbsolute(given) ? given : join(homedir(), ".local/state"), "plainsight");
}
