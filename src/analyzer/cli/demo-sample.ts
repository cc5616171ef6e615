// Runs the sample of demo/: the HTTPS service and one client for each runtime that is there. It leaves nothing behind.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { installationRoot } from "../installation.ts";

export interface RunningSample {
  url: string;
  processes: { pid: number; what: string }[];
  /** Clients that could not be started, with the program that is missing. */
  absent: string[];
  stop(): Promise<void>;
}

const clients = [
  { what: "a client in Node (HTTP/1.1)", needs: null, run: [process.execPath, "client.mjs"] },
  { what: "a client in Python (HTTP/1.1)", needs: "python3", run: ["python3", "client.py"] },
  { what: "a shell that starts curl (HTTP/2)", needs: "curl", run: ["sh", "client.sh"] },
] as const;

/** Starts it all; the clients go on for `seconds`. Throws when the service does not come up. */
export async function startSample(seconds: number): Promise<RunningSample> {
  const cwd = join(installationRoot(), "demo");
  const children: ChildProcess[] = [];
  const start = (program: string, args: readonly string[], stdout: "pipe" | "ignore"): ChildProcess => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", stdout, "inherit"], detached: true });
    children.push(child);
    return child;
  };
  const service = start(process.execPath, ["service.mjs"], "pipe");
  const url = await firstLine(service);
  const present = clients.filter(({ needs }) => needs === null || runs(needs));
  const processes = [{ pid: service.pid ?? 0, what: "the service, in Node" }];
  for (const { what, run } of present) {
    const [program, ...args] = run;
    processes.push({ pid: start(program, [...args, url, String(seconds)], "ignore").pid ?? 0, what });
  }
  return {
    url,
    processes,
    absent: clients.filter((client) => !present.includes(client)).map(({ needs }) => needs ?? ""),
    stop: async () => {
      const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
      const ended = running.map((child) => once(child, "exit"));
      for (const child of running) killGroup(child);
      await Promise.all(ended);
    },
  };
}

async function firstLine({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error("start the sample service: it has no output");
  for await (const line of createInterface(stdout)) return line;
  throw new Error(
    "start the sample service: it ended before it listened (openssl makes its certificate: is it there?)",
  );
}

function runs(program: string): boolean {
  return spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0;
}

/** Each child leads a group of its own, so that the shell's curl goes with it. */
function killGroup({ pid }: ChildProcess): void {
  try {
    process.kill(-(pid ?? 0), "SIGTERM");
  } catch {
    // It ended by itself just now.
  }
}
