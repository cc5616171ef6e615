// The gate over predicted and measured reports, as the measuring's own folding makes them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { shortfall } from "../../../src/analyzer/cli/gate.ts";
import {
  outcomeOf,
  reportWith,
  withMeasurement,
  type HelloConnection,
  type SeenConnection,
} from "../../../src/analyzer/coverage/measurement.ts";
import type { ProcessReport } from "../../../src/protocol/coverage.ts";
import { java, node, reportOf } from "../report/sample-report.ts";

/** What one traceable process did while it was measured: nothing, TLS that was seen, or TLS that was not. */
type Doing = "idle" | "seen" | "unseen" | "unseen, its ClientHello seen" | "partly seen";

const since = "2026-01-31T12:00:00.000Z";

function measured(processes: ProcessReport[], doings: readonly Doing[]) {
  const connection = (pid: number, port: number) => ({
    pid,
    namespace: 1,
    local: `10.0.0.1:${port}`,
    remote: "10.0.0.2:443",
  });
  const changed = processes.slice(0, doings.length).map((process, index) => {
    const { pid } = process;
    const doing = doings[index] ?? "idle";
    const seen: SeenConnection = { ...connection(pid, 50_000), bytes: 10, role: "client", file: null };
    const hello: HelloConnection = { ...connection(pid, 50_001), serverName: "example.com" };
    return withMeasurement(
      process,
      outcomeOf(pid, {
        since,
        hellos: doing.endsWith("its ClientHello seen") ? [hello] : null,
        watchedNamespace: null,
        connections: doing === "seen" || doing === "partly seen" ? [seen] : [],
        active: ["unseen", "partly seen"].includes(doing)
          ? [{ ...connection(pid, 50_002), isServer: false, isFresh: false, inode: 1, traffic: "" }]
          : [],
      }),
    );
  });
  return reportWith(reportOf(processes), changed);
}

const other = (process: ProcessReport, pid: number): ProcessReport => ({ ...process, pid });
const [a, b] = [other(node, 101), other(node, 102)];
const unread: ProcessReport = { ...other(node, 103), verdict: "unknown", path: "none" };
const plain: ProcessReport = {
  ...other(node, 104),
  verdict: "no-tls",
  path: "none",
  class: "no-tls",
  stacks: [],
};
const proxied: ProcessReport = { ...other(java, 105), verdict: "proxy", path: "mitm" };

const cases: [
  about: string,
  processes: ProcessReport[],
  doings: Doing[],
  least: number,
  met: boolean,
  names: RegExp[],
][] = [
  ["predictions alone meet it", [a, b], [], 100, true, []],
  ["plaintext that was seen meets it", [a, b], ["seen", "seen"], 100, true, []],
  ["what was not exercised keeps its prediction", [a, b], ["seen", "idle"], 100, true, []],
  ["of a process that is seen in part, the verdict is confirmed", [a], ["partly seen"], 100, true, []],
  [
    "a silent process is not traceable",
    [a, b],
    ["seen", "unseen"],
    90,
    false,
    [
      /^50 % of .* under 90 %$/m,
      /^ {2}102 .*: dark \(measured\), probes are attached and 1 TLS connection was/m,
    ],
  ],
  [
    "a silent process of which the network told is not traceable either",
    [a, b],
    ["seen", "unseen, its ClientHello seen"],
    51,
    false,
    [/^ {2}102 .*: metadata \(measured\), .*its ClientHello was seen/m],
  ],
  ["half is enough for half", [a, b], ["seen", "unseen"], 50, true, []],
  ["silence alone is nothing", [a], ["unseen"], 1, false, [/^0 %/m, /101/]],
  ["what may have TLS counts as having it", [a, unread], ["seen"], 90, false, [/^50 %/m, /103 .*: unknown/]],
  ["what has no TLS does not count", [a, plain], ["seen"], 100, true, []],
  [
    "what only the proxy opens is not traceable",
    [a, proxied],
    ["seen"],
    90,
    false,
    [/105 .*: proxy \(predicted\)/],
  ],
  [
    "a share just below is not rounded up to what is asked",
    [a, b, proxied],
    ["seen", "seen"],
    66.7,
    false,
    [/^66\.6 % .* under 66\.7 %$/m],
  ],
  ["no TLS at all does not meet even nothing", [plain], [], 0, false, [/no process with TLS was found/]],
];
for (const [about, processes, doings, least, met, names] of cases) {
  test(`gate: ${about} (${least} %)`, () => {
    const lines = shortfall(measured(processes, doings), least);
    assert.equal(lines.length === 0, met, lines.join("\n"));
    for (const name of names) assert.match(lines.join("\n"), name);
  });
}

test("gate: names what it could not judge, with the reasons", () => {
  const gone = { code: "no-such-process", text: "there is no process 9" };
  const hidden = { code: "not-readable", text: "use sudo" };
  const skipped = [{ pid: 9, reason: gone }, ...[21, 22, 23, 24].map((pid) => ({ pid, reason: hidden }))];
  assert.deepStrictEqual(shortfall({ ...measured([a], ["unseen"]), skipped }, 10).slice(-2), [
    "  not counted, for it was skipped: 9: there is no process 9",
    "  not counted, for they were skipped: 4 processes: use sudo",
  ]);
});

test("gate: says where missing rights are what falls short", () => {
  const reason = { code: "uprobe-unavailable", text: "OpenSSL can be probed, but not here: try sudo" };
  const kept: ProcessReport = { ...a, verdict: "dark", reason, probes: [] };
  const report = reportOf([kept, proxied]);
  const host = {
    ...report.host,
    paths: {
      ...report.host.paths,
      uprobe: { available: false as const, reason: "not permitted (try sudo)" },
    },
  };
  assert.deepStrictEqual(shortfall({ ...report, host }, 80).slice(0, 2), [
    "0 % of the processes with TLS are traceable, which is under 80 %",
    "  1 of these would be traceable where probes are possible, but here they are not: not permitted (try sudo)",
  ]);
});
