// Starts the command of `trace -- COMMAND` so that it waits, before its program begins, until it is traced.
import { spawn, type ChildProcess } from "node:child_process";
import { accessSync, closeSync, constants, openSync, readSync, realpathSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Writable } from "node:stream";
import { UsageError } from "./usage.ts";

export interface LaunchedCommand {
  pid: number;
  /** The executable, and the interpreters that a script names; host paths. */
  executables: string[];
  /** Lets the program begin. */
  release(): void;
  /** How it ended: `exited with 0`, `ended by SIGTERM`. */
  ended: Promise<string>;
  kill(): void;
}

const outputs = {
  inherit: ["inherit", "inherit"],
  errors: [2, "inherit"],
  none: ["ignore", "ignore"],
} as const;

/** The shell waits for a line on descriptor 3 and becomes the command; without the line (we died) it gives up. */
const gate = 'read -r go <&3 || exit 125; exec 3<&-; exec "$@"';

/**
 * @param output where the command's own goes: beside ours, all of it to ours for errors so that NDJSON stays alone, or
 * nowhere
 * @param variables added to our environment for it
 */
export function launchWaiting(
  command: string[],
  output: "inherit" | "errors" | "none",
  variables: Record<string, string> = {},
): LaunchedCommand {
  const [name = ""] = command;
  const executables = executablesOf(name);
  const child: ChildProcess = spawn("/bin/sh", ["-c", gate, "plainsight", ...command], {
    stdio: ["inherit", ...outputs[output], "pipe"],
    env: { ...process.env, ...variables },
  });
  if (child.pid === undefined) throw new Error(`start ${name}: /bin/sh could not be started`);
  const gatePipe = child.stdio[3] as Writable;
  gatePipe.on("error", () => undefined); // it ended first: `ended` tells
  return {
    pid: child.pid,
    executables,
    release: () => gatePipe.end("go\n"),
    ended: new Promise((resolve) => {
      child.on("exit", (status, signal) => {
        resolve(signal === null ? `exited with ${status ?? "unknown"}` : `ended by ${signal}`);
      });
    }),
    kill: () => child.kill(),
  };
}

/** What runs when a command is named so: the executable, and the interpreters that a script names; host paths. */
export function executablesOf(name: string): string[] {
  const executable = findExecutable(name);
  if (executable === null) throw new UsageError(`there is no program ${JSON.stringify(name)} to run`);
  return withInterpreters(executable);
}

/** As execvp(3) looks: a name with a slash as it is, else along PATH. */
function findExecutable(name: string): string | null {
  const candidates = name.includes("/")
    ? [name]
    : (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, name));
  return candidates.find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function firstBytes(path: string, count: number): string {
  const descriptor = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(count);
    return bytes.toString("latin1", 0, readSync(descriptor, bytes, 0, count, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** Follows `#!` lines, `env` among them, a few times: what will run is the last of them. */
function withInterpreters(path: string, depth = 4): string[] {
  const real = realpathSync(path);
  const head = firstBytes(real, 256);
  const [interpreter = "", ...words] = (/^#!\s*(.*)/.exec(head)?.[1] ?? "").trim().split(/\s+/);
  if (interpreter === "" || depth === 0) return [real];
  const named = interpreter.endsWith("/env") ? words.find((word) => !word.startsWith("-")) : undefined;
  const next = named === undefined ? interpreter : findExecutable(named);
  return next !== null && isExecutable(next) ? [real, ...withInterpreters(next, depth - 1)] : [real];
}
