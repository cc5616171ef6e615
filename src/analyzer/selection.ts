// Which processes a command is about, as the user named them. Empty lists select every process.

export interface Selection {
  pids: number[];
  /** Globs over the command name or the executable's base name. */
  names: string[];
  /** systemd units, with or without `.service`. */
  services: string[];
  /** Ids of containers or the first digits of them; names of LXC's. */
  containers: string[];
  /** Listening TCP ports. */
  ports: number[];
}

/** Whether it says by what others than process ids and ports, which name only what is there now, a process is known. */
export function isByName({ names, services, containers }: Selection): boolean {
  return names.length + services.length + containers.length > 0;
}

export const everyProcess: Selection = { pids: [], names: [], services: [], containers: [], ports: [] };
