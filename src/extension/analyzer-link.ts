// The analyzer's process (`plainsight lsp`) and the link to it: started when first needed, and again, a few times, when
// it ends by itself. What is said over the link is analyzer.ts's.
import { execFile } from "node:child_process";
import type { CancellationToken, LogOutputChannel } from "vscode";
import { CloseAction, ErrorAction, LanguageClient, State, type Executable } from "vscode-languageclient/node";
import { chooseNode } from "./node-choice.ts";
import { readSettings } from "./settings.ts";

export type Tell = (method: string, params: unknown) => Promise<void>;

export interface AnalyzerLinkEvents {
  /** It listens; `isAgain` where one before it ended by itself. */
  started(tell: Tell, isAgain: boolean): Promise<void>;
  /** It ended by itself, and with it all that it did. */
  ended(): void;
  /** Null when it runs, else why it does not. */
  availability(reason: string | null): void;
}

/** How often the analyzer may end by itself before it is left ended. */
const restartLimit = 3;

export class AnalyzerLink {
  readonly #cliPath: string;
  readonly #output: LogOutputChannel;
  readonly #events: AnalyzerLinkEvents;
  readonly #listeners: ((client: LanguageClient) => void)[] = [];
  #client: Promise<LanguageClient> | null = null;
  #restarts = 0;

  constructor(cliPath: string, output: LogOutputChannel, events: AnalyzerLinkEvents) {
    this.#cliPath = cliPath;
    this.#output = output;
    this.#events = events;
  }

  get isStarted(): boolean {
    return this.#client !== null;
  }

  /** Hears what the analyzer says by itself, with the parameters that its method has. */
  listen(method: string, heard: (params: never) => void): void {
    this.#listeners.push((client) => {
      client.onNotification(method, heard as (params: unknown) => void);
    });
  }

  /** Starts the analyzer where none runs. Rejects, and the output has it, when that fails or the analyzer refuses. */
  async ask<Result>(method: string, params: unknown, token?: CancellationToken): Promise<Result> {
    this.#client ??= this.#start();
    const starting = this.#client;
    try {
      return await (await starting).sendRequest<Result>(method, params, token);
    } catch (error) {
      this.#output.error(`${method}: ${messageOf(error)}`);
      throw error;
    }
  }

  /** Tells it to an analyzer that runs; one that does not will ask when it starts. */
  async tell(method: string, params: unknown): Promise<void> {
    const client = await this.#client?.catch(() => null);
    await client?.sendNotification(method, params);
  }

  async stop(): Promise<void> {
    const client = await this.#client?.catch(() => null);
    this.#client = null;
    await client?.stop(5000);
  }

  async #start(): Promise<LanguageClient> {
    try {
      const client = await this.#makeClient();
      await client.start();
      return client;
    } catch (error) {
      // The next request tries again: the reason may be a setting that the user mends.
      this.#client = null;
      this.#events.availability(messageOf(error));
      throw error;
    }
  }

  async #makeClient(): Promise<LanguageClient> {
    const node = await chooseNode({
      configured: readSettings().nodePath,
      searchPath: process.env.PATH ?? "",
      editorExecutable: process.execPath,
      versionOf,
    });
    this.#output.info(`the analyzer runs on ${node.command}: ${node.why}`);
    const server: Executable = {
      command: node.command,
      args: [this.#cliPath, "lsp"],
      options: { env: { ...process.env, ...node.env } },
    };
    const client = new LanguageClient("plainsight", "Plainsight", server, {
      outputChannel: this.#output,
      initializationFailedHandler: () => false,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }),
        closed: () => ({ action: this.#closed(), handled: true }),
      },
    });
    for (const listen of this.#listeners) listen(client);
    client.onDidChangeState(({ newState }) => {
      if (newState !== State.Running) return;
      this.#events.availability(null);
      void this.#events.started(
        (method, params) => client.sendNotification(method, params),
        this.#restarts > 0,
      );
    });
    return client;
  }

  #closed(): CloseAction {
    this.#events.ended();
    this.#restarts += 1;
    if (this.#restarts <= restartLimit) {
      this.#output.warn("the analyzer ended; starting it again");
      return CloseAction.Restart;
    }
    this.#client = null;
    this.#restarts = 0;
    this.#events.availability("the analyzer ended several times");
    return CloseAction.DoNotRestart;
  }
}

/** What `FILE --version` prints, or null when it cannot be run. */
function versionOf(file: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(file, ["--version"], { timeout: 5000 }, (error, stdout) => {
      resolve(error ? null : stdout);
    });
  });
}

/** The error's own words. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
