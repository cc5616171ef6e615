// The server's one watch of the network, which an editor turns on and off: who talks to whom over TLS on every interface
// that is up, of all processes. It refuses nothing; the rows its events become are the trace's.
import type { NetworkState, Problem, WatchNetworkResult } from "../../protocol/editor.ts";
import type { TraceEvent } from "../../protocol/traffic.ts";
import type { HelloSession, HelloSessionOptions } from "../network/hello-session.ts";
import { problemOf } from "./problem.ts";

/** The part of a watch that an editor can use. */
export type EditorNetworkWatch = Pick<HelloSession, "interfaces" | "missing" | "close">;
export type EditorNetworkWatchOptions = Pick<HelloSessionOptions, "interfaces" | "onEvent" | "onEnded">;

export interface NetworkWatchingOptions {
  /** Rejects with an error that has a `problem` when rights, kernel support or every interface is missing. */
  open(options: EditorNetworkWatchOptions): Promise<EditorNetworkWatch>;
  onEvent(event: TraceEvent): void;
  /** It has ended by itself. */
  onEnded(): void;
}

export class NetworkWatching {
  readonly #options: NetworkWatchingOptions;
  #session: EditorNetworkWatch | null = null;
  #isOpening = false;
  #connections = 0;
  #problem: Problem | undefined;

  constructor(options: NetworkWatchingOptions) {
    this.#options = options;
  }

  /** Whether events may come. */
  get isOpen(): boolean {
    return this.#isOpening || this.#session !== null;
  }

  /** What there is to tell of it, and nothing while it is off. */
  get state(): { network?: NetworkState; networkProblem?: Problem } {
    if (!this.#session) return this.#problem ? { networkProblem: this.#problem } : {};
    const { interfaces, missing } = this.#session;
    const names = interfaces.map(({ name }) => name);
    return { network: { interfaces: names, connections: this.#connections, missing: [...missing] } };
  }

  async open(): Promise<WatchNetworkResult> {
    if (this.#session) return {};
    this.#connections = 0;
    this.#problem = undefined;
    this.#isOpening = true;
    try {
      this.#session = await this.#options.open({
        interfaces: null,
        onEvent: (event) => {
          if (event.type === "hello") this.#connections += 1;
          this.#options.onEvent(event);
        },
        onEnded: (problem) => {
          this.#problem = problem;
          void this.#close();
          this.#options.onEnded();
        },
      });
      return {};
    } catch (error) {
      this.#problem = problemOf(error);
      return { problem: this.#problem };
    } finally {
      this.#isOpening = false;
    }
  }

  /** What was still open is told as it stands. */
  async close(): Promise<void> {
    this.#problem = undefined;
    await this.#close();
  }

  /** Counts from zero again. */
  clear(): void {
    this.#connections = 0;
  }

  async #close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }
}
