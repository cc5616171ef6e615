import assert from "node:assert/strict";
import { test } from "node:test";
import { pickerSections } from "../../src/extension/process-picker.ts";
import { inPart, noTls, processReport } from "./process-fixture.ts";

const facts = { folders: ["/srv/shop"], debuggedPids: new Set<number>(), editorFolders: ["/opt/editor"] };
const elsewhere = { arguments: ["node", "/opt/x.js"] };

test("picker: offers what can be probed, the workspace's own first, the editor's last, the newest first, what is shown in part after the rest", () => {
  const sections = pickerSections(
    [
      processReport({ pid: 1, startedAt: "2026-01-31T12:00:00.000Z" }),
      processReport({ pid: 2, ...elsewhere, startedAt: "2026-01-31T13:00:00.000Z" }),
      processReport({ pid: 3, ...elsewhere, startedAt: null }),
      processReport({ ...noTls, pid: 4 }),
      processReport({ ...inPart, ...elsewhere, pid: 5, startedAt: "2026-01-31T14:00:00.000Z" }),
      processReport({ ...inPart, pid: 6, probes: [] }),
      // A language server runs in the workspace.
      processReport({ pid: 7, workingDirectory: "/srv/shop", arguments: ["node", "/opt/editor/json.js"] }),
    ],
    facts,
  );
  assert.deepStrictEqual(
    sections.map(({ title, choices }) => [title, choices.map(({ pid }) => pid)]),
    [
      ["This workspace", [1]],
      ["Other processes", [2, 3, 5]],
      ["This editor", [7]],
    ],
  );
});

test("picker: a choice says what it is and how it was started, and an empty list has no sections", () => {
  assert.deepStrictEqual(
    [pickerSections([processReport({ service: null })], facts), pickerSections([], facts)],
    [
      [
        {
          title: "This workspace",
          choices: [
            {
              pid: 4242,
              label: "node api.js",
              description: "4242 · OpenSSL 3.0.19 · www-data",
              detail: "node --inspect /srv/shop/api.js",
            },
          ],
        },
      ],
      [],
    ],
  );
});

test("picker: a process of which probes show a part says which, and what would show the rest", () => {
  const [section] = pickerSections([processReport({ ...inPart, service: null })], facts);
  assert.deepStrictEqual(section?.choices, [
    {
      pid: 4242,
      label: "java shop.jar",
      description: "4242 · only OpenSSL 3.0.17, not Java JSSE · www-data",
      detail: "For Java JSSE: through the proxy · java -jar /srv/shop/shop.jar",
    },
  ]);
});
