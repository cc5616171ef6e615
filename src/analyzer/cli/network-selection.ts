// Which connections on the network are of the processes that were chosen, and of the children they begin meanwhile.
import type { Skipped } from "../../protocol/coverage.ts";
import type { HelloEvent } from "../../protocol/traffic.ts";
import type { HelloSession } from "../network/hello-session.ts";
import { matchesSelection } from "../processes/matching.ts";
import { ProcessTable } from "../processes/process-table.ts";
import { isByName, type Selection } from "../selection.ts";

export interface Begun {
  /** Process ids that were asked for, and why they are not followed. */
  skipped: Skipped[];
  /** Whether there is anybody to wait for: chosen ones that run, or that may begin. */
  hasAny: boolean;
  /** Whether there is none any more when those that run have ended. */
  endsWithThem: boolean;
}

export class NetworkSelection {
  readonly #selection: Selection;
  readonly #processes = new ProcessTable();
  #session: HelloSession | null = null;

  constructor(selection: Selection) {
    this.#selection = selection;
  }

  /** From now on the children of those that run are theirs, too; of those that begin later only they themselves are. */
  async follow(session: HelloSession): Promise<Begun> {
    this.#session = session;
    const { pids } = this.#selection;
    const skipped: Skipped[] = [];
    if (this.#isOfProcesses) {
      for (const pid of pids.length > 0 ? new Set(pids) : this.#processes.pids()) {
        const { found, missing } = this.#processes.identify(pid);
        if (missing !== null) skipped.push({ pid, reason: missing });
        else if (pid !== process.pid && matchesSelection(found, this.#selection)) await session.add(pid);
      }
    }
    const isLater = isByName(this.#selection) || !this.#isOfProcesses;
    return {
      skipped: pids.length > 0 ? skipped : [],
      hasAny: session.traced.length > 0 || isLater,
      endsWithThem: !isLater,
    };
  }

  /** Ports are those of either end; of a connection whose process is not known nothing else can be said. */
  includes({ pid, connection }: HelloEvent): boolean {
    const { ports } = this.#selection;
    const ends = [connection.local, connection.remote].map((end) => Number(/:(\d+)$/.exec(end ?? "")?.[1]));
    if (ports.length > 0 && !ends.some((port) => ports.includes(port))) return false;
    if (!this.#isOfProcesses) return true;
    if (pid === null) return false;
    if (this.#session?.isTraced(pid) === true) return true;
    const { found } = this.#processes.identify(pid);
    return found !== null && matchesSelection(found, this.#selection);
  }

  get #isOfProcesses(): boolean {
    return this.#selection.pids.length > 0 || isByName(this.#selection);
  }
}
