// Starts the tracer, with the rights it needs or by a helper that gives them, and speaks its protocol. One tracer per
// client; when it ends, for whatever reason, the owner is told once.
import { spawn, type ChildProcess } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import type { Problem } from "../../protocol/editor.ts";
import { FrameDecoder, jsonFrame, type Frame } from "../../tracer/frames.ts";
import type {
  KernelLoss,
  TracerAnswer,
  TracerFeatures,
  TracerMessage,
  TracerRequest,
} from "../../tracer/messages.ts";
import { builtFile } from "../installation.ts";
import type { KernelRecord } from "./records.ts";
import { describeFailure, launchers, TracerUnavailable, type Launcher } from "./tracer-launch.ts";

export interface TracerHandlers {
  /** A batch of the ring's bytes, for records.ts. */
  records(batch: Buffer): void;
  /** Losses since the tracer opened, whenever they have grown. */
  losses(losses: KernelLoss[]): void;
  /** The tracer ended without being asked to. */
  ended(problem: Problem): void;
}

type Opened = Extract<TracerAnswer, { type: "opened" }>;

/** A tracer that is somebody else's to open and to close. */
export interface SharedTracer extends Pick<TracerClient, "opened" | "call"> {
  /** From now on each record comes here, too, after its owner has had it. */
  listen(listener: (record: KernelRecord) => void): void;
}

export interface TracerSettings {
  ringBytes: number;
  /** Features to use as given rather than to try. */
  features: Partial<TracerFeatures>;
}

export class TracerClient {
  readonly opened: Opened;
  /** The tracer's own process, or that of the helper that started it. */
  readonly pid: number;
  readonly #link: TracerLink;

  private constructor(link: TracerLink, opened: Opened) {
    this.#link = link;
    this.opened = opened;
    this.pid = link.pid;
  }

  /** Rejects with TracerUnavailable when no way of starting it gives enough rights. */
  static async start(settings: TracerSettings, handlers: TracerHandlers): Promise<TracerClient> {
    const program = builtFile("tracer.js");
    let problem: Problem | null = null;
    for (const launcher of launchers()) {
      const link = new TracerLink(launcher, program, handlers);
      try {
        const opened = await link.call({ type: "open", ...settings });
        if (opened.type === "opened") return new TracerClient(link, opened);
        link.abandon();
        problem = describeFailure(opened, launcher, program);
      } catch (error) {
        link.abandon();
        problem ??= describeFailure(
          error instanceof Error ? error : new Error(String(error)),
          launcher,
          program,
        );
      }
    }
    throw new TracerUnavailable(problem ?? describeFailure(null, null, program));
  }

  /** Answers of type `failed` are answers: the caller reports their reason. */
  call(request: TracerRequest): Promise<TracerAnswer> {
    return this.#link.call(request);
  }

  /** Closes its input, upon which it detaches everything and exits; resolves when it has. */
  close(): Promise<void> {
    return this.#link.close();
  }
}

class TracerLink {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #input: Writable;
  readonly #waiting = new Map<
    number,
    { resolve: (answer: TracerAnswer) => void; reject: (error: Error) => void }
  >();
  readonly #exited: Promise<void>;
  readonly #handlers: TracerHandlers;
  #lastId = 0;
  #closing = false;
  #stderr = "";

  constructor(launcher: Launcher, program: string, handlers: TracerHandlers) {
    const [command = process.execPath, ...prefix]: string[] = [...launcher.prefix, process.execPath];
    const environment = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
    const child = spawn(command, [...prefix, program], { stdio: ["pipe", "pipe", "pipe"], env: environment });
    this.#child = child;
    this.#input = child.stdin;
    this.#handlers = handlers;
    this.pid = child.pid ?? 0;
    this.#exited = new Promise((resolve) => {
      child.on("close", (status, signal) => {
        this.#onEnd(`exited with ${signal ?? `status ${status ?? "unknown"}`}`);
        resolve();
      });
    });
    child.on("error", (error) => {
      this.#onEnd(error.message);
    });
    child.stdin.on("error", () => undefined); // the end of the process tells the same
    this.#readFrames(child.stdout);
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-4000);
    });
  }

  call(request: TracerRequest): Promise<TracerAnswer> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#closing) {
        reject(new Error(`${request.type}: the tracer is closed`));
        return;
      }
      this.#waiting.set(id, { resolve, reject });
      this.#input.write(jsonFrame({ id, request }));
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#input.end();
    await this.#exited;
  }

  /** Ends it without waiting, and without telling the owner. */
  abandon(): void {
    this.#closing = true;
    this.#input.end();
    this.#child.unref();
  }

  #readFrames(stdout: Readable): void {
    const decoder = new FrameDecoder();
    stdout.on("data", (chunk: Buffer) => {
      let frames: Frame[];
      try {
        frames = decoder.push(chunk);
      } catch (error) {
        this.#child.kill();
        this.#onEnd(String(error));
        return;
      }
      for (const frame of frames) {
        if (frame.kind === "records") this.#handlers.records(frame.payload);
        else this.#onMessage(JSON.parse(frame.payload.toString()) as TracerMessage);
      }
    });
  }

  #onMessage(message: TracerMessage): void {
    if ("losses" in message) {
      this.#handlers.losses(message.losses);
      return;
    }
    this.#waiting.get(message.id)?.resolve(message.answer);
    this.#waiting.delete(message.id);
  }

  #onEnd(how: string): void {
    const lines = this.#stderr.trim().split("\n");
    const detail = lines.find((line) => /^\w*Error\b/.test(line)) ?? lines.at(-1);
    const error = new Error(detail ? `the tracer ${how}: ${detail}` : `the tracer ${how}`);
    for (const { reject } of this.#waiting.values()) reject(error);
    const wasOpen = this.#waiting.size === 0 || this.#lastId > 1;
    this.#waiting.clear();
    if (this.#closing) return;
    this.#closing = true;
    if (wasOpen) {
      const remedy = "start tracing again; the traced programs were not touched";
      this.#handlers.ended({ code: "tracer-ended", text: error.message, remedy });
    }
  }
}
