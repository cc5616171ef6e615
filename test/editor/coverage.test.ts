// Coverage in a real VS Code: the workspace's service by itself, its figure in the status bar, and the support matrix,
// measured and shown in a tab.
import assert from "node:assert/strict";
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
import { inBothThemes, runCommand, statusItem, treeRow, webviewFrame } from "./workbench.ts";

const lacking = lackingForEditor();
const skip = lacking ?? false;

let rig: Rig;
let shop: Shop;

before(
  async () => {
    if (lacking !== null) return;
    shop = makeShop(await freePort());
    rig = await openEditor({ vsix: packagedExtension(), folder: shop.folder });
  },
  { timeout: 4 * patienceMs },
);
after(async () => {
  if (lacking !== null) return;
  await rig.close();
  shop.remove();
});

function inEditor(name: string, work: () => Promise<void>): void {
  test(`editor: ${name}`, { skip, timeout: 2 * patienceMs }, async () => {
    try {
      await work();
    } catch (error) {
      await screenshot(rig.page, `failed ${name}`);
      throw error;
    }
  });
}

const pictures = (name: string): Promise<void> =>
  inBothThemes(rig.page, (theme) => screenshot(rig.page, `${name} ${theme}`));
const check = "Plainsight: Check Coverage of This Workspace's Service";
const sidebar = () => rig.page.locator(".sidebar");

inEditor("a workspace of which nothing runs says what to do", async () => {
  await runCommand(rig.page, check);
  await sidebar().getByText("No process was started from this workspace's folder").waitFor();
  await sidebar().getByRole("button", { name: "Show All Processes" }).waitFor();
  await pictures("service that does not run");
});

inEditor("the workspace's service is shown alone, with its figure in the status bar", async () => {
  const service = shop.run();
  try {
    // A service that has just begun has not mapped its libraries yet.
    while ((await shop.send("GET", "/orders").catch(() => 0)) !== 200) await rig.page.waitForTimeout(100);
    await runCommand(rig.page, check);
    await treeRow(rig.page, new RegExp(`api\\.js${service.pid}(?!\\d)`)).waitFor();
    const ofTheService = sidebar().getByText("shop: 1 process with TLS, it can be traced");
    await ofTheService.waitFor();
    assert.equal(await treeRow(rig.page, /api\.js\d/).count(), 1);
    assert.equal(await treeRow(rig.page, /^Dark/).count(), 0, "others are left out");
    await statusItem(rig.page, /^TLS coverage of this workspace: 1 of 1 process with TLS/).waitFor();
    await pictures("service");
    await runCommand(rig.page, "Plainsight: Show the Coverage of All Processes");
    await ofTheService.waitFor({ state: "hidden" });
    await treeRow(rig.page, /^Traceable/).waitFor();
    await statusItem(rig.page, /^TLS coverage of this workspace: 1 of 1/).click();
    await ofTheService.waitFor();
  } finally {
    service.stop();
  }
});

inEditor("the support matrix is measured, and opens in a tab that can be sorted and filtered", async () => {
  const service = shop.run();
  const asking = setInterval(() => void shop.send("GET", "/orders").catch(() => 0), 200);
  try {
    while ((await shop.send("GET", "/orders").catch(() => 0)) !== 200) await rig.page.waitForTimeout(100);
    await runCommand(rig.page, "Plainsight: Generate Support Matrix");
    await rig.page.locator(".notification-toast", { hasText: /watching \d+ process/ }).waitFor();
    await screenshot(rig.page, "matrix being measured");
    await rig.page.locator(".notification-toast").getByRole("button", { name: "Cancel" }).click();
    await rig.page.locator(".tab", { hasText: "TLS Support Matrix" }).waitFor();
    const page = await webviewFrame(rig.page, "#picture svg");
    const row = page.locator("tr[data-verdict]", {
      has: page.getByText(String(service.pid), { exact: true }),
    });
    await row.getByText("confirmed").first().waitFor();
    await pictures("support matrix");
    await page.getByRole("searchbox").fill("nothing has this name");
    await row.waitFor({ state: "hidden" });
  } finally {
    clearInterval(asking);
    service.stop();
  }
});
