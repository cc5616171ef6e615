// What the tests on the real kernel share: whether they can run, throw-away certificates, child processes that do not
// outlive their test, and a trace whose events are kept.
import { execFileSync, spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  openTraceSession,
  type TraceSession,
  type TraceSessionOptions,
} from "../../src/analyzer/capture/trace-session.ts";
import type { ExchangeEvent, MessageEvent, TraceEvent } from "../../src/protocol/traffic.ts";

export const fixtures = join(import.meta.dirname, "../fixtures");

/** Why the test cannot run here, or false. With CI=true a missing program or right is a failure of the test itself. */
export function skipReason(...programs: string[]): string | false {
  const missing = [
    ...(process.geteuid?.() === 0 ? [] : ["root"]),
    ...(existsSync(join(import.meta.dirname, "../../dist/tracer.js")) ? [] : ["the build (npm run setup)"]),
    ...programs.filter((program) => spawnSync("sh", ["-c", `command -v ${program}`]).status !== 0),
  ];
  if (missing.length === 0 || process.env.CI === "true") return false;
  return `needs ${missing.join(", ")}`;
}

export interface Certificate {
  key: string;
  cert: string;
}

/** A certificate for localhost in a folder that goes with the test. */
export function makeCertificate(t: TestContext): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-test-"));
  t.after(() => {
    rmSync(folder, { recursive: true });
  });
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
  const request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"];
  execFileSync("openssl", [...request, "-addext", names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key, cert };
}

/** A child that is killed, with the test, if it still runs. Its errors show in the test's output. */
export function start(t: TestContext, program: string, args: string[]): ChildProcess & { pid: number } {
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  if (child.pid === undefined) throw new Error(`start ${program}: it is not there`);
  return child as ChildProcess & { pid: number };
}

/** The first line that it prints. */
export async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error("read a line: the child has no output");
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error(`read a line: the child printed none (status ${child.exitCode ?? "unknown"})`);
}

/** Resolves with the exit status; null when a signal ended it. */
export function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("exit", resolve));
}

/** An echo server in Node: its process and port. */
export async function startEchoServer(
  t: TestContext,
  protocol: "h1" | "h2",
): Promise<{ pid: number; port: string }> {
  const { key, cert } = makeCertificate(t);
  const server = start(t, process.execPath, [join(fixtures, "echo-server.mjs"), protocol, key, cert]);
  return { pid: server.pid, port: await firstLine(server) };
}

/** What this process's main thread has started and is still there, in order of start. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return text === "" ? [] : text.split(" ").map(Number);
}

/** The tracer of the analyzer `pid`, which it started without a helper. */
export function tracerOf(pid: number): number {
  const isTracer = (child: number) => readFileSync(`/proc/${child}/cmdline`, "utf8").includes("tracer.js");
  const tracer = childrenOf(pid).find(isTracer);
  if (tracer === undefined) throw new Error(`find the tracer of ${pid}: it has none`);
  return tracer;
}

/** A process that is no child of ours; resolves when it is gone, rejects after five seconds. */
export async function gone(pid: number): Promise<void> {
  for (let tries = 0; existsSync(`/proc/${pid}`); tries++) {
    if (tries === 250) throw new Error(`process ${pid} is still there`);
    await sleep(20);
  }
}

/** A request of the test itself on a connection of its own; gives the body of the answer. */
export function ask(port: string, path: string, body = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { port, path, method: "POST", rejectUnauthorized: false, agent: false as const };
    const request = https.request(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        resolve(text);
      });
    });
    request.on("error", reject).end(body);
  });
}

export interface Trace {
  session: TraceSession;
  events: TraceEvent[];
  exchanges(pid?: number): ExchangeEvent[];
  messages(pid?: number): MessageEvent[];
  /** Resolves once an event fits; rejects after ten seconds. */
  seen(fits: (event: TraceEvent) => boolean): Promise<void>;
}

/** A trace that ends with the test. Bodies of up to 4 MiB are kept whole. */
export async function openTrace(t: TestContext, options: Partial<TraceSessionOptions> = {}): Promise<Trace> {
  const events: TraceEvent[] = [];
  const waiting = new Set<() => void>();
  const session = await openTraceSession({
    bodyLimit: 4 * 1024 * 1024,
    showSecrets: true,
    ...options,
    onEvent: (event) => {
      events.push(event);
      for (const check of waiting) check();
    },
  });
  t.after(() => session.close());
  const ofPid = (pid: number | undefined, event: { pid: number }) => pid === undefined || event.pid === pid;
  return {
    session,
    events,
    exchanges: (pid) =>
      events.filter(
        (event): event is ExchangeEvent =>
          event.type === "exchange" && event.state !== "pending" && ofPid(pid, event),
      ),
    messages: (pid) =>
      events.filter((event): event is MessageEvent => event.type === "message" && ofPid(pid, event)),
    seen: (fits) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(check);
          reject(
            new Error(`no such event within 10 s; seen: ${JSON.stringify(events.slice(-20)).slice(0, 2000)}`),
          );
        }, 10_000);
        const check = () => {
          if (!events.some(fits)) return;
          clearTimeout(timer);
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}
