import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { rules } from "../../src/analyzer/coverage/verdicts.ts";
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
      ...["no-tls-library", "other-architecture", "own-trust", "unreadable-file"],
    ].sort(),
  );
});

test("remedies: each action has its place in the menu of the tree", () => {
  const manifest = readFileSync(`${root}package.json`, "utf8");
  for (const action of ["proxy", "rights"])
    assert.ok(manifest.includes(`viewItem == process.${action}`), action);
});
