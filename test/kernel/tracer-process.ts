// The tracer without the analyzer: its process, started as the analyzer does, and requests to it.
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import type { TestContext } from "node:test";
import { FrameDecoder, jsonFrame } from "../../src/tracer/frames.ts";
import type { TracerAnswer, TracerMessage, TracerRequest } from "../../src/tracer/messages.ts";

export interface TracerProcess {
  child: ChildProcessByStdio<Writable, Readable, Readable> & { pid: number };
  call(request: TracerRequest): Promise<TracerAnswer>;
  /** Resolves, at its end, with the exit status and what it said about it. */
  ended: Promise<{ status: number | null; said: string }>;
}

export function startTracer(t: TestContext): TracerProcess {
  const program = join(import.meta.dirname, "../../dist/tracer.js");
  const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  child.stdin.on("error", () => undefined); // it may end while it is written to
  const waiting = new Map<number, (answer: TracerAnswer) => void>();
  const decoder = new FrameDecoder();
  child.stdout.on("data", (chunk: Buffer) => {
    for (const { kind, payload } of decoder.push(chunk)) {
      if (kind !== "json") continue;
      const message = JSON.parse(payload.toString()) as TracerMessage;
      if ("id" in message) waiting.get(message.id)?.(message.answer);
    }
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
  let lastId = 0;
  return {
    child: child as TracerProcess["child"],
    call: (request) =>
      new Promise((resolve) => {
        waiting.set(++lastId, resolve);
        child.stdin.write(jsonFrame({ id: lastId, request }));
      }),
    ended: new Promise((resolve) => {
      child.once("close", (status) => {
        resolve({ status, said });
      });
    }),
  };
}
