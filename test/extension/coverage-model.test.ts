import assert from "node:assert/strict";
import { test } from "node:test";
import {
  coverageTree,
  isOfWorkspace,
  problemItem,
  renewTree,
  type CoverageGroup,
} from "../../src/extension/coverage-model.ts";
import type { CoverageReport, ProcessReport } from "../../src/protocol/coverage.ts";
import { coverageReport, inPart, noTls, processReport } from "./process-fixture.ts";

const outline = (tree: CoverageGroup[]) =>
  tree.map(({ label, description, isExpanded, items }) => ({
    group: `${label} ${description}${isExpanded ? "" : " (collapsed)"}`,
    items: items.map((item) =>
      item.kind === "process" ? `${item.process.pid} ${item.offers.join(" ")}`.trim() : item.description,
    ),
  }));

test("coverage tree: groups by verdict, the quiet ones collapsed, the empty ones absent", () => {
  const report = coverageReport(
    [
      processReport({ ...noTls, pid: 5 }),
      processReport({ pid: 4, verdict: "dark", path: "none", probes: [] }),
      processReport({ pid: 3 }),
    ],
    [{ pid: 77, reason: { code: "not-readable", text: "another user's process" } }],
  );
  assert.deepStrictEqual(outline(coverageTree({ report, tracedPids: new Set(), isOwn: () => false })), [
    { group: "Traceable 1", items: ["3 trace"] },
    { group: "Dark 1", items: ["4 watch"] },
    { group: "No TLS 1 (collapsed)", items: ["5"] },
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
  const tree = coverageTree({
    report,
    tracedPids: new Set([9]),
    isOwn: (process) => isOfWorkspace(process, ["/srv/shop"]),
  });
  assert.deepStrictEqual(outline(tree), [
    {
      group: "Traceable 5",
      items: ["9 stop", "6 trace", "7 trace", "5 trace", "8 trace"],
    },
  ]);
});

const because = (code: string) => ({ probes: [], reason: { code, text: "" } });
const offered: [name: string, process: Partial<ProcessReport>, offers: string, withoutNetwork: string][] = [
  ["that is traceable", {}, "trace", "trace"],
  ["of which probes show a part", inPart, "trace proxy watch", "trace proxy"],
  ["that the proxy alone shows", { ...inPart, ...because("no-symbols") }, "proxy watch", "proxy"],
  ["with trust of its own", { verdict: "metadata", ...because("own-trust") }, "watch", ""],
  ["of which nothing is seen", { verdict: "dark", ...because("other-architecture") }, "watch", ""],
  [
    "that lacks rights alone",
    { verdict: "dark", ...because("uprobe-unavailable") },
    "rights proxy watch",
    "rights proxy",
  ],
  ["whose TLS is in its language", { verdict: "unknown", ...because("tls-in-language") }, "proxy", "proxy"],
  ["without TLS", noTls, "", ""],
];
for (const [name, changes, offers, withoutNetwork] of offered) {
  test(`coverage tree: a process ${name} offers ${offers || "nothing"}, by what can be done here`, () => {
    const report = coverageReport([processReport(changes)]);
    const { paths } = report.host;
    const unwatched = {
      ...report,
      host: { ...report.host, paths: { ...paths, xdp: { available: false, reason: "" } as const } },
    };
    const offersOf = (shown: CoverageReport, traced: number[] = []) =>
      coverageTree({ report: shown, tracedPids: new Set(traced), isOwn: () => false })
        .flatMap(({ items }) => items)
        .map((item) => item.kind === "process" && item.offers.join(" "));
    assert.deepStrictEqual(
      [offersOf(report), offersOf(unwatched), offersOf(report, [4242])],
      [[offers], [withoutNetwork], ["stop"]],
    );
  });
}

test("coverage tree: ids tell a process from a later one with its pid", () => {
  const later = processReport({ startedAt: "2026-02-01T00:00:00.000Z" });
  const ids = [processReport(), later].flatMap((process) =>
    coverageTree({
      report: coverageReport([process]),
      tracedPids: new Set(),
      isOwn: () => false,
    })[0]?.items.map(({ id }) => id),
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
    coverageTree({ report: coverageReport(processes), tracedPids: new Set(), isOwn: () => false });
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
    label: "Running processes cannot be traced",
    description: "needs CAP_BPF",
    tooltip: "Running processes cannot be traced: needs CAP_BPF. Run it with sudo",
  });
});

test("coverage tree: a trace that ended by itself is not called unavailable: it can begin again", () => {
  const problem = { text: "the tracer exited with SIGKILL", remedy: "start tracing again" };
  assert.deepStrictEqual(
    ["tracer-ended", "analyzer-ended", "no-uprobes"].map((code) => problemItem({ code, ...problem }).label),
    ["Tracing has ended", "Tracing has ended", "Running processes cannot be traced"],
  );
});
