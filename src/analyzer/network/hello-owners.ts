// Whose a connection on the network is, for the hellos of which the kernel did not tell, and what its process is called.
// Looking costs milliseconds: it is done once for those that come together, and so often a second at most.
import type { Ends } from "../capture/network-records.ts";
import type { ProcessTable } from "../processes/process-table.ts";
import { socketOwner } from "../processes/socket-owner.ts";

/** A second: a flood whose owners the kernel does not tell stays one of unknown owners. */
const mostLookups = 20;

export class HelloOwners {
  readonly #processes: ProcessTable;
  /** What processes are called, by process and thread name: of those that were asked for a moment ago. */
  readonly #commands = new Map<string, string>();
  readonly #lookUp: typeof socketOwner;
  #lookups = { second: 0, count: 0 };

  constructor(processes: ProcessTable, lookUp = socketOwner) {
    this.#processes = processes;
    this.#lookUp = lookUp;
  }

  /** Null when nobody has the socket, and when too many were asked for. */
  ownerOf({ local, remote, transport }: Ends): number | null {
    const second = Math.floor(performance.now() / 1000);
    if (this.#lookups.second !== second) this.#lookups = { second, count: 0 };
    if (++this.#lookups.count > mostLookups) return null;
    return this.#lookUp(local, remote, transport === "quic" ? "udp" : "tcp");
  }

  /** @param thread what to call one that has gone, the kernel's name of one of its threads */
  commandOf(pid: number, thread: string): string {
    const key = `${pid} ${thread}`;
    const command = this.#commands.get(key) ?? this.#processes.identify(pid).found?.command ?? thread;
    this.#commands.set(key, command);
    return command;
  }

  /** What comes from now on is looked at anew: a process may have another program. */
  forget(): void {
    this.#commands.clear();
  }
}
