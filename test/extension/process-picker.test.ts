import assert from "node:assert/strict";
import { test } from "node:test";
import { pickerSections } from "../../src/extension/process-picker.ts";
import { noTls, processReport } from "./process-fixture.ts";

test("picker: offers what is traceable, the workspace's own first, the newest first", () => {
  const sections = pickerSections(
    [
      processReport({ pid: 1, startedAt: "2026-01-31T12:00:00.000Z" }),
      processReport({ pid: 2, startedAt: "2026-01-31T13:00:00.000Z" }),
      processReport({ pid: 3, startedAt: null }),
      processReport({ ...noTls, pid: 4 }),
    ],
    ({ pid }) => pid === 1,
  );
  assert.deepStrictEqual(
    sections.map(({ title, choices }) => [title, choices.map(({ pid }) => pid)]),
    [
      ["This workspace", [1]],
      ["Other processes", [2, 3]],
    ],
  );
});

test("picker: a choice says what it is and how it was started, and an empty list has no sections", () => {
  assert.deepStrictEqual(
    [pickerSections([processReport({ service: null })], () => true), pickerSections([], () => true)],
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
