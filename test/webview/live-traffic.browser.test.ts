// The Live traffic view in a real Chromium, built as it ships and under the extension's content security policy; the
// harness plays the extension. Skips aloud where Chromium is missing, and fails there with CI=true.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { startHarness, type HarnessServer } from "./harness-server.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const missing = existsSync(executablePath)
  ? false
  : `no Chromium at ${executablePath}: install it (apt-get install chromium) or set CHROMIUM`;

if (missing !== false && process.env.CI === "true") {
  test("live traffic: Chromium is there to test in", () => {
    assert.fail(missing);
  });
}

/** What the roles of a page must keep to; gives a sentence for each breach. Runs in the page. */
const ariaCheck = `(() => {
  const breaches = [];
  const shown = (element) => element.checkVisibility();
  const parents = { row: ["grid", "rowgroup"], gridcell: ["row"], columnheader: ["row"], tab: ["tablist"], treeitem: ["tree"] };
  const required = { grid: ["aria-label", "aria-rowcount"], row: ["aria-rowindex"], tab: ["aria-selected", "aria-controls"],
    tabpanel: ["aria-labelledby"], separator: ["aria-valuenow", "aria-orientation"], treeitem: ["aria-level"] };
  const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) breaches.push("two elements have the id " + id);
  for (const element of document.querySelectorAll("button, input, select")) {
    const name = element.getAttribute("aria-label") ?? element.textContent;
    if (shown(element) && name.trim() === "") breaches.push("no name: " + element.outerHTML);
  }
  for (const element of document.querySelectorAll("[role]")) {
    if (!shown(element)) continue;
    const role = element.getAttribute("role");
    for (const attribute of required[role] ?? []) {
      if (!element.hasAttribute(attribute)) breaches.push(role + " lacks " + attribute);
    }
    let parent = element.parentElement;
    while (parent && (!parent.hasAttribute("role") || parent.getAttribute("role") === "none")) parent = parent.parentElement;
    const expected = parents[role];
    if (expected && !expected.includes(parent?.getAttribute("role"))) breaches.push(role + " stands outside " + expected);
  }
  for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "aria-activedescendant"]) {
    for (const element of document.querySelectorAll("[" + attribute + "]")) {
      for (const id of element.getAttribute(attribute).split(" ")) {
        if (shown(element) && !document.getElementById(id)) breaches.push(attribute + " leads nowhere: " + id);
      }
    }
  }
  return breaches;
})()`;

