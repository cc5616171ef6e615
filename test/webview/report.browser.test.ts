// The HTML report in a real Chromium, from a file as its reader opens it: with and without its script, in the hands of
// a process whose name is an attack. Skips aloud where Chromium is missing, and fails there with CI=true.
import assert from "node:assert/strict";
import { build } from "esbuild";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { htmlReport } from "../../src/analyzer/report/html.ts";
import { attack, sampleCoverage } from "./sample-coverage.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const missing = existsSync(executablePath)
  ? false
  : `no Chromium at ${executablePath}: install it (apt-get install chromium) or set CHROMIUM`;

if (missing !== false && process.env.CI === "true") {
  test("report: Chromium is there to test in", () => {
    assert.fail(missing);
  });
}

describe("report in Chromium", { skip: missing, timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), "plainsight-report-"));
  const file = join(folder, "report.html");
  let browser: Browser;
  let complaints: string[];

  before(async () => {
    const { outputFiles } = await build({
      entryPoints: ["main.ts", "report.css"].map((name) =>
        fileURLToPath(new URL(`../../webview/report/${name}`, import.meta.url)),
      ),
      outdir: "/",
      bundle: true,
      format: "iife",
      target: "es2022",
      minify: true,
      write: false,
    });
    const built = (ending: string) =>
      outputFiles.find(({ path }) => path.endsWith(ending))?.text.trim() ?? "";
    writeFileSync(file, htmlReport(sampleCoverage, { script: built(".js"), style: built(".css") }));
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
  });
  after(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
  });

  async function open(options: BrowserContextOptions = {}): Promise<Page> {
    complaints = [];
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (request.url() !== pathToFileURL(file).href) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(pathToFileURL(file).href);
    return page;
  }

  const visibleTitles = (page: Page): Promise<string[]> =>
    page.evaluate<string[]>(
      '[...document.querySelectorAll("#table tbody tr")].filter((row) => row.checkVisibility()).map((row) => row.dataset.title)',
    );
  const withTls = sampleCoverage.processes.filter(({ verdict }) => verdict !== "no-tls").length;

  test("draws the picture under its strict policy, without a complaint or a request", async () => {
    const page = await open();
    await page.locator("svg.picture g.leaf").first().waitFor();
    assert.equal(
      await page.locator("svg.picture g.leaf").count(),
      withTls - 3,
      "four alike workers are one leaf",
    );
    assert.deepStrictEqual(complaints, []);
  });

  test("a process's name never becomes markup or script", async () => {
    const page = await open();
    assert.equal(await page.evaluate("window.attacked"), undefined);
    assert.equal(await page.locator("img").count(), 0);
    assert.equal(await page.locator("script").count(), 1);
    assert.ok((await visibleTitles(page)).includes(attack), "it is shown as the text it is");
  });

  test("is complete without its script", async () => {
    const page = await open({ javaScriptEnabled: false });
    assert.equal(await page.locator("#table tbody tr").count(), withTls);
    assert.match(await page.locator(".headline").innerText(), /7 of 13 processes with TLS are traceable/);
    assert.match(await page.locator(".findings").innerText(), /worker\.py/);
    assert.equal(await page.locator(".filters, svg.picture, thead button").count(), 0);
    await page.locator("#table summary").first().click();
    assert.ok(await page.getByText("SSL_read in .dynsym").first().isVisible(), "evidence on demand");
  });

  test("sorts by a column, and back", async () => {
    const page = await open();
    const pids = () =>
      page.evaluate<number[]>(
        '[...document.querySelectorAll("#table td[data-label=PID]")].map((cell) => Number(cell.textContent))',
      );
    const ascending = (await pids()).sort((a, b) => a - b);
    const head = page.locator("#table thead th.pid");
    await head.getByRole("button").click();
    assert.deepStrictEqual([await pids(), await head.getAttribute("aria-sort")], [ascending, "ascending"]);
    await head.getByRole("button").click();
    assert.deepStrictEqual(
      [await pids(), await head.getAttribute("aria-sort")],
      [ascending.toReversed(), "descending"],
    );
  });

  test("filters by words and by verdict, dims the picture, and says how many are shown", async () => {
    const page = await open();
    await page.getByRole("searchbox").fill("nginx");
    assert.deepStrictEqual(await visibleTitles(page), ["nginx", "nginx", "nginx", "nginx"]);
    assert.equal(await page.locator("output").innerText(), `4 of ${withTls} shown`);
    assert.equal(await page.locator("g.leaf:not(.dimmed)").count(), 1);
    await page.getByRole("searchbox").fill("");
    await page.getByRole("button", { name: "traceable", exact: true }).click();
    assert.ok(!(await visibleTitles(page)).includes("nginx"));
  });

  test("a part of the picture leads to its rows, by mouse and by keyboard", async () => {
    const page = await open();
    await page.locator("g.leaf", { hasText: "worker.py" }).click();
    assert.deepStrictEqual(await visibleTitles(page), ["python3 worker.py"]);
    await page.getByRole("button", { name: "Show api.service" }).focus();
    await page.keyboard.press("Enter");
    assert.deepStrictEqual((await visibleTitles(page)).sort(), ["node api.js", "node mailer.js"]);
  });

  test("a leaf shows its own processes alone, until it is let go", async () => {
    const page = await open();
    // Both words are in the text of other rows, too.
    await page.locator("g.leaf", { hasText: "java stock.jar" }).click();
    assert.deepStrictEqual(await visibleTitles(page), ["java stock.jar"]);
    assert.equal(await page.locator("g.leaf[aria-pressed=true]").count(), 1);
    assert.equal(await page.locator("g.leaf:not(.dimmed)").count(), 1);
    await page.getByRole("button", { name: "Show all, not java stock.jar in user root alone" }).click();
    assert.equal((await visibleTitles(page)).length, withTls);
    assert.equal(await page.locator("[aria-pressed=true]:not(.chip)").count(), 0);
  });

  test("narrow: sorts by a choice, where no head of the table fits", async () => {
    const page = await open({ viewport: { width: 400, height: 800 } });
    const pids = () =>
      page.evaluate<number[]>(
        '[...document.querySelectorAll("#table td[data-label=PID]")].map((cell) => Number(cell.textContent))',
      );
    const ascending = (await pids()).sort((a, b) => a - b);
    await page.getByLabel("Sort by").selectOption("PID");
    assert.deepStrictEqual(await pids(), ascending);
    await page.getByRole("button", { name: "Sort downwards" }).click();
    assert.deepStrictEqual(await pids(), ascending.toReversed());
  });

  for (const [name, options] of [
    ["wide", {}],
    ["narrow", { viewport: { width: 360, height: 800 } }],
    ["dark", { colorScheme: "dark" }],
  ] as [string, BrowserContextOptions][]) {
    test(`${name}: nothing scrolls sideways and the picture stays inside its box`, async () => {
      const page = await open(options);
      await page.locator("g.leaf").first().waitFor();
      const overflow = await page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth",
      );
      const left = await page.evaluate<number>(`
        Math.min(...[...document.querySelectorAll("svg.picture text")].map((text) => text.getBoundingClientRect().left))
          - document.querySelector("svg.picture").getBoundingClientRect().left`);
      assert.equal(overflow, 0);
      assert.ok(left >= 0, `a label begins ${left} pixels outside`);
    });
  }

  for (const width of [920, 1040, 1200, 1600]) {
    test(`${width} pixels wide: the reason has the most room of all columns, and no id or path is broken`, async () => {
      const page = await open({ viewport: { width, height: 800 } });
      const widths = await page.evaluate<number[]>(
        '[...document.querySelectorAll("#table thead th")].map((head) => head.getBoundingClientRect().width)',
      );
      assert.equal(widths.indexOf(Math.max(...widths)), widths.length - 1, widths.join(" "));
      const broken = await page.evaluate<string[]>(`
        [...document.querySelectorAll("#table td:is([data-label=PID], [data-label=Path])")].filter((cell) => {
          const range = document.createRange();
          range.selectNodeContents(cell);
          return range.getClientRects().length > 1;
        }).map((cell) => cell.textContent)`);
      assert.deepStrictEqual(broken, []);
    });
  }

  test("on paper the controls go and the table stays", async () => {
    const page = await open();
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator(".filters").isVisible(), false);
    assert.equal(await page.locator("#table tbody tr:visible").count(), withTls);
  });

  for (const [about, options] of [
    ["with", {}],
    ["without", { javaScriptEnabled: false }],
  ] as [string, BrowserContextOptions][]) {
    test(`${about} its script, paper has the evidence and what has no TLS; the screen folds both away`, async () => {
      const page = await open(options);
      const parts = [".paper .file li", ".paper table td", ".block th[scope=row]"];
      const visible = () =>
        page.evaluate<boolean[]>(
          `${JSON.stringify(parts)}.map((part) => document.querySelector(part).checkVisibility({ contentVisibilityAuto: true }))`,
        );
      assert.deepStrictEqual(await visible(), [false, false, false]);
      await page.emulateMedia({ media: "print" });
      assert.deepStrictEqual(await visible(), [true, true, true]);
      assert.equal(await page.locator("td details:visible").count(), 0);
    });
  }
});
