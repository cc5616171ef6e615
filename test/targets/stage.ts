// One staging of a target: its variables and files, its processes, the server that it speaks to, and what it is asked
// itself. Which path watches meanwhile is for exercise.ts and through-proxy.ts.
import { execFile, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { launchWaiting, type LaunchedCommand } from "../../src/analyzer/cli/launch.ts";
import { programs } from "./install.ts";
import { ask, askHttp2, requestBody, startPeer, type Certificates, type Client, type Said } from "./peer.ts";
import type { Target } from "./target.ts";

const limitMs = 60_000;
const page = "/matrix/page?of=matrix";

export class Stage {
  readonly what: Target;
  readonly certificates: Certificates;
  readonly #variables: Record<string, string>;
  readonly #ending: (() => void)[] = [];

  /** @param folder is made; @param program its path, empty where the command names it itself */
  constructor(what: Target, certificates: Certificates, folder: string, program: string) {
    this.what = what;
    this.certificates = certificates;
    const { ca, cert, key } = certificates;
    const files = { CA: ca, CERT: cert, KEY: key, DIR: folder, HOME: folder };
    const said = { HOST: "localhost", BODY: requestBody, PATH_AND_QUERY: page };
    this.#variables = { ...files, ...said, PROGRAM: program, PROGRAMS: programs };
    mkdirSync(folder, { recursive: true });
    chmodSync(folder, 0o755);
  }

  /** What is done meanwhile, if it is done in time; the stage is cleared then. */
  async play<T>(run: () => Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(new Error(`it was not done within ${limitMs / 1000} s`));
      }, limitMs);
    });
    try {
      return await Promise.race([run(), late]);
    } finally {
      clearTimeout(timer);
      for (const undo of this.#ending.reverse()) undo();
    }
  }

  /** The server that a client is to speak to; the client's files are written. */
  async openPeer(onRequest: (said: Said, client: Client) => void): Promise<void> {
    const peer = await startPeer(this.certificates, onRequest);
    this.#ending.push(() => {
      peer.close();
    });
    this.#prepare(peer.port);
  }

  /** The client, waiting before its program begins. */
  launch(variables: Record<string, string> = {}): LaunchedCommand {
    const environment = { ...this.environment(), ...variables };
    const launched = launchWaiting(this.#expanded(this.what.command), "none", environment);
    this.#ending.push(() => {
      for (const pid of withDescendants(launched.pid)) kill(pid);
    });
    return launched;
  }

  /** The server, once it listens. */
  async startServer(): Promise<{ pid: number; port: number }> {
    const port = await freePort();
    this.#prepare(port);
    const [program = "", ...args] = this.#expanded(this.what.command);
    const server = spawn(program, args, {
      cwd: this.#variables.DIR,
      env: this.environment(),
      stdio: "ignore",
      detached: true,
    });
    server.on("error", () => undefined);
    const pid = server.pid ?? 0;
    this.#ending.push(() => {
      for (const each of withDescendants(pid)) kill(each);
    });
    await listening(port, () => server.exitCode);
    return { pid, port };
  }

  /** Asks the server; null where its own client does. */
  async ask(): Promise<Said | null> {
    const { says, files, id } = this.what;
    const port = Number(this.#variables.PORT);
    const { ca } = this.certificates;
    if (says === "get") return ask(port, ca, files?.page === undefined ? page : "/page", null);
    if (says === "post") return (id.endsWith("http2") ? askHttp2 : ask)(port, ca, page, requestBody);
    const [program = "", ...args] = this.#expanded(says.client);
    // Not waiting for it alone: the proxy is in this process.
    await promisify(execFile)(program, args, { env: this.environment(), timeout: 20_000 });
    return null;
  }

  version(): string | null {
    const { version } = this.what;
    if (version === undefined) return null;
    const [program = "", ...args] = this.#expanded(version.command);
    const text = execFileSync(program, args, { encoding: "utf8", env: this.environment(), timeout: 20_000 });
    return version.pattern.exec(text)?.[1] ?? null;
  }

  environment(): Record<string, string> {
    const own = Object.entries(this.what.environment ?? {});
    const inherited = { PATH: `${process.env.PATH ?? ""}:/usr/sbin:/sbin`, LANG: "C.UTF-8" };
    const rust = { RUSTUP_HOME: process.env.RUSTUP_HOME ?? `${process.env.HOME ?? ""}/.rustup` };
    const rest = Object.fromEntries(own.map(([name, text]) => [name, expand(text, this.#variables)]));
    const trusted = { SSL_CERT_FILE: this.certificates.ca };
    return { ...inherited, ...rust, ...trusted, ...this.#variables, ...rest };
  }

  #prepare(port: number): void {
    this.#variables.PORT = String(port);
    this.#variables.URL = `https://localhost:${port}${page}`;
    const texts = {
      CERT_TEXT: readFileSync(this.certificates.cert, "utf8"),
      KEY_TEXT: readFileSync(this.certificates.key, "utf8"),
    };
    for (const [name, text] of Object.entries(this.what.files ?? {})) {
      writeFileSync(join(this.#variables.DIR ?? "", name), expand(text, { ...texts, ...this.#variables }));
    }
  }

  #expanded(command: readonly string[]): string[] {
    return command.map((text) => expand(text, this.#variables));
  }
}

/** The result once it is whole, or what there is after two seconds. */
export async function settled<T>(result: () => T, isWhole: (result: T) => boolean): Promise<T> {
  for (let tries = 0; tries < 20 && !isWhole(result()); tries++) await sleep(100);
  return result();
}

export function withDescendants(pid: number): number[] {
  if (pid === 0) return [];
  try {
    const text = execFileSync("ps", ["-o", "pid=", "--ppid", String(pid)], { encoding: "utf8" });
    return [pid, ...text.split(/\s+/).filter(Boolean).map(Number).flatMap(withDescendants)];
  } catch {
    return [pid]; // ps has nothing to tell: it has no children
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

async function listening(port: number, exitCode: () => number | null): Promise<void> {
  for (let tries = 0; tries < 150; tries++) {
    const code = exitCode();
    if (code !== null) throw new Error(`it ended with ${code} before it listened`);
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

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}
