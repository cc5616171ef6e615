// What the traced processes say, as it becomes known: folds records into connections, gives their events when these are
// due, and counts them. It keeps the clock that connections.ts does without.
import type { Connections, ConnectionRecord, ConnectionsOptions, TrafficEvent } from "./connections.ts";

/** The addresses of a connection follow its bytes within microseconds; a batch boundary may fall between. */
const holdMs = 50;

export class TrafficFlow {
  /** Ended ones; what is pending is not counted. */
  readonly counts = { exchanges: 0, messages: 0 };
  readonly #connections: Connections;
  readonly #onEvent: (event: TrafficEvent) => void;
  #releaseTimer: NodeJS.Timeout | null = null;

  constructor(connections: Connections, onEvent: (event: TrafficEvent) => void) {
    this.#connections = connections;
    this.#onEvent = onEvent;
  }

  set options(options: ConnectionsOptions) {
    this.#connections.options = options;
  }

  fold(record: ConnectionRecord): void {
    this.#tell(this.#connections.fold(record));
  }

  /** No more records for now: bounds what is kept, and releases in a while what waits for addresses. */
  settle(): void {
    this.#tell(this.#connections.trim(Date.now()));
    if (this.#connections.holds) this.#releaseTimer ??= setTimeout(this.#release, holdMs);
  }

  /** The process has ended or has another program, or is no longer traced: so are its connections. */
  endProcess(pid: number, cause: "closed" | "untraced"): void {
    this.#tell(this.#connections.endProcess(pid, cause, Date.now()));
  }

  /** The trace is over. */
  end(): void {
    if (this.#releaseTimer) clearTimeout(this.#releaseTimer);
    this.#tell(this.#connections.endAll(Date.now()));
  }

  readonly #release = (): void => {
    this.#releaseTimer = null;
    this.#tell(this.#connections.release(Date.now() - holdMs));
    if (this.#connections.holds) this.#releaseTimer = setTimeout(this.#release, holdMs);
  };

  #tell(events: TrafficEvent[]): void {
    for (const event of events) {
      if (event.type === "message") this.counts.messages++;
      else if (event.state !== "pending") this.counts.exchanges++;
      this.#onEvent(event);
    }
  }
}
