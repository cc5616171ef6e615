// The server's one proxy: opened when an editor first asks for it, and open until the server ends, for programs that
// trust it may be started at any time.
import type { OpenProxyParams, OpenProxyResult, Problem } from "../../protocol/editor.ts";
import type { TraceEvent } from "../../protocol/traffic.ts";
import type { ProxySession, ProxySessionOptions } from "../network/proxy-session.ts";
import { problemOf } from "./problem.ts";

/** The part of a proxy session that an editor can use. */
export type EditorProxy = Pick<
  ProxySession,
  "variablesFor" | "fallback" | "addRunning" | "remove" | "traced" | "close"
>;

export interface ProxyingOptions {
  open(options: ProxySessionOptions): Promise<EditorProxy>;
  onEvent(event: TraceEvent): void;
  onProblem(problem: Problem): void;
}

export class Proxying {
  readonly #options: ProxyingOptions;
  readonly #traffic = { bodyLimit: 64 * 1024, showSecrets: false, metadataOnly: false };
  #session: EditorProxy | null = null;

  constructor(options: ProxyingOptions) {
    this.#options = options;
  }

  get traced(): { pid: number; command: string }[] {
    return this.#session?.traced ?? [];
  }

  configure({ bodyLimit, showSecrets }: { bodyLimit: number; showSecrets: boolean }): void {
    Object.assign(this.#traffic, { bodyLimit, showSecrets });
  }

  async open({ variables }: OpenProxyParams): Promise<OpenProxyResult> {
    try {
      this.#session ??= await this.#options.open({
        traffic: this.#traffic,
        passThrough: [],
        onEvent: (event) => {
          this.#options.onEvent(event);
        },
        onEnded: (problem) => {
          void this.close();
          this.#options.onProblem(problem);
        },
      });
      const { fallback } = this.#session;
      const result = { variables: this.#session.variablesFor({ ...process.env, ...variables }) };
      return fallback ? { ...result, problem: fallback } : result;
    } catch (error) {
      return { variables: {}, problem: problemOf(error) };
    }
  }

  /** True when the process was started to be seen so, and now is. */
  async take(pid: number): Promise<boolean> {
    return this.#session !== null && (await this.#session.addRunning(pid)) === null;
  }

  async remove(pids: number[]): Promise<void> {
    await this.#session?.remove(pids);
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.close();
  }
}
