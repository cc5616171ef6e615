// Which processes a command is about, as the user named them. Empty lists select every process.

export interface Selection {
  pids: number[];
  /** Globs over the command name or the executable's base name. */
  names: string[];
  /** systemd units, with or without `.service`. */
  services: string[];
  /** Listening TCP ports. */
  ports: number[];
}

export const everyProcess: Selection = { pids: [], names: [], services: [], ports: [] };
