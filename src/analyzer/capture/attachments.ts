// Which probes sit where: attaches what was found in a process, once per file, and detaches when the process goes.
import type { Reason } from "../../protocol/coverage.ts";
import type { AttachedEvent } from "../../protocol/traffic.ts";
import type { ProbePlan, TracerAnswer, TracerRequest } from "../../tracer/messages.ts";
import type { FoundFunction, MappedFile, StackFinding } from "../stacks/finding.ts";
import { isCapturable, planFile } from "./plan.ts";

export type CallTracer = (request: TracerRequest) => Promise<TracerAnswer>;
type Scope = ProbePlan["scope"];

export interface AttachOutcome {
  attached: Omit<AttachedEvent, "pid" | "command">[];
  failed: Reason[];
}

export class Attachments {
  readonly #call: CallTracer;
  /** By pid, then by file. */
  readonly #ofProcess = new Map<number, Map<string, number[]>>();
  /** Files probed for every traced process. */
  readonly #ofFile = new Map<string, number[]>();

  constructor(call: CallTracer) {
    this.#call = call;
  }

  /** Attaches those of a process's findings that can be captured and are not attached yet. */
  async attachFindings(pid: number, findings: StackFinding[], scope: Scope): Promise<AttachOutcome> {
    const outcome: AttachOutcome = { attached: [], failed: [] };
    for (const finding of findings.filter(isCapturable)) {
      const result = await this.attachFile(pid, finding.file, finding.functions, scope);
      if (result === "attached" || result === "covered") {
        const functions = finding.functions.map(({ name }) => name);
        outcome.attached.push({ type: "attached", stack: finding.stack, file: finding.file.path, functions });
      } else if (result !== "known") outcome.failed.push(result);
    }
    return outcome;
  }

  /**
   * `covered` when probes for every process are on this file already, told once for each process; `known` when it was
   * told before; a reason when the probes cannot be attached.
   */
  async attachFile(
    pid: number,
    file: MappedFile,
    functions: FoundFunction[],
    scope: Scope,
  ): Promise<"attached" | "covered" | "known" | Reason> {
    const key = `${file.inode}@${file.device}`;
    const owner = scope === "file" ? this.#ofFile : this.#process(pid);
    if (owner.has(key)) return "known";
    // Taken at once: a second look while the first is under way must not attach twice.
    owner.set(key, []);
    if (scope === "process" && this.#ofFile.has(key)) return "covered"; // taken, so that a second look while the first is under way does not attach twice
    const answer = await this.#call({ type: "attach", plan: planFile(pid, file, functions, scope) });
    if (answer.type === "attached") {
      // The process may have gone while the tracer worked.
      if (scope === "process" && this.#ofProcess.get(pid)?.get(key) === undefined) {
        await this.#call({ type: "detach", attachments: answer.attachments });
      } else owner.set(key, answer.attachments);
      return "attached";
    }
    owner.delete(key);
    return answer.type === "failed"
      ? answer.reason
      : { code: "failed", text: `attach ${file.path}: ${answer.type}` };
  }

  /** Removes the probes that only this process has. */
  async detachProcess(pid: number): Promise<void> {
    const attachments = [...(this.#ofProcess.get(pid)?.values() ?? [])].flat();
    this.#ofProcess.delete(pid);
    if (attachments.length > 0) await this.#call({ type: "detach", attachments });
  }

  #process(pid: number): Map<string, number[]> {
    const known = this.#ofProcess.get(pid);
    if (known) return known;
    const fresh = new Map<string, number[]>();
    this.#ofProcess.set(pid, fresh);
    return fresh;
  }
}
