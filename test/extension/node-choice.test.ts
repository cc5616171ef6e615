import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseNode, type NodeChoice } from "../../src/extension/node-choice.ts";

const editorExecutable = "/opt/code/code";
const electron: Omit<NodeChoice, "why"> = { command: editorExecutable, env: { ELECTRON_RUN_AS_NODE: "1" } };

interface Case {
  name: string;
  configured?: string;
  searchPath?: string;
  versions?: Record<string, string>;
  expected: Omit<NodeChoice, "why">;
}
const cases: Case[] = [
  {
    name: "the configured one, whatever PATH has",
    configured: " /opt/node/bin/node ",
    searchPath: "/usr/bin",
    versions: { "/opt/node/bin/node": "v22.1.0\n", "/usr/bin/node": "v24.0.0\n" },
    expected: { command: "/opt/node/bin/node", env: {} },
  },
  {
    name: "the first on PATH that is recent enough",
    searchPath: "/old:/none:/usr/bin/:/later",
    versions: { "/old/node": "v18.20.0\n", "/usr/bin/node": "v20.19.0\n", "/later/node": "v24.0.0\n" },
    expected: { command: "/usr/bin/node", env: {} },
  },
  {
    name: "the editor's own when PATH has none",
    searchPath: "/usr/bin",
    expected: electron,
  },
  {
    name: "the editor's own when PATH has only what is relative, empty or not Node",
    searchPath: ":node_modules/.bin:/usr/bin",
    versions: { "/node": "v24.0.0", "node_modules/.bin/node": "v24.0.0", "/usr/bin/node": "something else" },
    expected: electron,
  },
];

for (const { name, configured = "", searchPath = "", versions = {}, expected } of cases) {
  test(`node: ${name}`, async () => {
    const versionOf = (file: string) => Promise.resolve(versions[file] ?? null);
    const { command, env } = await chooseNode({ configured, searchPath, editorExecutable, versionOf });
    assert.deepStrictEqual({ command, env }, expected);
  });
}

test("node: a configured one that cannot be used is an error that names the setting", async () => {
  for (const [version, reason] of [
    [null, "cannot be run"],
    ["v18.20.0", "it is v18.20.0"],
  ] as const) {
    const input = { configured: "/x/node", searchPath: "/usr/bin", editorExecutable };
    const choice = chooseNode({ ...input, versionOf: () => Promise.resolve(version) });
    await assert.rejects(choice, new RegExp(`^Error: plainsight.nodePath: /x/node: .*${reason}`));
  }
});
