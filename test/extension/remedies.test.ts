import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { rules } from "../../src/analyzer/coverage/verdicts.ts";
import type { ProcessReport } from "../../src/protocol/coverage.ts";
import { remedyOf } from "../../src/extension/remedies.ts";

const root = new URL("../../", import.meta.url).pathname;

test("remedies: every process that could be made traceable is told how, and no other", () => {
  const told = rules.filter(
    ({ code, verdict }) => remedyOf({ verdict, reason: { code, text: "" } }) !== null,
  );
  const untold = rules.filter((rule) => !told.includes(rule)).map(({ code }) => code);
  assert.deepStrictEqual(
    [...new Set(untold)].sort(),
    [
      ...["debug-file-symbols", "exported-symbols", "go-pclntab", "local-symbols"],
      ...["no-tls-library", "other-architecture"],
    ].sort(),
  );
});

const found: [code: string, verdict: ProcessReport["verdict"], action: string | null][] = [
  ["hello-seen", "metadata", "proxy"],
  ["silent", "dark", "proxy"],
  ["silent", "metadata", "proxy"],
  ["own-trust", "metadata", null],
  ["unreadable-file", "unknown", null],
];
for (const [code, verdict, action] of found) {
  test(`remedies: a process that is ${verdict} for ${code} is told what to do${action === null ? "" : `, by ${action}`}`, () => {
    const remedy = remedyOf({ verdict, reason: { code, text: "" } });
    assert.equal(remedy?.action, action);
    assert.match(remedy.text, /^[A-Z][^\n]*[^.\s]$/);
  });
}

test("remedies: each action has its place on the row of the tree", () => {
  const manifest = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    contributes: { menus: Record<string, { command: string; when: string; group: string }[]> };
  };
  const items = manifest.contributes.menus["view/item/context"] ?? [];
  const inlineOf = (viewItem: string) =>
    items
      .filter(({ when, group }) => {
        const [, exact, pattern] = /viewItem (?:== (\S+)|=~ \/(\S+)\/)/.exec(when) ?? [];
        const fits = exact === viewItem || (pattern !== undefined && new RegExp(pattern).test(viewItem));
        return fits && group.startsWith("inline");
      })
      .sort((a, b) => a.group.localeCompare(b.group))
      .map(({ command }) => command.replace("plainsight.", ""));
  const expected: Record<string, string[]> = {
    "process.stop": ["stop"],
    "process.trace": ["trace"],
    "process.trace.proxy.watch": ["trace", "traceThroughProxy", "watchNetwork"],
    "process.proxy.watch": ["traceThroughProxy", "watchNetwork"],
    "process.rights.proxy": ["copyRemedy", "traceThroughProxy"],
    "process.watch": ["watchNetwork"],
    process: [],
    problem: ["copyRemedy"],
    skipped: [],
  };
  assert.deepStrictEqual(
    Object.fromEntries(Object.keys(expected).map((viewItem) => [viewItem, inlineOf(viewItem)])),
    expected,
  );
});
