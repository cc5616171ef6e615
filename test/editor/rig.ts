// A real VS Code for the tests: code-server with the packaged extension installed, and Chromium showing it. Everything
// it writes is in one temporary folder, and everything it starts ends with `close`.
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { chromium, type Browser, type Page } from "playwright-core";
import { chromiumPath, installRig } from "../../scripts/editor-rig.mjs";

/** Starting takes 16 s on a busy machine; no wait is longer than this. */
export const patienceMs = 60_000;

const root = new URL("../..", import.meta.url).pathname;

export interface Rig {
  page: Page;
  /** What the page said on its console as an error, content security policy included. */
  errors: string[];
  /** The pid of the analyzer that this editor started, or null. */
  analyzerPid(): number | null;
  close(): Promise<void>;
}

/** Why this machine cannot run the editor's tests, or null. Where nothing may be skipped, that is an error. */
export function lackingForEditor(): string | null {
  const lacking =
    process.getuid?.() !== 0
      ? "not root: tracing needs rights for eBPF"
      : chromiumPath() === undefined
        ? "no Chromium (apt-get install chromium)"
        : null;
  if (lacking !== null && process.env.CI === "true") throw new Error(`editor tests cannot run: ${lacking}`);
  return lacking;
}

/** Writes a picture of the page into the ignored folder beside this file. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(import.meta.dirname, "screenshots", `${name}.png`) });
}

/** The package under test: that of PLAINSIGHT_VSIX, else a fresh one. */
export function packagedExtension(): string {
  if (process.env.PLAINSIGHT_VSIX) return process.env.PLAINSIGHT_VSIX;
  const made = spawnSync(process.execPath, ["scripts/package.mjs"], { cwd: root, encoding: "utf8" });
  if (made.status !== 0) throw new Error(`package the extension: ${made.stderr}`);
  const name = readdirSync(root).find((file) => file.endsWith(".vsix"));
  if (name === undefined) throw new Error(`package the extension: it made no .vsix: ${made.stdout}`);
  return join(root, name);
}

export interface EditorOptions {
  vsix: string;
  folder: string;
  /** Runs the editor, and all that it starts, without any capability. */
  withoutRights?: boolean;
  /** Added to the environment of the editor and of all that it starts. */
  env?: Record<string, string>;
}

/** Opens the folder in an editor that has the extension. */
export async function openEditor({
  vsix,
  folder,
  withoutRights = false,
  env: added = {},
}: EditorOptions): Promise<Rig> {
  const { node, codeServer, chromium: executablePath } = installRig();
  const home = mkdtempSync(join(tmpdir(), "plainsight-editor-"));
  const opened: { server?: ChildProcess; browser?: Browser } = {};
  const close = async (): Promise<void> => {
    await opened.browser?.close();
    if (opened.server) await endGroup(opened.server);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    mkdirSync(join(home, "data/User"), { recursive: true });
    writeFileSync(join(home, "data/User/settings.json"), JSON.stringify(settings, null, 2));

    const entry = join(codeServer, "out/node/entry.js");
    const folders = ["--user-data-dir", join(home, "data"), "--extensions-dir", join(home, "extensions")];
    const env = {
      PATH: process.env.PATH,
      HOME: home,
      LANG: "C.UTF-8",
      EXTENSIONS_GALLERY: '{"serviceUrl":""}',
      ...added,
    };
    const install = [entry, ...folders, "--install-extension", vsix];
    const installed = spawnSync(node, install, { env, encoding: "utf8", timeout: patienceMs });
    if (installed.status !== 0) throw new Error(`install ${vsix}: ${installed.stdout}${installed.stderr}`);

    const port = await freePort();
    const command = [node, entry, ...folders, ...serverArguments(home, port), folder];
    const noRights = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"];
    const [program = "", ...words] = withoutRights ? [...noRights, ...command] : command;
    opened.server = spawn(program, words, { env, stdio: "ignore", detached: true });
    await healthy(`http://127.0.0.1:${port}/healthz`);

    opened.browser = await chromium.launch({ executablePath, args: chromiumArguments });
    const page = await opened.browser.newPage({ viewport: { width: 1440, height: 900 } });
    page.setDefaultTimeout(patienceMs);
    const errors: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") errors.push(message.text());
    });
    await page.goto(`http://127.0.0.1:${port}/?folder=${encodeURIComponent(folder)}`);
    await page.locator(".monaco-workbench").waitFor();
    return { page, errors, analyzerPid: () => pidOf(join(home, "extensions"), "cli.js", "lsp"), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

function serverArguments(home: string, port: number): string[] {
  return [
    ...["--auth", "none", "--bind-addr", `127.0.0.1:${port}`, "--config", join(home, "config.yaml")],
    ...["--session-socket", join(home, "s.sock"), "--reconnection-grace-time", "2"],
    "--disable-telemetry",
    "--disable-update-check",
    "--disable-workspace-trust",
    "--disable-getting-started-override",
  ];
}

const chromiumArguments = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const settings = {
  "workbench.colorTheme": "Default Dark Modern",
  "workbench.startupEditor": "none",
  "workbench.tips.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "workbench.layoutControl.enabled": false,
  "window.commandCenter": false,
  "chat.disableAIFeatures": true,
  "git.enabled": false,
  "editor.minimap.enabled": false,
  "extensions.ignoreRecommendations": true,
  "debug.internalConsoleOptions": "neverOpen",
  "typescript.disableAutomaticTypeAcquisition": true,
};

async function healthy(url: string): Promise<void> {
  const deadline = Date.now() + patienceMs;
  while (
    !(await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    ))
  ) {
    if (Date.now() > deadline) throw new Error(`start code-server: no answer at ${url}`);
    await delay(100);
  }
}

/** The process one of whose arguments is below the folder, and that has these words too. */
function pidOf(folder: string, ...words: string[]): number | null {
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    let line = "";
    try {
      line = readFileSync(`/proc/${name}/cmdline`, "utf8");
    } catch {
      continue; // it has just ended
    }
    if ([folder, ...words].every((word) => line.includes(word))) return Number(name);
  }
  return null;
}

/** Ends a process and all that it started; the extension host is one of them. */
async function endGroup(leader: ChildProcess): Promise<void> {
  if (leader.pid === undefined || leader.exitCode !== null) return;
  const exited = once(leader, "exit");
  process.kill(-leader.pid, "SIGTERM");
  const isGone = await Promise.race([exited.then(() => true), delay(5000, false)]);
  if (!isGone) process.kill(-leader.pid, "SIGKILL");
  await exited;
}
