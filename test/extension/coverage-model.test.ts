import assert from "node:assert/strict";
import { test } from "node:test";
import {
  coverageTree,
  isOfWorkspace,
  problemItem,
  renewTree,
  type CoverageGroup,
} from "../../src/extension/coverage-model.ts";
import { coverageReport, noTls, processReport } from "./process-fixture.ts";

const outline = (tree: CoverageGroup[]) =>
  tree.map(({ label, description, isExpanded, items }) => ({
    group: `${label} ${description}${isExpanded ? "" : " (collapsed)"}`,
    items: items.map((item) =>
      item.kind === "process" ? `${item.process.pid} ${item.state}` : item.description,
    ),
  }));

test("coverage tree: groups by verdict, the quiet ones collapsed, the empty ones absent", () => {
  const report = coverageReport(
    [
      processReport({ ...noTls, pid: 5 }),
      processReport({ pid: 4, verdict: "dark", path: "none" }),
      processReport({ pid: 3 }),
    ],
    [{ pid: 77, reason: { code: "not-readable", text: "another user's process" } }],
  );
  assert.deepStrictEqual(outline(coverageTree({ report, tracedPids: new Set(), folders: [] })), [
    { group: "Traceable 1", items: ["3 traceable"] },
    { group: "Dark 1", items: ["4 other"] },
    { group: "No TLS 1 (collapsed)", items: ["5 other"] },
    { group: "Skipped 1 (collapsed)", items: ["another user's process"] },
  ]);
});

test("coverage tree: what is traced comes first, then the workspace's own, then by name and pid", () => {
  const elsewhere = { arguments: ["node", "/opt/x.js"] };
  const report = coverageReport([
    processReport({ pid: 9, ...elsewhere }),
    processReport({ pid: 8, ...elsewhere }),
    processReport({ pid: 7, ...elsewhere, command: "curl" }),
    processReport({ pid: 6 }),
    processReport({ pid: 5, ...elsewhere }),
  ]);
  const tree = coverageTree({ report, tracedPids: new Set([9]), folders: ["/srv/shop"] });
  assert.deepStrictEqual(outline(tree), [
    {
      group: "Traceable 5",
      items: ["9 traced", "6 traceable", "7 traceable", "5 traceable", "8 traceable"],
    },
  ]);
});

test("coverage tree: the network is offered for what is seen no better, where rights are not what is missing", () => {
  const unseen = { verdict: "dark", path: "none" } as const;
  const because = (code: string) => ({ reason: { code, text: "" } });
  const report = coverageReport([
    processReport({ pid: 1 }),
    processReport({ pid: 2, ...unseen }),
    processReport({ pid: 3, ...unseen, verdict: "metadata", path: "xdp" }),
    processReport({ pid: 4, ...unseen, ...because("no-symbols") }),
    processReport({ pid: 5, ...unseen, ...because("uprobe-unavailable") }),
    processReport({ pid: 6, ...unseen }),
    processReport({ ...noTls, pid: 7 }),
  ]);
  const items = coverageTree({ report, tracedPids: new Set([6]), folders: [] }).flatMap(
    (group) => group.items,
  );
  assert.deepStrictEqual(
    items.flatMap((item) => (item.kind === "process" && item.isWatchable ? [item.process.pid] : [])).sort(),
    [2, 3, 4],
  );
});

test("coverage tree: ids tell a process from a later one with its pid", () => {
  const later = processReport({ startedAt: "2026-02-01T00:00:00.000Z" });
  const ids = [processReport(), later].flatMap((process) =>
    coverageTree({ report: coverageReport([process]), tracedPids: new Set(), folders: [] })[0]?.items.map(
      ({ id }) => id,
    ),
  );
  assert.equal(new Set(ids).size, 2);
});

test("coverage tree: a process is of the workspace by its program, its script or its folder", () => {
  const cases: [string, Parameters<typeof processReport>[0], boolean][] = [
    ["script", { arguments: ["node", "/w/api.js"] }, true],
    ["program", { executable: "/w/bin/api", arguments: [] }, true],
    ["folder", { arguments: ["node", "api.js"], workingDirectory: "/w" }, true],
    ["tool that was given the folder", { arguments: ["node", "/opt/editor.js", "/w"] }, false],
    ["neighbour", { arguments: ["node", "/w2/api.js"], workingDirectory: "/w2" }, false],
    ["unknown folder", { arguments: ["node", "api.js"], workingDirectory: null }, false],
  ];
  assert.deepStrictEqual(
    cases.map(([name, changes]) => [name, isOfWorkspace(processReport(changes), ["/w"])]),
    cases.map(([name, , expected]) => [name, expected]),
  );
});

test("coverage tree: a new scan changes the groups that differ and keeps the objects on the screen", () => {
  const tree = (processes: Parameters<typeof coverageReport>[0]) =>
    coverageTree({ report: coverageReport(processes), tracedPids: new Set(), folders: [] });
  const bash = processReport({ ...noTls, pid: 5 });
  const shown = tree([processReport({ pid: 1 }), bash]);
  const [traceable] = shown;
  assert.deepStrictEqual(renewTree(shown, tree([processReport({ pid: 1 }), bash])), []);
  assert.deepStrictEqual(
    renewTree(shown, tree([processReport({ pid: 1 }), processReport({ pid: 2 }), bash])),
    [traceable],
  );
  assert.deepStrictEqual(
    traceable?.items.map(({ id }) => id.split(":")[1]),
    ["1", "2"],
  );
  assert.equal(renewTree(shown, tree([bash])), null);
});

test("coverage tree: a problem says what is missing and what to do", () => {
  const item = problemItem({ code: "not-permitted", text: "needs CAP_BPF", remedy: "Run it with sudo" });
  assert.deepStrictEqual(item, {
    kind: "problem",
    id: "problem",
    label: "Live traffic is not available",
    description: "needs CAP_BPF",
    tooltip: "Live traffic is not available: needs CAP_BPF. Run it with sudo",
  });
});
