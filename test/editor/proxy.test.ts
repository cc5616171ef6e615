// Trace Through the Proxy in a real VS Code: a launch configuration is started so that it trusts the proxy, and what it
// says is shown as that of any debugged program.
import { spawn } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { runtimes } from "../../scripts/runtimes.mjs";
import { skipReason } from "../kernel/rig.ts";
import {
  freePort,
  lackingForEditor,
  openEditor,
  packagedExtension,
  patienceMs,
  screenshot,
  type Rig,
} from "./rig.ts";
import { makeShop, type Shop } from "./shop.ts";
import {
  chooseForProxy,
  clickAction,
  liveTrafficFrame,
  runCommand,
  statusItem,
  treeRow,
} from "./workbench.ts";

const lacking = lackingForEditor();
const skip = lacking ?? false;
const needsBun = existsSync(runtimes.bun) ? [] : [runtimes.bun];

/** Asks again and again, and says who signed the certificate that it met. */
const client = `import https from "node:https";
const ask = (path) => {
  const request = https.get({ host: "localhost", port: process.env.PORT, path, agent: false }, (response) => {
    const { issuer } = response.socket.getPeerCertificate();
    response.resume();
    setTimeout(ask, 300, "/signed-by/" + encodeURIComponent(issuer.O ?? "another"));
  });
  request.on("error", () => setTimeout(ask, 300, path));
};
ask("/first");
`;

const parent = `import { spawn } from "node:child_process";
const script = "await new Promise((resolve) => setTimeout(resolve, 3000))";
// The first may begin before its parent is traced.
setInterval(() => spawn(process.env.BUN, ["-e", script], { stdio: "ignore" }), 1000);
`;

/** Bun with an OpenSSL that it loads itself, beside its own BoringSSL, which no probe reaches. */
const inPart = `import { dlopen } from "bun:ffi";
dlopen("libssl.so.3", { TLS_client_method: { args: [], returns: "ptr" } });
setInterval(() => undefined, 1000);
`;

let rig: Rig;
let shop: Shop;
let service: ReturnType<Shop["run"]>;
let port: number;

before(
  async () => {
    if (lacking !== null) return;
    port = await freePort();
    shop = makeShop(port);
    service = shop.run();
    writeFileSync(join(shop.folder, "client.js"), client);
    const configuration = {
      type: "node",
      request: "launch",
      name: "Client",
      program: "${workspaceFolder}/client.js",
      cwd: "${workspaceFolder}",
      runtimeExecutable: process.execPath,
      console: "internalConsole",
      env: { PORT: String(port), NODE_EXTRA_CA_CERTS: join(shop.folder, "cert.pem") },
    };
    // Its child is one that no probe reaches.
    writeFileSync(join(shop.folder, "parent.js"), parent);
    const program = "${workspaceFolder}/parent.js";
    const env = { BUN: runtimes.bun, NODE_EXTRA_CA_CERTS: join(shop.folder, "cert.pem") };
    const ofParent = { ...configuration, name: "Parent", program, env };
    const launch = { version: "0.2.0", configurations: [configuration, ofParent] };
    writeFileSync(join(shop.folder, ".vscode/launch.json"), JSON.stringify(launch));
    rig = await openEditor({ vsix: packagedExtension(), folder: shop.folder });
  },
  { timeout: 4 * patienceMs },
);
after(async () => {
  if (lacking !== null) return;
  await rig.close();
  service.stop();
  shop.remove();
});

test(
  "editor: what would show a debugged process's child that no probe reaches is offered, once",
  { skip: skip || skipReason(...needsBun), timeout: 2 * patienceMs },
  async () => {
    const { page } = rig;
    try {
      await statusItem(page, /^Plainsight/).waitFor();
      await runCommand(page, "Debug: Select and Start Debugging");
      await page.locator(".quick-input-list .monaco-list-row", { hasText: "Parent" }).click();
      const toast = page.locator(".notification-toast", { hasText: /is not seen by probes: BoringSSL/ });
      await toast.waitFor();
      await toast.getByRole("button", { name: "Trace Through the Proxy" }).waitFor();
      await screenshot(page, "uncovered-offer");
      await toast.getByRole("button", { name: "Watch TLS Connections" }).click();
      const frame = await liveTrafficFrame(page);
      await frame.getByText(/Watching .*\blo\b/).waitFor();
      await runCommand(page, "Plainsight: Stop Watching TLS Connections");
      await runCommand(page, "Debug: Stop");
      await statusItem(page, /^Plainsight: nothing is being traced/).waitFor();
    } catch (error) {
      await screenshot(page, "failed uncovered offer");
      throw error;
    }
  },
);

