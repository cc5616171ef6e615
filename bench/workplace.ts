// What one part of the benchmark puts on the machine: a folder and processes. All of it goes when the part ends, however
// it ends.
import { execFileSync, spawn, type ChildProcessByStdio } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

export type Child = ChildProcessByStdio<Writable, Readable, null> & { pid: number };

export class Workplace {
  readonly folder = mkdtempSync(join(tmpdir(), "plainsight-bench-"));
  readonly #atEnd: (() => unknown)[] = [];

  /** Runs when the part ends; what was asked last runs first. */
  atEnd(work: () => unknown): void {
    this.#atEnd.push(work);
  }

  /** A child with pipes; its errors are shown unless they are not wanted. */
  start(
    program: string,
    args: string[],
    options: { environment?: NodeJS.ProcessEnv; quiet?: boolean } = {},
  ): Child {
    const env = { ...process.env, ...options.environment };
    const errors = options.quiet === true ? "ignore" : "inherit";
    const child = spawn(program, args, { stdio: ["pipe", "pipe", errors], env });
    this.atEnd(() => stop(child));
    child.stdin.on("error", () => undefined); // its end tells the same
    if (child.pid === undefined) throw new Error(`start ${program}: it is not there`);
    return child as Child;
  }

  /** A key and certificate for 127.0.0.1. */
  certificate(): { key: string; certificate: string } {
    const [key, certificate] = [join(this.folder, "key.pem"), join(this.folder, "cert.pem")];
    if (!existsSync(key)) {
      const request =
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1";
      const files = ["-keyout", key, "-out", certificate];
      execFileSync("openssl", [...request.split(" "), ...files], { stdio: "ignore" });
    }
    return { key, certificate };
  }

  async close(): Promise<void> {
    for (const work of this.#atEnd.splice(0).reverse()) await work();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Ends a child and resolves when it has ended. */
export async function stop(child: ChildProcessByStdio<Writable, Readable, null>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const force = setTimeout(() => child.kill("SIGKILL"), 3000);
  await exited;
  clearTimeout(force);
}

/** Asks a child by lines and gives its answers, one line each. */
export class LineDialogue {
  readonly #lines: AsyncIterator<string>;
  readonly #child: Child;

  constructor(child: Child) {
    this.#child = child;
    this.#lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  }

  async answer(): Promise<string> {
    const next = await this.#lines.next();
    if (next.done === true) throw new Error(`talk to ${this.#child.spawnfile}: it has ended`);
    return next.value;
  }

  ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`);
    return this.answer();
  }
}

/** Where a program is, as the shell would find it or in the system's own folders; null when it is not installed. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