describe("live traffic in Chromium", { skip: missing, timeout: 120_000 }, () => {
  let server: HarnessServer;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  before(async () => {
    server = await startHarness();
    browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--disable-gpu", "--disable-quic"],
    });
  });

  after(async () => {
    await browser.close();
    await server.close();
  });

  afterEach(async () => {
    await context.close();
  });

  beforeEach(async () => {
    complaints = [];
    context = await browser.newContext({ viewport: { width: 1000, height: 600 } });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
  });

  const open = async (query: string): Promise<void> => {
    await page.goto(`${server.url}?${query}`);
    await page.locator(".toolbar").waitFor();
  };
  /** Whatever else a test says: the page has not complained, of its policy or of anything. */
  const finish = async (): Promise<void> => {
    assert.deepStrictEqual(await page.evaluate(ariaCheck), []);
    assert.deepStrictEqual(complaints, []);
  };
  const grid = () => page.getByRole("grid");
  const rowCount = async (count: number): Promise<void> => {
    await page.locator(`[role=grid][aria-rowcount="${count + 1}"]`).waitFor();
  };
  const selected = () => page.locator('.row[aria-selected="true"]');
  const sent = () => page.evaluate<{ type: string; text?: string }[]>("harness.sent");
  const filter = () => page.getByRole("textbox", { name: "Filter" });

  test("rows appear, the newest in sight, and only a screenful of them exists", async () => {
    await open("scenario=rows&rows=50");
    await rowCount(50);
    await page.evaluate("harness.traffic(5000)");
    await rowCount(5050);
    await page.locator('.row[aria-rowindex="5051"]').waitFor();
    const drawn = await page.locator(".row").count();
    assert.ok(drawn > 10 && drawn < 60, `${drawn} row elements`);
    await finish();
  });

  test("rows above the bound are dropped and counted on screen", async () => {
    await open("scenario=rows&rows=100");
    await rowCount(100);
    for (let batch = 0; batch < 11; batch += 1) await page.evaluate("harness.traffic(1000)");
    await rowCount(10_000);
    await page.getByText("1,100 dropped").waitFor();
    await finish();
  });

  /** The least contrast of the status texts and glyphs with their ground (WCAG 2.2, 1.4.11 asks for 3). Runs in the page. */
  const contrasts = `(() => {
    const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const luminance = (colour) => {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
      const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((part) => part / 255)
        .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const ground = luminance(getComputedStyle(document.body).backgroundColor);
    return Object.fromEntries([...document.querySelectorAll(".row[data-outcome]")].map((row) => {
      const own = luminance(getComputedStyle(row.querySelector(".status .icon")).color);
      const contrast = (Math.max(own, ground) + 0.05) / (Math.min(own, ground) + 0.05);
      return [row.dataset.outcome, Math.round(contrast * 10) / 10];
    }));
  })()`;

  for (const theme of ["dark", "light", "high-contrast", "high-contrast-light"]) {
    test(`every outcome can be read in the theme ${theme}`, async () => {
      await page.setViewportSize({ width: 1000, height: 2000 });
      await open(`scenario=rows&rows=80&theme=${theme}`);
      await rowCount(80);
      const found = await page.evaluate<Record<string, number>>(contrasts);
      const outcomes = [
        "success",
        "client-error",
        "server-error",
        "incomplete",
        "message",
        "metadata",
        "pending",
      ];
      assert.deepStrictEqual(
        outcomes.filter((outcome) => !((found[outcome] ?? 0) >= 3)),
        [],
        JSON.stringify(found),
      );
      await finish();
    });
  }

  test("why a request is not known has the room that its path does not need", async () => {
    await page.setViewportSize({ width: 1200, height: 400 });
    await open("scenario=rows&rows=5");
    await rowCount(5);
    const text = "the request was sent before tracing began";
    const connection = { id: "c", role: "client", local: null, remote: null, serverName: null };
    const row = {
      ...{ type: "exchange", id: "x99", pid: 7, command: "node", connection, protocol: "h2" },
      ...{ state: "incomplete", method: null, target: null, authority: null, problem: { code: "x", text } },
      ...{ status: 200, requestSize: 0, responseSize: 0, contentType: null, durationMs: null },
      startedAt: "2026-01-31T12:01:00.000Z",
    };
    await page.evaluate(`harness.send({ type: "traffic", dropped: 0, rows: [${JSON.stringify(row)}] })`);
    await page.locator('.row[data-id="x99"]').getByText(text).waitFor();
    const cut = await page.evaluate<number>(
      `(() => { const one = document.querySelector('[data-id="x99"] .reason'); return one.scrollWidth - one.clientWidth; })()`,
    );
    assert.equal(cut, 0);
    await finish();
  });

  test("what strangers name does not hide the rest: long values scroll, process ids stay, no text is turned round", async () => {
    await open("scenario=rows&rows=5");
    await rowCount(5);
    const connection = { id: "c", role: "client", local: null, remote: null, serverName: null };
    const row = {
      ...{
        type: "exchange",
        id: "x99",
        pid: 4194304,
        command: "fifteen-letters",
        connection,
        protocol: "h2",
      },
      ...{
        state: "complete",
        method: "GET",
        target: `/\u202Eabc/${"long/".repeat(2000)}`,
        authority: "a.example",
      },
      ...{ status: 200, requestSize: 0, responseSize: 0, contentType: null, durationMs: 1 },
      startedAt: "2026-01-31T12:01:00.000Z",
    };
    const details = {
      ...row,
      path: "uprobe",
      request: {
        method: "GET",
        target: row.target,
        authority: "a.example",
        headers: [],
        bodySize: 0,
        body: null,
      },
      response: { status: 200, reason: "OK", headers: [["x-last", "in sight"]], bodySize: 0, body: null },
    };
    await page.evaluate(`harness.send({ type: "traffic", dropped: 0, rows: [${JSON.stringify(row)}] })`);
    const shown = page.locator('.row[data-id="x99"]');
    await shown.getByText("/[U+202E]abc/").waitFor();
    const [cell, id] = [shown.locator(".cell.process"), shown.locator(".cell.process .faint")];
    const [cellBox, idBox] = [await cell.boundingBox(), await id.boundingBox()];
    assert.ok(cellBox && idBox && idBox.x + idBox.width <= cellBox.x + cellBox.width, "the id is cut");
    await shown.click();
    await page.evaluate(`harness.send({ type: "details", id: "x99", details: ${JSON.stringify(details)} })`);
    const url = page.locator(".property-value", { hasText: "https://a.example/[U+202E]abc/long/" });
    await url.waitFor();
    assert.ok(((await url.boundingBox())?.height ?? Infinity) <= 12 * 18);
    const hidden = await page.evaluate<number[]>(
      '[...document.querySelectorAll(".property-value")].map((one) => one.scrollHeight - one.clientHeight).filter(Boolean)',
    );
    assert.ok(hidden.length === 1 && (hidden[0] ?? 0) > 100, "the rest is there to scroll to");
    await finish();
  });

  test("the filter narrows the list, says how far, and explains what it cannot read", async () => {
    await open("scenario=rows&rows=60");
    await page.keyboard.press("/");
    await page.locator(".filter-input:focus").waitFor();
    await page.keyboard.type("status:5xx");
    await page
      .locator(".filter-count")
      .getByText(/^\d+ of 60$/)
      .waitFor();
    const statuses = await page.locator(".row .status").allTextContents();
    assert.ok(statuses.length > 0 && statuses.every((status) => status.startsWith("5")), statuses.join());
    await filter().fill("status:often");
    await page.getByRole("alert").getByText("status:often is not a status").waitFor();
    assert.equal(await filter().getAttribute("aria-invalid"), "true");
    const timeline = () => page.evaluate<string>(`document.querySelector(".timeline canvas").toDataURL()`);
    const withBars = await timeline();
    await filter().fill("no such thing");
    await page.getByText("60 rows are hidden").waitFor();
    const blank = await page.evaluate<string>(`(() => {
      const { width, height } = document.querySelector(".timeline canvas");
      return Object.assign(document.createElement("canvas"), { width, height }).toDataURL();
    })()`);
    assert.notEqual(withBars, blank);
    assert.equal(await timeline(), blank);
    await page.getByRole("button", { name: "Clear Filter" }).click();
    await rowCount(60);
    await finish();
  });

  test("the keyboard walks the list, opens the details and leaves them", async () => {
    await open("scenario=rows&rows=200");
    await rowCount(200);
    await page.locator('.row[aria-rowindex="201"]').click();
    await page.getByRole("tablist").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("tablist").waitFor({ state: "hidden" });
    const walk: [string, string][] = [
      ["ArrowUp", "200"],
      ["Home", "2"],
      ["ArrowDown", "3"],
      ["End", "201"],
      ["PageUp", "182"],
    ];
    for (const [key, row] of walk) {
      await page.keyboard.press(key);
      await page.locator(`.row[aria-rowindex="${row}"][aria-selected="true"]:focus`).waitFor();
    }
    assert.equal(await page.locator('.row[tabindex="0"]').count(), 1);
    await page.keyboard.press("Enter");
    await page.getByRole("tab", { name: "Headers", selected: true }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("tablist").waitFor({ state: "hidden" });
    await page.locator('.row[aria-selected="true"]:focus').waitFor();
    await finish();
  });

  test("the details show headers, bodies and the connection, and copy the request", async () => {
    await open("scenario=rows&rows=60");
    await filter().fill("path:/v1/charges");
    await page.locator(".row").last().click();
    await page.getByText("Bearer ••••••").waitFor();
    await page.getByRole("tab", { name: "Request" }).click();
    await page.getByRole("row", { name: "currency eur" }).waitFor();
    await page.getByRole("tab", { name: "Response" }).click();
    await page.getByRole("tree").getByText('"card_declined"').waitFor();
    await page.getByRole("tree").press("ArrowLeft");
    await page.getByText("1 item").waitFor();
    await page.getByRole("tab", { name: "Timing" }).click();
    await page.getByRole("row", { name: "Server name payments.example.com" }).waitFor();
    await page.getByRole("button", { name: "Copy as cURL" }).click();
    await page.getByText(/Masked: authorization, cookie, the body/).waitFor();
    const copied = (await sent()).find((message) => message.type === "copy");
    assert.match(copied?.text ?? "", /^curl https:\/\/payments\.example\.com\/v1\/charges \\\n {2}-H /);
    await finish();
  });

  test("a connection of which only metadata is seen tells its facts, and why there are no more", async () => {
    await open("scenario=rows&rows=100");
    await filter().fill("is:metadata");
    await page.locator(".filter-count").getByText("8 of 100").waitFor();
    const at = (rowIndex: number) => page.locator(`.row[aria-rowindex="${rowIndex}"]`);
    await at(2).click();
    await page.getByRole("tab", { name: "Connection", selected: true }).waitFor();
    await page.getByText("trace curl (5120) with probes, or start it through the proxy").waitFor();
    for (const fact of [
      "JA4 t13d1516h2_8daaf6152771_b186095e22b6",
      "Protocols (ALPN) h2, http/1.1",
      "Bytes in 184 kB (184,220 bytes, with what TLS adds)",
      "Process id 5120",
    ]) {
      await page.getByRole("row", { name: fact, exact: true }).waitFor();
    }
    await page.getByRole("button", { name: "Copy as JSON" }).click();
    await page.getByText("on the clipboard").waitFor();
    const copied = (await sent()).find((message) => message.type === "copy");
    assert.equal((JSON.parse(copied?.text ?? "") as { serverName: string }).serverName, "api.shop.example");
    assert.ok(!(await sent()).some((message) => message.type === "details"));
    await at(3).click();
    await page.getByRole("row", { name: "Process id not known", exact: true }).waitFor();
    await page.getByRole("row", { name: "Server name none given", exact: true }).waitFor();
    await at(4).click();
    await page.getByText("it may be a cover: the hello holds an encrypted part").waitFor();
    await at(5).click();
    await page.getByText("by the rule *.ads.example: take that off the list").waitFor();
    await at(7).click();
    await page.getByText("A part of the hello never came.").waitFor();
    await page.getByRole("row", { name: "Server name not known", exact: true }).waitFor();
    await finish();
  });

  test("a connection that is decrypted, too, says so and leads to its content", async () => {
    await open("scenario=rows&rows=100");
    await filter().fill("is:metadata");
    await page.locator('.row[aria-rowindex="8"]').click();
    await page.getByText("This connection is decrypted, too: 1 row of the list is its content.").waitFor();
    await page.getByRole("button", { name: "Show", exact: true }).click();
    await rowCount(2);
    assert.match(await filter().inputValue(), /^address:127\.0\.0\.1:\d+$/);
    await finish();
  });

  test("pause holds what comes and resume shows it", async () => {
    await open("scenario=rows&rows=30");
    await rowCount(30);
    await page.getByRole("button", { name: "Pause (Space)" }).click();
    await page.evaluate("harness.traffic(7)");
    await page.getByText("7 new").waitFor();
    assert.equal(await grid().getAttribute("aria-rowcount"), "31");
    await page.getByRole("button", { name: "Resume (Space)" }).click();
    await rowCount(37);
    await finish();
  });

  test("the list keeps its place while rows come and go above and below", async () => {
    await open("scenario=rows&rows=9990");
    await rowCount(9990);
    await page.evaluate('document.querySelector(".list-scroller").scrollTop = 5000 * 22');
    await page.getByRole("button", { name: "Follow the newest", pressed: false }).waitFor();
    // The first row below the header, wherever a notice has pushed the list.
    const top = () =>
      page.evaluate<string>(`(() => {
        const { top } = document.querySelector(".list-scroller").getBoundingClientRect();
        return document.elementFromPoint(300, top + 40).closest(".row").getAttribute("data-id");
      })()`);
    const inSight = await top();
    await page.evaluate("harness.traffic(500)");
    await page.getByText("490 dropped").waitFor();
    assert.equal(await top(), inSight);
    await finish();
  });

  test("the timeline follows the newest row, and stands still while a range is chosen", async () => {
    await open("scenario=rows&rows=100");
    const axis = () => page.locator(".timeline .axis text").allTextContents();
    await page.locator(".timeline .axis text").first().waitFor();
    const before = await axis();
    await page.evaluate("harness.traffic(400)");
    await rowCount(500);
    const followed = await axis();
    assert.notDeepStrictEqual(followed, before);
    await page.locator(".timeline svg").press("ArrowLeft");
    await page.getByRole("button", { name: "Show all time" }).waitFor();
    await page.evaluate("harness.traffic(400)");
    await page
      .locator(".filter-count")
      .getByText(/ of 900$/)
      .waitFor();
    assert.deepStrictEqual(await axis(), followed);
    await page.locator(".timeline svg").press("Escape");
    await rowCount(900);
    await finish();
  });

  test("a brushed span of time filters the list until it is cleared", async () => {
    await open("scenario=rows&rows=100");
    await rowCount(100);
    const plot = await page.locator(".timeline-plot").boundingBox();
    assert.ok(plot !== null);
    await page.mouse.move(plot.x + 200, plot.y + 40);
    await page.mouse.down();
    await page.mouse.move(plot.x + 500, plot.y + 40, { steps: 4 });
    await page.mouse.up();
    await page
      .locator(".filter-count")
      .getByText(/^\d+ of 100$/)
      .waitFor();
    await page.getByRole("button", { name: "Show all time" }).click();
    await rowCount(100);
    await finish();
  });

  test("a reload finds filter, selection and details as they were", async () => {
    await open("scenario=rows&rows=60");
    await filter().fill("method:POST");
    await page.locator(".row").first().click();
    await page.getByRole("tab", { name: "Timing" }).click();
    const id = await selected().getAttribute("data-id");
    await page.reload();
    await page.getByRole("tab", { name: "Timing", selected: true }).waitFor();
    assert.deepStrictEqual(
      [await selected().getAttribute("data-id"), await filter().inputValue()],
      [id, "method:POST"],
    );
    await finish();
  });

  test("rows that went with their window are told to be gone, until something is traced or all is cleared", async () => {
    const gone = page.getByRole("heading", { name: "Earlier rows were not kept" });
    await open("scenario=rows&rows=3");
    await rowCount(3);
    await open("scenario=idle");
    await gone.waitFor();
    await page.reload();
    await gone.waitFor();
    await page.getByRole("button", { name: "Trace a Process…" }).click();
    assert.deepStrictEqual((await sent()).at(-1), { type: "command", command: "plainsight.trace" });
    await open("scenario=waiting");
    await page.getByRole("heading", { name: "Waiting for traffic" }).waitFor();
    await open("scenario=idle");
    await page.getByRole("heading", { name: "Nothing is traced yet" }).waitFor();
    await open("scenario=rows&rows=3");
    await rowCount(3);
    await page.getByRole("button", { name: "Clear" }).click();
    await open("scenario=idle");
    await page.getByRole("heading", { name: "Nothing is traced yet" }).waitFor();
    await finish();
  });

  test("what is remembered, which the editor writes to disk, has nothing of the traffic", async () => {
    await open("scenario=rows&rows=60");
    const row = page.locator(".row").first();
    const cells = await row.locator(".cell:is(.host, .path)").allInnerTexts();
    await row.click();
    await page.getByRole("tab", { name: "Headers", selected: true }).waitFor();
    const remembered = await page.evaluate("sessionStorage.getItem('live-traffic-state')");
    assert.ok(typeof remembered === "string" && cells.length === 2 && cells.every((text) => text.length > 2));
    assert.match(remembered, /"detailOpen":true/);
    assert.deepStrictEqual(
      cells.filter((text) => remembered.includes(text)),
      [],
    );
    await finish();
  });

  for (const [scenario, words, button] of [
    ["idle", "Nothing is traced yet", "Trace a Process…"],
    ["idle", "Nothing is traced yet", "Watch TLS Connections"],
    ["waiting", "Waiting for traffic", "Stop tracing"],
    ["watching", "Waiting for connections", "Watch TLS connections"],
    ["problem", "Plainsight may not load eBPF programs here", "Copy Command"],
    ["problem", "Plainsight may not load eBPF programs here", "Trace a Process…"],
  ] as const) {
    test(`without rows it says why and what to do: ${scenario}: ${button}`, async () => {
      await open(`scenario=${scenario}`);
      await page.getByRole("heading", { name: words }).waitFor();
      await page
        .locator("main")
        .or(page.locator(".toolbar"))
        .getByRole("button", { name: button, exact: true })
        .click();
      const last = (await sent()).at(-1);
      assert.equal(last?.type, button === "Copy Command" ? "copy" : "command");
      await finish();
    });
  }

  test("the watch of the network is in the summary and in the toolbar, with what it cannot see", async () => {
    await open("scenario=rows&rows=10&network&missing");
    await page.getByText("· Watching lo, eth0: 12 TLS connections").waitFor();
    await page
      .getByRole("status")
      .getByText("Not seen of the network: wg0: operation not supported")
      .waitFor();
    await page.getByRole("button", { name: "Watch TLS connections", pressed: true }).click();
    assert.deepStrictEqual((await sent()).at(-1), { type: "command", command: "plainsight.unwatchNetwork" });
    const state = { tracing: [], exchanges: 0, messages: 0, lost: { records: 0, bytes: 0 } };
    await page.evaluate(`harness.send(${JSON.stringify({ type: "state", state })})`);
    await page.getByText("Nothing is traced", { exact: true }).waitFor();
    await page.getByRole("button", { name: "Watch TLS connections", pressed: false }).click();
    assert.deepStrictEqual((await sent()).at(-1), { type: "command", command: "plainsight.watchNetwork" });
    await finish();
  });

  test("lost records are said, and said again when there are more", async () => {
    await open("scenario=rows&rows=10&lost=3");
    await page.getByText("3 records lost").waitFor();
    await page.getByRole("button", { name: "Dismiss" }).click();
    await page.getByText("3 records lost").waitFor({ state: "hidden" });
    const state = { tracing: [], exchanges: 0, messages: 0, lost: { records: 4, bytes: 90 } };
    await page.evaluate(`harness.send(${JSON.stringify({ type: "state", state })})`);
    await page.getByText("4 records lost").waitFor();
    await finish();
  });

  test("every theme leaves the least contrast that text needs", async () => {
    await open("scenario=rows&rows=40");
    await rowCount(40);
    for (const theme of ["dark", "light", "high-contrast", "high-contrast-light"]) {
      await page.evaluate(`harness.theme(${JSON.stringify(theme)})`);
      const [text, ground] = await page.evaluate<[string, string]>(
        `[getComputedStyle(document.querySelector(".row .path")).color, getComputedStyle(document.body).backgroundColor]`,
      );
      assert.ok(contrast(text, ground) >= 4.5, `${theme}: ${text} on ${ground}`);
    }
    await finish();
  });
});

/** Contrast ratio of two `rgb(…)` colours (WCAG 2.2, 1.4.3). */
function contrast(one: string, other: string): number {
  const luminance = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/\d+/g) ?? []).map((part) => {
      const channel = Number(part) / 255;
      return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}
