// What stands in the way of tracing, from wherever it is known: the last attempt, the host's report, or an analyzer
// that does not start. It tells the views by context keys and offers the remedy.
import { commands, env, EventEmitter, window, type Disposable } from "vscode";
import type { Problem } from "../protocol/editor.ts";
import type { Analyzer } from "./analyzer.ts";
import { hostProblem, problemSentences, unavailableProblem } from "./problem-text.ts";

export class Obstacle implements Disposable {
  readonly #changed = new EventEmitter<undefined>();
  readonly onChange = this.#changed.event;
  readonly #subscriptions: readonly { dispose(): unknown }[];
  #ofAnalyzer: Problem | undefined;
  #ofTrace: Problem | undefined;
  #ofHost: Problem | undefined;

  constructor(analyzer: Analyzer) {
    this.#subscriptions = [
      this.#changed,
      analyzer.onAvailability((reason) => {
        this.#ofAnalyzer = reason === null ? undefined : unavailableProblem(reason);
        this.#tell();
      }),
      analyzer.onState(({ problem, tracing }) => {
        if (tracing.length > 0) this.#ofHost = undefined;
        if (problem?.text === this.#ofTrace?.text) return;
        this.#ofTrace = problem;
        this.#tell();
      }),
      analyzer.onCoverage(({ host }) => {
        this.#ofHost = hostProblem(host);
        this.#tell();
      }),
    ];
    this.#tell();
  }

  /** The analyzer itself does not run. */
  get isUnavailable(): boolean {
    return this.#ofAnalyzer !== undefined;
  }

  get problem(): Problem | undefined {
    return this.#ofAnalyzer ?? this.#ofTrace ?? this.#ofHost;
  }

  /**
   * Says what is wrong and offers what can be done; for when the user asked. The proxy needs no rights: it is offered
   * where the host lacks those for probes.
   */
  async show(said = this.problem, { offersProxy = true } = {}): Promise<void> {
    if (!said) return;
    const [copy, proxy, output] = ["Copy Command", "Trace Through the Proxy", "Show Output"];
    const isProxyLeft = offersProxy && this.#ofAnalyzer === undefined && this.#ofHost !== undefined;
    const actions = [...(said.command === undefined ? [] : [copy]), ...(isProxyLeft ? [proxy] : []), output];
    const chosen = await window.showWarningMessage(`Plainsight: ${problemSentences(said)}.`, ...actions);
    if (chosen === copy) await copyCommand(said.command);
    if (chosen === proxy) await commands.executeCommand("plainsight.traceThroughProxy");
    if (chosen === output) await commands.executeCommand("plainsight.showOutput");
  }

  async copyRemedy(): Promise<void> {
    await copyCommand(this.problem?.command);
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  #tell(): void {
    const { problem } = this;
    void commands.executeCommand("setContext", "plainsight.isUnavailable", this.#ofAnalyzer !== undefined);
    void commands.executeCommand("setContext", "plainsight.hasProblem", problem !== undefined);
    void commands.executeCommand("setContext", "plainsight.hasRemedyCommand", problem?.command !== undefined);
    this.#changed.fire(undefined);
  }
}

async function copyCommand(command: string | undefined): Promise<void> {
  if (command === undefined) return;
  await env.clipboard.writeText(command);
  window.setStatusBarMessage(`Copied: ${command}`, 5000);
}
