// Which probes sit where: attaches what was found in a process, once per file, and detaches when the process goes.
import type { Reason, StackName } from "../../protocol/coverage.ts";
import type { AttachedEvent } from "../../protocol/traffic.ts";
import type { ProbePlan, TracerAnswer, TracerRequest } from "../../tracer/messages.ts";
import type { FoundFunction, MappedFile, StackFinding } from "../stacks/finding.ts";
import { isCapturable, partsOf, planFile } from "./plan.ts";

export type CallTracer = (request: TracerRequest) => Promise<TracerAnswer>;
type Scope = ProbePlan["scope"];

export interface AttachOutcome {
  attached: Omit<AttachedEvent, "pid" | "command">[];
  failed: Reason[];
}

/** What of a file is probed; the stack is null for what carries no plaintext. */
export interface Probing {
  stack: StackName | null;
  file: MappedFile;
  functions: FoundFunction[];
}

interface Probed {
  /** Empty where the probes for every process serve. */
  attachments: number[];
  /** The process was said to be attached here: it has the file mapped. */
  told: boolean;
}

export class Attachments {
  readonly #call: CallTracer;
  /** By pid, then by file. */
  readonly #ofProcess = new Map<number, Map<string, Probed>>();
  /** Files probed for every traced process. */
  readonly #ofFile = new Map<string, number[]>();
  /** By the number that records carry. */
  readonly #byNumber: Probing[] = [];

  constructor(call: CallTracer) {
    this.#call = call;
  }

  /** Attaches what a process has mapped and can be captured; tells each file once. */
  async attachMapped(pid: number, findings: StackFinding[], scope: Scope): Promise<AttachOutcome> {
    const outcome: AttachOutcome = { attached: [], failed: [] };
    for (const finding of findings.filter(isCapturable)) {
      for (const part of partsOf(finding)) {
        const probing = { stack: finding.stack, ...part };
        const failure = await this.attachFile(pid, probing, scope);
        if (failure) outcome.failed.push(failure);
        else outcome.attached.push(...this.#tell(pid, probing));
      }
    }
    return outcome;
  }

  /** The path of the file whose probes have this number, as the process sees it in which they were planned. */
  pathOf(number: number): string | null {
    return this.#byNumber[number]?.file.path ?? null;
  }

  /** What a record proves: that its process has mapped the probed file. Nothing where that was told before. */
  attachedBy(pid: number, number: number): AttachOutcome["attached"] {
    const probing = this.#byNumber[number];
    if (!probing) return [];
    const own = this.#process(pid);
    if (!own.has(keyOf(probing.file))) own.set(keyOf(probing.file), { attachments: [], told: false });
    return this.#tell(pid, probing);
  }

  #tell(pid: number, { stack, file, functions }: Probing): AttachOutcome["attached"] {
    const probed = this.#process(pid).get(keyOf(file));
    if (probed?.told !== false || stack === null) return [];
    probed.told = true;
    return [{ type: "attached", stack, file: file.path, functions: functions.map(({ name }) => name) }];
  }

  /** Makes sure that this process's calls into a file are seen, now or once it maps it. Gives the reason when not. */
  async attachFile(pid: number, probing: Probing, scope: Scope): Promise<Reason | null> {
    const { file, functions } = probing;
    const plan = planFile(pid, file, functions, scope);
    if (plan.points.length === 0) return null; // a stack that this version cannot capture
    const key = keyOf(file);
    const own = this.#process(pid);
    // A stack that cannot be captured has nothing to probe.
    if (own.has(key) || functions.length === 0) return null;
    // Taken at once: a second look while the first is under way must not attach twice.
    const probed: Probed = { attachments: [], told: false };
    own.set(key, probed);
    if (this.#ofFile.has(key)) return null;
    if (scope === "file") this.#ofFile.set(key, []);
    const number = this.#byNumber.push(probing) - 1;
    const answer = await this.#call({ type: "attach", plan: { ...plan, file: number } });
    if (answer.type !== "attached") {
      own.delete(key);
      if (scope === "file") this.#ofFile.delete(key);
      return answer.type === "failed"
        ? answer.reason
        : { code: "failed", text: `attach ${file.path}: ${answer.type}` };
    }
    if (scope === "file") this.#ofFile.set(key, answer.attachments);
    else if (this.#ofProcess.get(pid) === own) probed.attachments = answer.attachments;
    // The process went while the tracer worked.
    else await this.#call({ type: "detach", attachments: answer.attachments });
    return null;
  }

  /** Removes the probes that only this process has. */
  async detachProcess(pid: number): Promise<void> {
    const attachments = [...(this.#ofProcess.get(pid)?.values() ?? [])].flatMap(
      (probed) => probed.attachments,
    );
    this.#ofProcess.delete(pid);
    if (attachments.length > 0) await this.#call({ type: "detach", attachments });
  }

  /** Removes the probes for every process where no process relies on them any more. */
  async detachFiles(): Promise<void> {
    const reliedOn = new Set(
      [...this.#ofProcess.values()].flatMap((files) =>
        [...files].filter(([, { attachments }]) => attachments.length === 0).map(([key]) => key),
      ),
    );
    const unused = [...this.#ofFile].filter(([key]) => !reliedOn.has(key));
    for (const [key] of unused) this.#ofFile.delete(key);
    const attachments = unused.flatMap(([, handles]) => handles);
    if (attachments.length > 0) await this.#call({ type: "detach", attachments });
  }

  #process(pid: number): Map<string, Probed> {
    const known = this.#ofProcess.get(pid);
    if (known) return known;
    const fresh = new Map<string, Probed>();
    this.#ofProcess.set(pid, fresh);
    return fresh;
  }
}

function keyOf({ inode, device }: MappedFile): string {
  return `${inode}@${device}`;
}
