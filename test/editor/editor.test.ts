// The main job in a real VS Code with the packaged extension: debug a service, see its exchanges beside the code, look
// at one, filter, pause, stop. One editor for the file; its tests build on each other.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Frame } from "playwright-core";
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
  clickAction,
  inBothThemes,
  liveTrafficFrame,
  openFile,
  runCommand,
  statusItem,
  treeRow,
} from "./workbench.ts";

const lacking = lackingForEditor();
const skip = lacking ?? false;

let rig: Rig;
let shop: Shop;
let frame: Frame;
let isBroken = false;

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

/** A test with the editor; a failing one leaves a picture of what the user would have seen. */
function inEditor(name: string, work: () => Promise<void>): void {
  test(`editor: ${name}`, { skip, timeout: 2 * patienceMs }, async () => {
    assert.ok(!isBroken, "an earlier test failed, and this one builds on it");
    try {
      await work();
    } catch (error) {
      isBroken = true;
      await screenshot(rig.page, `failed ${name}`);
      throw error;
    }
  });
}

/** More than fits into one batch to the editor. */
const burst = 3000;

/** Sends a request as soon as the service listens. */
async function answer(method: string, path: string): Promise<number> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    try {
      return await shop.send(method, path);
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(100);
    }
  }
}

/** The rows of the list, as text. */
const rows = () => frame.locator(".list-rows .row:visible");

async function pictures(name: string): Promise<void> {
  await inBothThemes(rig.page, (theme) => screenshot(rig.page, `${name}-${theme}`));
}

inEditor("the status bar says that nothing is traced", async () => {
  await statusItem(rig.page, /^Plainsight: nothing is being traced/).waitFor();
});

inEditor("the Coverage tree shows the host's processes by verdict", async () => {
  await runCommand(rig.page, "Plainsight: Show Coverage");
  await treeRow(rig.page, /^Traceable/).waitFor();
  await treeRow(rig.page, /^(Metadata Only|No TLS)/)
    .first()
    .waitFor();
  await pictures("coverage");
});

inEditor("debugging traces the process by itself", async () => {
  await openFile(rig.page, "api.js");
  await rig.page.keyboard.press("F5");
  await rig.page.locator(".debug-toolbar").waitFor();
  await statusItem(rig.page, /^Plainsight traces node \d+, 0 exchanges/).waitFor();
});

inEditor("its exchanges appear beside the code, in the order in which they came", async () => {
  assert.deepStrictEqual(
    [
      await answer("GET", "/orders"),
      await shop.send("POST", "/orders", { item: "teapot", quantity: 2 }),
      await shop.send("GET", "/coffee"),
    ],
    [200, 201, 404],
  );
  frame = await liveTrafficFrame(rig.page);
  await rows().nth(2).waitFor();
  const [statuses, methods, paths] = await Promise.all(
    ["status", "method", "path"].map((name) => rows().locator(`.cell.${name}`).allInnerTexts()),
  );
  const cells = statuses?.map((status, at) => [status, methods?.[at], paths?.[at]]);
  assert.deepStrictEqual(cells, [
    ["200", "GET", "/orders"],
    ["201", "POST", "/orders"],
    ["404", "GET", "/coffee"],
  ]);
  assert.equal(await rig.page.locator(".editor-group-container").count(), 2, "it opens beside the code");
  await statusItem(rig.page, /^Plainsight traces node \d+, 3 exchanges/).waitFor();
});

inEditor("the detail shows headers and bodies whole, and masks secrets", async () => {
  await rows().nth(1).click();
  const panel = frame.locator("#detail-panel");
  await panel.getByText("application/json").first().waitFor();
  assert.match(await panel.innerText(), /authorization/i);
  assert.doesNotMatch(await panel.innerText(), /not-for-your-eyes/);
  await frame.getByRole("tab", { name: "Request" }).click();
  await panel.getByText("teapot").first().waitFor();
  await frame.getByRole("tab", { name: "Response" }).click();
  await panel.getByText("quantity").first().waitFor();
  await pictures("live-traffic");
});

