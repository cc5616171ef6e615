// Traces the process that is being debugged, and stops with it. How the pid is found is debuggee-pid.ts's; a failure is
// said once in the status bar, for nobody asked.
import { debug, type DebugSession, type Disposable, type LogOutputChannel } from "vscode";
import { messageOf } from "./analyzer-link.ts";
import type { Analyzer } from "./analyzer.ts";
import { mustAskForPid, pidOfAdapterMessage, pidOfEvaluation, pidOfName } from "./debuggee-pid.ts";
import type { LiveTrafficPanel } from "./live-traffic-panel.ts";
import { readSettings } from "./settings.ts";
import type { StatusBar } from "./status-bar.ts";

/** A root session never answers, and a paused one may take its time. */
const evaluateTimeoutMs = 2000;

export interface DebugSessionsParts {
  analyzer: Analyzer;
  panel: LiveTrafficPanel;
  statusBar: StatusBar;
  output: LogOutputChannel;
  /** True for a process that the user chose to trace; its trace outlives the session. */
  isChosen(pid: number): boolean;
}

export class DebugSessions implements Disposable {
  readonly #parts: DebugSessionsParts;
  readonly #subscriptions: readonly { dispose(): unknown }[];
  /** By session id. */
  readonly #pids = new Map<string, Set<number>>();
  /** The panel opens by itself once for each time that debugging starts. */
  #mayOpenPanel = false;

  constructor(parts: DebugSessionsParts) {
    this.#parts = parts;
    this.#subscriptions = [
      debug.onDidStartDebugSession((session) => {
        void this.#started(session);
      }),
      debug.onDidTerminateDebugSession((session) => {
        void this.#ended(session);
      }),
      debug.registerDebugAdapterTrackerFactory("*", {
        createDebugAdapterTracker: (session) => ({
          onDidSendMessage: (message: unknown) => {
            const pid = pidOfAdapterMessage(message);
            if (pid !== null) void this.#trace(session, pid);
          },
        }),
      }),
      parts.analyzer.onTraffic(({ rows }) => {
        // Connections of which only metadata is seen may be anyone's.
        const isOfDebuggee = rows.some((row) => row.type !== "connection" && !parts.isChosen(row.pid));
        if (!this.#mayOpenPanel || !isOfDebuggee) return;
        this.#mayOpenPanel = false;
        if (!parts.panel.isOpen && readSettings().openLiveTrafficWhenDebugging)
          parts.panel.show({ takeFocus: false });
      }),
    ];
  }

  /** The processes that are being debugged. */
  get pids(): ReadonlySet<number> {
    return new Set([...this.#pids.values()].flatMap((pids) => [...pids]));
  }

  dispose(): void {
    for (const subscription of this.#subscriptions) subscription.dispose();
  }

  async #started(session: DebugSession): Promise<void> {
    const isChild = session.parentSession !== undefined;
    if (!mustAskForPid({ type: session.type, isChild }) || !readSettings().traceDebuggedProcess) return;
    const pid = (await evaluatePid(session)) ?? pidOfName(session.name);
    if (pid !== null) await this.#trace(session, pid);
    else this.#notice(`the process of “${session.name}” could not be found`);
  }

  async #trace(session: DebugSession, pid: number): Promise<void> {
    const { traceDebuggedProcess, followChildren } = readSettings();
    if (!traceDebuggedProcess || this.#pids.get(session.id)?.has(pid)) return;
    this.#pids.set(session.id, (this.#pids.get(session.id) ?? new Set()).add(pid));
    try {
      const { attached, skipped, problem } = await this.#parts.analyzer.startTrace({
        pids: [pid],
        followChildren,
      });
      const [first] = skipped;
      if (attached.includes(pid)) {
        this.#mayOpenPanel = true;
        this.#parts.statusBar.notice(undefined);
      } else if (problem) this.#notice(problem.text);
      else if (first) this.#notice(first.reason.text);
    } catch (error) {
      this.#notice(messageOf(error));
    }
  }

  async #ended(session: DebugSession): Promise<void> {
    const pids = [...(this.#pids.get(session.id) ?? [])].filter((pid) => !this.#parts.isChosen(pid));
    this.#pids.delete(session.id);
    this.#parts.statusBar.notice(undefined);
    if (pids.length > 0) await this.#parts.analyzer.stopTrace({ pids }).catch(() => undefined); // logged
  }

  #notice(text: string): void {
    this.#parts.output.warn(`the debugged process is not traced: ${text}`);
    this.#parts.statusBar.notice(`the debugged process is not traced: ${text}`);
  }
}

async function evaluatePid(session: DebugSession): Promise<number | null> {
  const timeout = new Promise<null>((resolve) => setTimeout(resolve, evaluateTimeoutMs, null));
  const answer = session.customRequest("evaluate", { expression: "process.pid", context: "repl" });
  return pidOfEvaluation(await Promise.race([answer, timeout]).catch(() => null));
}
