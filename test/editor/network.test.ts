// Watch TLS Connections in a real VS Code: connections that nobody traces appear in Live traffic, with what their hellos
// say and, at their end, what they carried; when the watch stops, nothing stays on the interfaces.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect } from "node:tls";
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
import { clickAction, inBothThemes, liveTrafficFrame, runCommand, statusItem, treeRow } from "./workbench.ts";

const lacking = lackingForEditor();
const skip = lacking ?? false;

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

const watches = () => statusItem(rig.page, /^Plainsight watches the network/);
const idle = () => statusItem(rig.page, /^Plainsight: nothing is being traced/);

const loopback = () => Number(readFileSync("/sys/class/net/lo/ifindex", "utf8"));

function analyzerPid(): number {
  const pid = rig.analyzerPid();
  assert.ok(pid !== null, "no analyzer runs");
  return pid;
}

inEditor(
  "connections appear with their name and fingerprint, and with what they carried once closed",
  async () => {
    const { page } = rig;
    await idle().waitFor();
    await runCommand(page, "Plainsight: Watch TLS Connections");
    await watches().waitFor();
    const frame = await liveTrafficFrame(page);
    await frame.getByText(/^Watching .*\blo\b.*: \d+ TLS connections?$/).waitFor();
    assert.ok(interfacesHeldBy(analyzerPid()).includes(loopback()), "a program is attached to lo");
    await frame.locator(".filter-input").fill(`address:${port}`);

    const ca = readFileSync(join(shop.folder, "cert.pem"));
    const client = connect({
      host: "127.0.0.1",
      port,
      ca,
      servername: "localhost",
      ALPNProtocols: ["http/1.1"],
    });
    const rows = frame.locator(".list-rows .row:visible");
    const [ofClient, ofService] = [process.pid, service.pid].map((pid) =>
      rows.filter({ hasText: new RegExp(` ${pid}(?!\\d)`) }),
    );
    assert.ok(ofClient && ofService);
    for (const row of [ofClient, ofService]) {
      await row
        .filter({ hasText: "localhost" })
        .filter({ hasText: /TLS 1\.3 · t13d\w{6}_/ })
        .waitFor();
      await row.locator(".duration", { hasText: "Open" }).waitFor();
    }
    client.end();
    await once(client, "close");
    for (const row of [ofClient, ofService]) {
      await row.locator(".duration", { hasText: /\d (ms|s|min)$/ }).waitFor();
      await row.locator(".size", { hasText: /\d k?B$/ }).waitFor();
    }

    const url = `https://localhost:${port}/orders`;
    const curl = execFile("curl", ["-sS", "--cacert", join(shop.folder, "cert.pem"), url]);
    await once(curl, "exit");
    await rows
      .filter({ hasText: new RegExp(`curl ${curl.pid ?? ""}(?!\\d)`) })
      .locator(".size", { hasText: /\d k?B$/ })
      .waitFor();

    await ofClient.click();
    await frame.getByText(/^Bytes out/).waitFor();
    await frame
      .getByText(/^[\d.]+ k?B \([\d,]+ bytes, with what TLS adds\)$/)
      .first()
      .waitFor();
    await inBothThemes(page, (theme) => screenshot(page, `network ${theme}`));
    await frame.locator(".filter-input").fill("");
  },
);

inEditor("a connection whose other end is traced leads to its content", async () => {
  const { page } = rig;
  await runCommand(page, "Plainsight: Show Coverage");
  const row = treeRow(page, new RegExp(`api\\.js${service.pid}`));
  const traces = statusItem(page, new RegExp(`^Plainsight traces node ${service.pid}`));
  await clickAction(row, "Trace Process", traces);
  const frame = await liveTrafficFrame(page);
  // Whose a row is, is shown where there is room.
  await frame.getByRole("button", { name: "Close (Escape)" }).click();
  await frame.locator(".filter-input").fill(`address:${port}`);
  const url = `https://localhost:${port}/orders`;
  const curl = execFile("curl", ["-sS", "--cacert", join(shop.folder, "cert.pem"), url]);
  await once(curl, "exit");
  const rows = frame.locator(".list-rows .row:visible");
  const ofCurl = rows.filter({ hasText: `curl ${curl.pid ?? ""}` });
  await ofCurl.locator(".size", { hasText: /\d k?B$/ }).waitFor();
  await rows.filter({ hasText: "/orders" }).waitFor();
  await ofCurl.click();
  await frame.getByText("This connection is decrypted, too: 1 row of the list is its content.").waitFor();
  await screenshot(page, "network decrypted");
  await frame.getByRole("button", { name: "Show", exact: true }).click();
  await rows.filter({ hasText: "/orders" }).waitFor();
  await clickAction(row, "Stop Tracing", watches());
});

inEditor("the watch stops, with nothing left on the interfaces, and rows stay", async () => {
  const { page } = rig;
  const frame = await liveTrafficFrame(page);
  await runCommand(page, "Plainsight: Stop Watching TLS Connections");
  await idle().waitFor();
  await frame.getByText("Nothing is traced", { exact: true }).waitFor();
  await frame.locator(".list-rows .row:visible").first().waitFor();
  assert.deepStrictEqual(interfacesHeldBy(analyzerPid()), []);
});

inEditor(
  "a process whose plaintext is not seen offers the watch on its row, and the view's title ends it",
  async () => {
    const { page } = rig;
    await runCommand(page, "Plainsight: Show Coverage");
    // The browser that shows this.
    const row = treeRow(page, /chrom.*\d+/).first();
    await clickAction(row, "Watch TLS Connections", watches());
    await row.hover();
    await screenshot(page, "network coverage");
    await page.locator(".sidebar").getByRole("button", { name: "Stop Watching TLS Connections" }).click();
    await idle().waitFor();
  },
);

/** Indexes of the interfaces at which a process, or a child of it, holds a program: the kernel's own word. */
function interfacesHeldBy(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    read(`/proc/${pid}/task/${task}/children`).split(" ").filter(Boolean).map(Number),
  );
  const held = readdirSync(`/proc/${pid}/fdinfo`).flatMap((descriptor) => {
    const link = read(`/proc/${pid}/fdinfo/${descriptor}`);
    return /^link_type:\s*(tcx|xdp)$/m.test(link) ? Number(/^ifindex:\s*(\d+)$/m.exec(link)?.[1]) : [];
  });
  return [...held, ...children.flatMap(interfacesHeldBy)];
}

/** Empty where it has just gone. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