test(
  "editor: a process of which probes show a part is offered in the list and on its row, with what they do not show",
  { skip: skip || skipReason(...needsBun), timeout: 2 * patienceMs },
  async () => {
    const { page } = rig;
    const script = join(shop.folder, "in-part.js");
    writeFileSync(script, inPart);
    const bun = spawn(runtimes.bun, [script], { stdio: "ignore" });
    try {
      while (!readFileSync(`/proc/${bun.pid ?? 0}/maps`, "utf8").includes("libssl.so.3")) await delay(100);
      await runCommand(page, "Plainsight: Trace Process");
      const choice = page.locator(".quick-input-list .monaco-list-row", {
        hasText: new RegExp(`${bun.pid ?? ""} · only OpenSSL.*, not BoringSSL.*For BoringSSL: `),
      });
      await choice.waitFor();
      await screenshot(page, "picker-in-part");
      await page.keyboard.press("Escape");
      await runCommand(page, "Plainsight: Show Coverage");
      const row = treeRow(page, new RegExp(`in-part\\.js${bun.pid ?? ""}(?!\\d)`));
      await row.hover();
      await row.getByRole("button", { name: "Trace Through the Proxy" }).waitFor();
      await row.getByRole("button", { name: "Watch TLS Connections" }).waitFor();
      await screenshot(page, "coverage-in-part");
      await clickAction(
        row,
        "Trace Process",
        statusItem(page, new RegExp(`^Plainsight traces bun ${bun.pid ?? ""}`)),
      );
      await clickAction(row, "Stop Tracing", statusItem(page, /^Plainsight: nothing is being traced/));
    } catch (error) {
      await screenshot(page, "failed in part");
      throw error;
    } finally {
      bun.kill();
    }
  },
);

test(
  "editor: a launch configuration is traced through the proxy, and stops with its session",
  { skip, timeout: 2 * patienceMs },
  async () => {
    const { page } = rig;
    try {
      await statusItem(page, /^Plainsight/).waitFor();
      await runCommand(page, "Plainsight: Trace Through the Proxy");
      await chooseForProxy(page, "Client", () => screenshot(page, "proxy-choice"));
      await page.locator(".debug-toolbar").waitFor();
      await statusItem(page, /^Plainsight traces node \d+, [1-9]\d* exchanges/).waitFor();
      const frame = await liveTrafficFrame(page);
      await frame.locator(".list-rows .row:visible", { hasText: "/signed-by/Plainsight" }).first().waitFor();
      await screenshot(page, "proxy-traffic");
      await runCommand(page, "Debug: Stop");
      await statusItem(page, /^Plainsight: nothing is being traced/).waitFor();
    } catch (error) {
      await screenshot(page, "failed proxy");
      throw error;
    }
  },
);

// Its proxy verifies the shop by what the launch configuration of the test before it brought.
test(
  "editor: what is started in a terminal is traced through the proxy",
  { skip, timeout: 2 * patienceMs },
  async () => {
    const { page } = rig;
    try {
      await runCommand(page, "Plainsight: Trace Through the Proxy");
      await chooseForProxy(page, "A New Terminal");
      await statusItem(page, /^Plainsight traces \w+ \d+/).waitFor();
      await page.locator(".terminal-wrapper.active .xterm-screen").click();
      await page.keyboard.type(`curl -sS https://localhost:${port}/from-the-terminal\n`);
      const frame = await liveTrafficFrame(page);
      await frame.locator(".list-rows .row:visible", { hasText: "/from-the-terminal" }).first().waitFor();
      await screenshot(page, "proxy-terminal");
    } catch (error) {
      await screenshot(page, "failed proxy terminal");
      throw error;
    }
  },
);
