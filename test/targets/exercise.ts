// Runs one target: starts it under a trace, lets it make its exchange, scans it meanwhile, and compares what was
// captured with what was said.
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openTraceSession, type TraceSession } from "../../src/analyzer/capture/trace-session.ts";
import { launchWaiting } from "../../src/analyzer/cli/launch.ts";
import { Scanner } from "../../src/analyzer/scan.ts";
import { carriedBy } from "../../src/analyzer/coverage/measurement.ts";
import { everyProcess } from "../../src/analyzer/selection.ts";
import type { ProcessReport } from "../../src/protocol/coverage.ts";
import type { TraceEvent } from "../../src/protocol/traffic.ts";
import { installProgram, programs } from "./install.ts";
import { measuredExchange, measuredMessages, type Measured } from "./measured.ts";
import { ask, askHttp2, requestBody, startPeer, type Certificates, type Said } from "./peer.ts";
import type { Target } from "./target.ts";

export interface Outcome {
  version: string | null;
  /** The process that spoke, as the scan saw it while it did; null where it was not found. */
  report: ProcessReport | null;
  measured: Measured;
}

const limitMs = 60_000;
const target = "/matrix/page?of=matrix";

/** Throws with the reason why the target could not be run. */
export async function exercise(what: Target, certificates: Certificates, folder: string): Promise<Outcome> {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const program = await installProgram(what, folder);
  const stage = new Stage(what, certificates, folder, program);
  const session = await openTraceSession({
    bodyLimit: 1 << 20,
    showSecrets: true,
    scanner: stage.scanner,
    onEvent: (event) => stage.events.push(event),
    onRecord: (record, file) => {
      if (record.type === "data" && file !== null) stage.carriers.set(record.object.pid, file);
    },
  });
  try {
    const within = new Promise<never>((_, reject) => {
      setTimeout(() => {
        reject(new Error(`it was not done within ${limitMs / 1000} s`));
      }, limitMs).unref();
    });
    const run = what.side === "client" ? stage.runClient(session) : stage.runServer(session);
    return await Promise.race([run, within]);
  } finally {
    stage.end();
    await session.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Stage {
  readonly events: TraceEvent[] = [];
  readonly scanner = new Scanner();
  /** By pid: the file whose functions carried plaintext. */
  readonly carriers = new Map<number, string>();
  readonly #what: Target;
  readonly #certificates: Certificates;
  readonly #variables: Record<string, string>;
  readonly #ending: (() => void)[] = [];

  constructor(what: Target, certificates: Certificates, folder: string, program: string) {
    this.#what = what;
    this.#certificates = certificates;
    const { ca, cert, key } = certificates;
    this.#variables = {
      ...{
        CA: ca,
        CERT: cert,
        KEY: key,
        DIR: folder,
        PROGRAM: program,
        PROGRAMS: programs,
        HOST: "localhost",
      },
      ...{ BODY: requestBody, PATH_AND_QUERY: target, HOME: folder },
    };
  }

  end(): void {
    for (const undo of this.#ending.reverse()) undo();
  }

  async runClient(session: TraceSession): Promise<Outcome> {
    // Chromium asks for an icon, too: the first request is the one.
    const heard: { said: Said; report: ProcessReport | null }[] = [];
    const peer = await startPeer(this.#certificates, (said, clientPort) => {
      heard.push({ said, report: heard.length === 0 ? this.#speaker(clientPort) : null });
    });
    this.#ending.push(() => {
      peer.close();
    });
    this.#setPort(peer.port);
    this.#writeFiles();
    const launched = launchWaiting(this.#expanded(this.#what.command), "none", this.#environment());
    this.#ending.push(() => {
      launched.kill();
    });
    await session.addFromStart(launched.pid, launched.executables);
    launched.release();
    await launched.ended;
    const [first] = heard;
    if (first === undefined) throw new Error("it made no request");
    const measured = await this.#settled(() => measuredExchange(this.events, first.said));
    return { version: this.#version(), report: this.#carried(first.report), measured };
  }

  async runServer(session: TraceSession): Promise<Outcome> {
    this.#setPort(await freePort());
    this.#writeFiles();
    const server = this.#startServer();
    const port = Number(this.#variables.PORT);
    await listening(port, server);
    const { says } = this.#what;
    // The first exchange loads what is loaded late; the second is the one that counts.
    await this.#ask(says).catch(() => undefined);
    const pids = withDescendants(server.pid ?? 0);
    const { report: scan } = this.scanner.scan({ ...everyProcess, pids });
    await session.add(pids, { followChildren: true });
    const said = await this.#ask(says);
    const measured = await this.#settled(() =>
      typeof says === "string" ? measuredExchange(this.events, said) : measuredMessages(this.events, says),
    );
    const speakers = new Set(this.events.flatMap((event) => ("connection" in event ? [event.pid] : [])));
    const report =
      scan.processes.find(({ pid }) => speakers.has(pid)) ??
      scan.processes.find(({ verdict }) => verdict !== "no-tls") ??
      scan.processes[0];
    return { version: this.#version(), report: this.#carried(report ?? null), measured };
  }

  async #ask(says: Target["says"]): Promise<Said | null> {
    const port = Number(this.#variables.PORT);
    const { ca } = this.#certificates;
    const page = this.#what.files?.page === undefined ? target : "/page";
    if (says === "get") return ask(port, ca, page, null);
    if (says === "post")
      return this.#what.id.endsWith("http2")
        ? askHttp2(port, ca, target, requestBody)
        : ask(port, ca, target, requestBody);
    const [program = "", ...args] = this.#expanded(says.client);
    execFileSync(program, args, { env: this.#environment(), stdio: "ignore", timeout: 20_000 });
    return null;
  }

  #startServer(): ChildProcess {
    const [program = "", ...args] = this.#expanded(this.#what.command);
    const path = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
    const server = spawn(program, args, {
      cwd: this.#variables.DIR,
      env: { ...this.#environment(), PATH: path },
      stdio: "ignore",
      detached: true,
    });
    server.on("error", () => undefined);
    this.#ending.push(() => {
      for (const pid of withDescendants(server.pid ?? 0)) kill(pid);
    });
    return server;
  }

  /** The process whose socket has this port. */
  #speaker(clientPort: number): ProcessReport | null {
    const listing = execFileSync("ss", ["-Htnp", `sport = :${clientPort}`], { encoding: "utf8" });
    const pid = Number(/pid=(\d+)/.exec(listing)?.[1] ?? 0);
    const scanned = pid === 0 ? null : this.scanner.scanProcess(pid);
    return scanned !== null && "process" in scanned ? scanned.process.report : null;
  }

  /** The report with the stack first, and the class by it, that carried the traffic. */
  #carried(report: ProcessReport | null): ProcessReport | null {
    const carrier = this.carriers.get(report?.pid ?? 0);
    return report === null || carrier === undefined ? report : carriedBy(report, carrier);
  }

  /** The result once it is whole, or what there is after two seconds. */
  async #settled(result: () => Measured): Promise<Measured> {
    for (let tries = 0; tries < 20 && result().state !== "confirmed"; tries++) await sleep(100);
    return result();
  }

  #version(): string | null {
    const { version } = this.#what;
    if (version === undefined) return null;
    const [program = "", ...args] = this.#expanded(version.command);
    const text = execFileSync(program, args, { encoding: "utf8", env: this.#environment(), timeout: 20_000 });
    return version.pattern.exec(text)?.[1] ?? null;
  }

  #setPort(port: number): void {
    this.#variables.PORT = String(port);
    this.#variables.URL = `https://localhost:${port}${target}`;
  }

  #writeFiles(): void {
    const texts = {
      CERT_TEXT: readFileSync(this.#certificates.cert, "utf8"),
      KEY_TEXT: readFileSync(this.#certificates.key, "utf8"),
    };
    for (const [name, text] of Object.entries(this.#what.files ?? {})) {
      writeFileSync(join(this.#variables.DIR ?? "", name), expand(text, { ...texts, ...this.#variables }));
    }
  }

  #environment(): Record<string, string> {
    const own = Object.entries(this.#what.environment ?? {});
    const inherited = { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`, LANG: "C.UTF-8" };
    const rust = { RUSTUP_HOME: process.env.RUSTUP_HOME ?? `${process.env.HOME ?? ""}/.rustup` };
    const rest = Object.fromEntries(own.map(([name, text]) => [name, expand(text, this.#variables)]));
    return { ...inherited, ...rust, ...this.#variables, ...rest };
  }

  #expanded(command: readonly string[]): string[] {
    return command.map((text) => expand(text, this.#variables));
  }
}

/** Puts variables in; what is no variable of ours stays, for a shell. */
function expand(text: string, variables: Record<string, string>): string {
  return text.replaceAll(/\$([A-Z_]+)/g, (whole, name: string) => variables[name] ?? whole);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(port: number, server: ChildProcess): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    if (server.exitCode !== null) throw new Error(`it ended with ${server.exitCode} before it listened`);
    const accepted = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => {
        resolve(false);
      });
    });
    if (accepted) return;
    await sleep(200);
  }
  throw new Error("it did not listen within thirty seconds");
}

function withDescendants(pid: number): number[] {
  if (pid === 0) return [];
  try {
    const text = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
    return [pid, ...text.split(/\s+/).filter(Boolean).map(Number).flatMap(withDescendants)];
  } catch {
    return [pid]; // ps has nothing to tell: it has no children
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
