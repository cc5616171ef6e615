// Drives VS Code's workbench as a user would: commands by their titles, trees by their rows, webviews by what they show.
import type { Frame, Locator, Page } from "playwright-core";
import { patienceMs } from "./rig.ts";

/** Runs a command of the palette by its whole title, such as `Plainsight: Show Live Traffic`. */
export async function runCommand(page: Page, title: string): Promise<void> {
  await quickPick(page, "F1", `>${title}`, title);
}

/**
 * Opens the quick input by its key, types, and takes the first row with that text. The quick input closes by itself
 * when something else takes the focus, a webview that appears for one: then it is opened again.
 */
async function quickPick(page: Page, key: string, typed: string, row: string): Promise<void> {
  const input = page.locator(".quick-input-widget input.input");
  const rows = page.locator(".quick-input-list .monaco-list-row", { hasText: row });
  const timeout = patienceMs / 4;
  for (let attempt = 1; ; attempt++) {
    await page.keyboard.press(key);
    try {
      await input.fill(typed, { timeout });
      await rows.first().click({ timeout });
      return;
    } catch (error) {
      if (attempt === 3) throw error;
      await page.keyboard.press("Escape");
    }
  }
}

/** Takes a choice of what Trace Through the Proxy starts in the shop; rows of the list before it may still be there. */
export async function chooseForProxy(
  page: Page,
  name: string,
  before?: () => Promise<unknown>,
): Promise<void> {
  const input = page.getByPlaceholder("What to start so that it trusts the local proxy");
  const row = page.locator(".quick-input-list .monaco-list-row", {
    hasText: new RegExp(`${name}\\s*(shop|whatever)`),
  });
  await input.waitFor();
  await row.waitFor();
  await before?.();
  await input.fill(name);
  await row.and(page.locator(".focused")).waitFor();
  await input.press("Enter");
}

/** Changes to the light theme and back, with `picture` at each. */
export async function inBothThemes(
  page: Page,
  picture: (theme: "light" | "dark") => Promise<unknown>,
): Promise<void> {
  for (const [theme, mark] of [
    ["light", "vs"],
    ["dark", "vs-dark"],
  ] as const) {
    await runCommand(page, "Preferences: Toggle between Light/Dark Themes");
    await page.locator(`.monaco-workbench.${mark}`).waitFor();
    await picture(theme);
  }
}

/** The status bar item, when a screen reader would say this of it. */
export function statusItem(page: Page, label: RegExp): Locator {
  return page.locator(".statusbar").getByRole("button", { name: label });
}

/** Rows of the tree in the side bar, by their text. */
export function treeRow(page: Page, text: string | RegExp): Locator {
  return page.locator(".sidebar .monaco-list-row").filter({ hasText: text });
}

/**
 * Clicks a row's action until it does what it says. While a tree gets its nodes anew, VS Code does not know on which
 * one it was clicked, and the command asks instead; or the row moves from under the mouse, and hides its actions.
 */
export async function clickAction(row: Locator, action: string, effect: Locator): Promise<void> {
  const page = row.page();
  for (let attempt = 1; ; attempt++) {
    try {
      await row.hover();
      await row.getByRole("button", { name: action }).click({ timeout: patienceMs / 12 });
      await effect.waitFor({ timeout: patienceMs / 4 });
      return;
    } catch (error) {
      if (attempt === 5) throw error;
      await page.keyboard.press("Escape");
    }
  }
}

/** Opens a file of the workspace. */
export async function openFile(page: Page, name: string): Promise<void> {
  await quickPick(page, "Control+P", name, name);
  await page.locator(".tab.active", { hasText: name }).waitFor();
}

/** The page of the Live traffic webview, once it has drawn itself. */
export const liveTrafficFrame = (page: Page): Promise<Frame> => webviewFrame(page, "#app .toolbar");

/** The page of the webview that has this element, once it is there. */
export async function webviewFrame(page: Page, selector: string): Promise<Frame> {
  const deadline = Date.now() + patienceMs;
  for (;;) {
    for (const frame of page.frames().filter((one) => one.url().includes("/webview/browser/pre/fake.html"))) {
      // A frame may go while it is asked.
      if (
        (await frame
          .locator(selector)
          .count()
          .catch(() => 0)) > 0
      )
        return frame;
    }
    if (Date.now() > deadline) throw new Error(`no webview with ${selector} appeared`);
    await page.waitForTimeout(200);
  }
}