inEditor("the filter leaves what fits", async () => {
  await frame.locator(".filter-input").fill("status:4xx");
  await rows().filter({ hasText: "/orders" }).first().waitFor({ state: "hidden" });
  assert.deepStrictEqual(await rows().locator(".cell.path").allInnerTexts(), ["/coffee"]);
  await frame.locator(".filter-input").fill("");
  await rows().nth(2).waitFor();
});

inEditor("pausing holds back what comes, and resuming shows it", async () => {
  await frame.getByRole("button", { name: /^Pause/ }).click();
  await shop.send("GET", "/tea");
  await frame.getByText("1 new").waitFor();
  assert.equal(await rows().filter({ hasText: "/tea" }).count(), 0);
  await frame.getByRole("button", { name: /^Resume/ }).click();
  await rows().filter({ hasText: "/tea" }).waitFor();
});

inEditor("the Coverage tree marks the process as traced", async () => {
  const row = treeRow(rig.page, /api\.js/).first();
  await row.waitFor();
  assert.match((await row.getAttribute("aria-label")) ?? "", /being traced/);
});

inEditor("the panel comes back, with its rows, after it was hidden", async () => {
  await rig.page.locator(".tab", { hasText: "Live Traffic" }).click();
  await openFile(rig.page, "package.json");
  await rig.page.locator(".tab", { hasText: "Live Traffic" }).click();
  frame = await liveTrafficFrame(rig.page);
  await rows().filter({ hasText: "/tea" }).waitFor();
});

inEditor("the trace stops with the debug session", async () => {
  await runCommand(rig.page, "Debug: Stop");
  await rig.page.locator(".debug-toolbar").waitFor({ state: "hidden" });
  await statusItem(rig.page, /^Plainsight: nothing is being traced/).waitFor();
});

inEditor("the panel survives a reload of the window, and says what became of its rows", async () => {
  // By the editor's own command, which keeps what is open; a reload of the page may come before it was kept.
  await Promise.all([rig.page.waitForEvent("load"), runCommand(rig.page, "Developer: Reload Window")]);
  await statusItem(rig.page, /^Plainsight/).waitFor();
  await rig.page.locator(".tab", { hasText: "Live Traffic" }).click();
  frame = await liveTrafficFrame(rig.page);
  await frame.getByRole("button", { name: /^Pause/ }).waitFor();
  await frame.getByRole("heading", { name: "Earlier rows were not kept" }).waitFor();
  await pictures("live-traffic-reloaded");
});

inEditor(
  "a process is traced and stopped from the tree, and a burst of its traffic is counted whole",
  async () => {
    const service = shop.run();
    try {
      await runCommand(rig.page, "Plainsight: Refresh Coverage");
      const row = treeRow(rig.page, new RegExp(`api\\.js${service.pid}(?!\\d)`));
      await clickAction(
        row,
        "Trace Process",
        statusItem(rig.page, new RegExp(`^Plainsight traces node ${service.pid}`)),
      );
      assert.equal(await answer("GET", "/orders"), 200);
      await rows().filter({ hasText: "/orders" }).waitFor();
      await shop.burst(burst);
      await statusItem(rig.page, new RegExp(`, ${burst + 1} exchanges, nothing lost`)).waitFor();
      await clickAction(row, "Stop Tracing", statusItem(rig.page, /^Plainsight: nothing is being traced/));
    } finally {
      service.stop();
    }
  },
);

inEditor("an analyzer that dies is started again", async () => {
  const before = rig.analyzerPid();
  assert.notEqual(before, null);
  process.kill(before ?? 0, "SIGKILL");
  const deadline = Date.now() + patienceMs;
  for (let pid = rig.analyzerPid(); pid === null || pid === before; pid = rig.analyzerPid()) {
    assert.ok(Date.now() < deadline, "no analyzer was started again");
    await delay(100);
  }
  await runCommand(rig.page, "Plainsight: Refresh Coverage");
  await treeRow(rig.page, /^Traceable/).waitFor();
});

inEditor("nothing that Plainsight shows breaks its content security policy", () => {
  const violations = rig.errors.filter(
    (text) => /Content Security Policy/i.test(text) && /plainsight/i.test(text),
  );
  assert.deepStrictEqual(violations, []);
  return Promise.resolve();
});
