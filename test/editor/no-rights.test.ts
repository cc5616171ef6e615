// What the extension says in an editor that has no rights for eBPF: coverage goes on, and what is missing is said once,
// with what to do about it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
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
  inBothThemes,
  liveTrafficFrame,
  runCommand,
  statusItem,
  treeRow,
} from "./workbench.ts";

const lacking = lackingForEditor();
const skip = lacking ?? false;

let rig: Rig;
let shop: Shop;
let port: number;

before(
  async () => {
    if (lacking !== null) return;
    port = await freePort();
    shop = makeShop(port);
    // The proxy verifies servers by the roots of its environment.
    const env = { NODE_EXTRA_CA_CERTS: join(shop.folder, "cert.pem") };
    rig = await openEditor({ vsix: packagedExtension(), folder: shop.folder, withoutRights: true, env });
  },
  { timeout: 4 * patienceMs },
);
after(async () => {
  if (lacking !== null) return;
  await rig.close();
  shop.remove();
});

test(
  "editor without rights: the Coverage tree says what is missing, and goes on",
  { skip, timeout: 2 * patienceMs },
  async () => {
    await statusItem(rig.page, /^Plainsight/).waitFor();
    await runCommand(rig.page, "Plainsight: Show Coverage");
    await treeRow(rig.page, /^(Dark|No TLS|Skipped)/)
      .first()
      .waitFor();
    await treeRow(rig.page, /Running processes cannot be traced/).waitFor();
    await statusItem(rig.page, /^Plainsight is not tracing: .*CAP_BPF/).waitFor();
    assert.equal(
      await treeRow(rig.page, /^Traceable/).count(),
      0,
      "nothing is called traceable that cannot be traced",
    );
    await inBothThemes(rig.page, (theme) => screenshot(rig.page, `no-rights-${theme}`));
  },
);

test(
  "editor without rights: debugging works, and says in the status bar alone that it is not traced",
  { skip, timeout: 2 * patienceMs },
  async () => {
    await rig.page.keyboard.press("F5");
    await rig.page.locator(".debug-toolbar").waitFor();
    await treeRow(rig.page, /api\.js/)
      .first()
      .waitFor();
    await statusItem(rig.page, /^Plainsight is not tracing/).waitFor();
    assert.equal(await rig.page.locator(".notification-toast").count(), 0);
    await treeRow(rig.page, /Running processes cannot be traced/).click();
    await rig.page.locator(".notification-toast", { hasText: "Plainsight:" }).waitFor();
  },
);

test(
  "editor without rights: the network is not watched, and why is said with what helps",
  { skip, timeout: 2 * patienceMs },
  async () => {
    await runCommand(rig.page, "Notifications: Clear All Notifications");
    await runCommand(rig.page, "Plainsight: Watch TLS Connections");
    await rig.page.locator(".notification-toast", { hasText: /Plainsight:.*CAP_BPF/ }).waitFor();
    await runCommand(rig.page, "Plainsight: Show Live Traffic");
    const frame = await liveTrafficFrame(rig.page);
    await frame.getByText(/CAP_BPF/).waitFor();
    await screenshot(rig.page, "no-rights-network");
  },
);

test(
  "editor without rights: what is started through the proxy is seen, which is offered where tracing is not possible",
  { skip, timeout: 2 * patienceMs },
  async () => {
    const { page } = rig;
    await runCommand(page, "Debug: Stop");
    await page.locator(".debug-toolbar").waitFor({ state: "hidden" });
    const service = shop.run();
    try {
      while ((await shop.send("GET", "/orders").catch(() => 0)) !== 200) await page.waitForTimeout(100);
      await runCommand(page, "Notifications: Clear All Notifications");
      await runCommand(page, "Plainsight: Show Coverage");
      // The editor's own server: what has more rights than the editor cannot be looked at.
      const row = treeRow(page, /node entry\.js/);
      await row.hover();
      await row.getByRole("button", { name: "Trace Through the Proxy" }).waitFor();
      await runCommand(page, "Plainsight: Trace Process");
      const toast = page.locator(".notification-toast", { hasText: /Plainsight:/ });
      await toast.waitFor();
      await screenshot(page, "no-rights-trace");
      await toast.getByRole("button", { name: "Trace Through the Proxy" }).click();
      await chooseForProxy(page, "A New Terminal");
      await statusItem(page, /^Plainsight traces \w+ \d+/).waitFor();
      await page.locator(".terminal-wrapper.active .xterm-screen").click();
      await page.keyboard.type(`curl -sS https://localhost:${port}/without-rights\n`);
      const frame = await liveTrafficFrame(page);
      await frame.locator(".list-rows .row:visible", { hasText: "/without-rights" }).first().waitFor();
      await screenshot(page, "no-rights-proxy");
    } catch (error) {
      await screenshot(page, "failed no rights proxy");
      throw error;
    } finally {
      service.stop();
    }
  },
);
