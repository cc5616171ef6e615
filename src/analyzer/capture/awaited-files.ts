// Probes what a traced process may map later, before it does, so that no first byte is missed.
import type { ProbePlan } from "../../tracer/messages.ts";
import { runtimeOf } from "../coverage/runtimes.ts";
import type { ProcessIdentity, ProcessTable } from "../processes/process-table.ts";
import type { Scanner } from "../scan.ts";
import type { StackFinding } from "../stacks/finding.ts";
import type { Attachments } from "./attachments.ts";
import { findLinkerHook, usualExecutables, usualLibraries } from "./linker.ts";
import { wheelLibraries } from "./wheel-libraries.ts";

export class AwaitedFiles {
  readonly #attachments: Attachments;
  readonly #scanner: Scanner;
  readonly #processes: ProcessTable;

  constructor(attachments: Attachments, scanner: Scanner, processes: ProcessTable) {
    this.#attachments = attachments;
    this.#scanner = scanner;
    this.#processes = processes;
  }

  /** The dynamic linker, which tells of every library, and the TLS libraries where this process would find them. */
  async libraries(pid: number, scope: ProbePlan["scope"]): Promise<void> {
    const { found } = this.#processes.identify(pid);
    const linker = found && this.#processes.linker(found);
    if (found === null || linker === null) return; // a static program loads nothing
    const hook = findLinkerHook(pid, linker);
    if (hook)
      await this.#attachments.attachFile(pid, { stack: null, file: linker, functions: [hook] }, scope);
    const root = `/proc/${pid}/root`;
    const brought = this.#isPython(found)
      ? wheelLibraries(root, { ...found, environment: this.#processes.environment(pid) })
      : [];
    for (const path of [...brought, ...usualLibraries(root)]) {
      for (const finding of this.#stacksIn(root + path)) {
        await this.#attachments.attachFile(pid, { ...finding, file: { ...finding.file, path } }, scope);
      }
    }
  }

  /** These executables and the usual ones (host paths), for every traced process. */
  async executables(pid: number, paths: string[]): Promise<void> {
    for (const path of new Set([...paths, ...usualExecutables()])) {
      for (const finding of this.#stacksIn(path)) {
        await this.#attachments.attachFile(pid, finding, "file");
      }
    }
  }

  #isPython(process: ProcessIdentity): boolean {
    const files = this.#processes.files(process).found ?? [];
    return runtimeOf({ ...process, files }, null) === "python";
  }

  /** Nothing where the file cannot be opened: the process may have gone, and its root with it. */
  #stacksIn(path: string): StackFinding[] {
    try {
      return this.#scanner.analyseFile(path);
    } catch {
      return [];
    }
  }
}
