// The privileged process. It answers typed requests from stdin, sends answers and batches of records to stdout, and
// ends, with every probe gone, when stdin closes. What the records mean is the analyzer's business.
import { once } from "node:events";
import { readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Reason } from "../protocol/coverage.ts";
import { FrameDecoder, frameHead, jsonFrame } from "./frames.ts";
import { Kernel } from "./kernel.ts";
import type { KernelLoss, TracerAnswer, TracerMessage, TracerRequest } from "./messages.ts";
import { validCall } from "./validate.ts";

/** Records gather for this long before a batch is taken: a wake-up per record costs the traced program microseconds. */
const gatherMs = 5;
/** Room for at least one largest record. */
const batchBytes = 512 * 1024;

let kernel: Kernel | null = null;
let lastLosses = "";

function send(message: TracerMessage): void {
  process.stdout.write(jsonFrame(message));
}

/** Sends what the ring holds. A reader that is slow fills the pipe, then the ring, where the kernel counts what is lost. */
async function drainRing(open: Kernel): Promise<void> {
  for (;;) {
    const batch = Buffer.allocUnsafe(batchBytes);
    const bytes = open.drain(batch);
    if (bytes === 0) break;
    process.stdout.write(frameHead("records", bytes));
    if (!process.stdout.write(batch.subarray(0, bytes))) await once(process.stdout, "drain");
  }
  sendLosses(open.losses());
}

function sendLosses(losses: KernelLoss[]): void {
  const text = JSON.stringify(losses);
  if (text === lastLosses) return;
  if (losses.some((loss) => loss.records > 0)) send({ losses });
  lastLosses = text;
}

// One drain at a time, so that batches leave in the order of the ring.
let draining = Promise.resolve();
function drainInTurn(open: Kernel): Promise<void> {
  draining = draining.then(() => drainRing(open));
  return draining;
}

async function pump(open: Kernel): Promise<void> {
  while (await open.wait()) {
    await drainInTurn(open);
    await sleep(gatherMs);
  }
}

async function answer(request: TracerRequest): Promise<TracerAnswer> {
  if (request.type === "open") {
    if (kernel)
      return { type: "failed", reason: { code: "already-open", text: "open: the tracer is open already" } };
    if (!inHostProcessNamespace()) return { type: "failed", reason: otherProcessNamespace };
    kernel = new Kernel(import.meta.dirname, request.ringBytes, request.features);
    sendLosses(kernel.losses());
    void pump(kernel);
    const clock = { monotonicMs: Number(process.hrtime.bigint()) / 1e6, epochMs: Date.now() };
    return { type: "opened", features: kernel.features, missing: kernel.missing, clock };
  }
  if (!kernel)
    return { type: "failed", reason: { code: "not-open", text: `${request.type}: open the tracer first` } };
  switch (request.type) {
    case "trace":
      kernel.trace(request.pids, request.followChildren, request.proxied ?? null);
      break;
    case "untrace":
      kernel.untrace(request.pids);
      break;
    case "attach":
      return { type: "attached", attachments: kernel.attach(request.plan) };
    case "detach":
      kernel.detach(request.attachments);
      break;
    case "watch":
      kernel.watchEveryExec(request.everyExec);
      break;
    case "redirect":
      kernel.proxy.redirect(request);
      break;
    case "release":
      kernel.release(request.pid, request.executable);
      break;
    case "redirected":
      return { type: "redirected", original: kernel.proxy.redirected(request.family, request.port) };
    case "direct":
      kernel.proxy.direct(request.original, request.milliseconds);
      break;
    case "serve":
      kernel.proxy.serve(request);
      break;
    case "watch-network":
      return { type: "watching", ...kernel.network.watch(request.interfaces, request.places) };
    case "tell-open":
      kernel.network.tellOpenConnections();
      break;
    case "tell-idle":
      kernel.network.tellIdleConnections(request.idleMs);
      break;
    case "block":
      kernel.network.block(request.names);
      break;
    case "judge":
      kernel.network.judge(request.ends, request.start, request.blocked);
      break;
    case "reset-blocked":
      kernel.network.reset();
      break;
    case "flush":
      await drainInTurn(kernel);
      break;
  }
  return { type: "done" };
}

/** PROC_PID_INIT_INO of linux/proc_ns.h: the programs see process ids as the host counts them. */
function inHostProcessNamespace(): boolean {
  return readlinkSync("/proc/self/ns/pid") === "pid:[4026531836]";
}

const otherProcessNamespace: Reason = {
  code: "process-namespace",
  text: "the process ids of this container are not the kernel's",
};

async function handle(payload: Buffer): Promise<void> {
  const call = validCall(JSON.parse(payload.toString()));
  if (!call) throw new Error("not a request of this tracer");
  try {
    send({ id: call.id, answer: await answer(call.request) });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code).toLowerCase() : "failed";
    const text = error instanceof Error ? error.message : String(error);
    send({ id: call.id, answer: { type: "failed", reason: { code, text } } });
  }
}

/** What an analyzer that was told to end, too, has to take leave in order: what is on its way is then told. */
const orderlyEndMs = 2000;

function end(status: number): void {
  kernel?.close();
  process.exit(status);
}

const decoder = new FrameDecoder();
process.stdin.on("data", (chunk: Buffer) => {
  try {
    for (const frame of decoder.push(chunk)) {
      handle(frame.payload).catch((error: unknown) => {
        process.stderr.write(`plainsight-tracer: ${String(error)}\n`);
        end(2);
      });
    }
  } catch (error) {
    process.stderr.write(`plainsight-tracer: ${String(error)}\n`);
    end(2);
  }
});
process.stdin.on("end", () => {
  end(0);
});
process.stdin.on("error", () => {
  end(0);
});
process.stdout.on("error", () => {
  end(0);
});
// Ctrl-C in a terminal reaches the whole group: the analyzer decides when tracing ends, and then closes stdin.
process.on("SIGINT", () => undefined);
// So do the end of a service and of a terminal, after which nobody may be left to close it.
for (const signal of ["SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    setTimeout(end, orderlyEndMs, 0);
  });
}
