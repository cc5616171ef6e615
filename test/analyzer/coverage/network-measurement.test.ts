import assert from "node:assert/strict";
import { test } from "node:test";
import {
  outcomeOf,
  withMeasurement,
  type HelloConnection,
  type SeenConnection,
} from "../../../src/analyzer/coverage/measurement.ts";
import {
  measuredProcess,
  networkMeasurement,
  unprobedOutcome,
  withMetadata,
  type Probing,
} from "../../../src/analyzer/coverage/network-measurement.ts";
import type { ProcessReport } from "../../../src/protocol/coverage.ts";
import { java, node } from "../report/sample-report.ts";

const since = "2026-01-31T12:00:00.000Z";
const hello = (pid: number | null, port: number, serverName: string | null = "api.example.com") => ({
  pid,
  local: `127.0.0.1:${port}`,
  remote: "192.0.2.1:443",
  serverName,
});
const decrypted = (pid: number, port: number | null): SeenConnection => ({
  pid,
  namespace: 1,
  bytes: 100,
  local: port === null ? null : `127.0.0.1:${port}`,
  remote: port === null ? null : "192.0.2.1:443",
  role: "client",
  file: null,
});
const watched = (connections: SeenConnection[], hellos: HelloConnection[] | null) => ({
  since,
  connections,
  active: [],
  hellos,
  watchedNamespace: 1,
});

const outcomes: [
  what: string,
  connections: SeenConnection[],
  hellos: HelloConnection[],
  expected: { state: string; connections: number; decrypted: number; escaped: number },
][] = [
  [
    "each hello decrypted",
    [decrypted(1, 5000), decrypted(1, 5001)],
    [hello(1, 5000), hello(1, 5001)],
    { state: "confirmed", connections: 2, decrypted: 2, escaped: 0 },
  ],
  [
    "one hello of two decrypted",
    [decrypted(1, 5000)],
    [hello(1, 5000), hello(1, 5001)],
    { state: "confirmed", connections: 2, decrypted: 1, escaped: 1 },
  ],
  [
    "plaintext of a connection without addresses, which may be the hello's",
    [decrypted(1, null)],
    [hello(1, 5000)],
    { state: "confirmed", connections: 1, decrypted: 1, escaped: 0 },
  ],
  [
    "a hello and no plaintext",
    [],
    [hello(1, 5000)],
    { state: "silent", connections: 1, decrypted: 0, escaped: 1 },
  ],
  [
    "another process's hello",
    [],
    [hello(2, 5000), hello(null, 5001)],
    { state: "not-exercised", connections: 0, decrypted: 0, escaped: 0 },
  ],
];
for (const [what, connections, hellos, expected] of outcomes) {
  test(`network measurement: ${what} is ${expected.state}`, () => {
    const { measured } = outcomeOf(1, watched(connections, hellos));
    const { state, escaped = [] } = measured;
    assert.deepStrictEqual(
      { state, connections: measured.connections, decrypted: measured.decrypted, escaped: escaped.length },
      expected,
    );
  });
}

test("network measurement: what escaped is named, the first fifty of it", () => {
  const hellos = Array.from({ length: 60 }, (_, index) =>
    hello(1, 5000 + index, index === 0 ? null : "a.example"),
  );
  const { measured } = outcomeOf(1, watched([], hellos));
  assert.equal(measured.connections, 60);
  assert.equal(measured.escaped?.length, 50);
  assert.deepStrictEqual(measured.escaped[0], {
    local: "127.0.0.1:5000",
    remote: "192.0.2.1:443",
    serverName: null,
  });
});

test("network measurement: a silent process shows its names, so it is not dark", () => {
  const outcome = outcomeOf(node.pid, watched([], [hello(node.pid, 5000)]));
  const { verdict, basis, reason } = withMeasurement(node, outcome);
  assert.deepStrictEqual([verdict, basis, reason.code], ["metadata", "measured", "silent"]);
  assert.match(reason.text, /1 TLS connection was in use \(its ClientHello was seen\)/);
});

const bare: ProcessReport = { ...node, stacks: [], path: "none", verdict: "no-tls", probes: [] };
const dark: ProcessReport = { ...java, verdict: "dark" };
const unprobed: [process: ProcessReport, verdict: string, basis: string, text: RegExp][] = [
  [{ ...java, verdict: "proxy" }, "proxy", java.basis, /./],
  [dark, "metadata", "measured", /; 2 TLS connections of it were seen on the network$/],
  [bare, "metadata", "measured", /^2 TLS connections began at it, though no TLS stack was found/],
];
for (const [process, verdict, basis, text] of unprobed) {
  test(`network measurement: what was called ${process.verdict} and is seen on the network is ${verdict}`, () => {
    const seen = watched([], [hello(process.pid, 5000), hello(process.pid, 5001)]);
    const measured = unprobedOutcome(process.pid, seen);
    assert.ok(measured);
    const after = withMetadata(process, measured);
    assert.deepStrictEqual([after.verdict, after.basis, after.measured?.state], [verdict, basis, "metadata"]);
    assert.match(after.reason.text, text);
  });
}

test("network measurement: a process that is not on the network has none", () => {
  assert.equal(unprobedOutcome(1, watched([], [hello(2, 5000)])), null);
  assert.equal(unprobedOutcome(1, watched([], null)), null);
});

test("network measurement: the whole is the sum of its processes, and what belongs to none of them", () => {
  const seen = watched([decrypted(1, 5000)], [hello(1, 5000), hello(1, 5001), hello(9, 1), hello(null, 2)]);
  const one = withMeasurement({ ...node, pid: 1 }, outcomeOf(1, seen));
  assert.deepStrictEqual(networkMeasurement([one, { ...node, pid: 2, measured: null }], seen, ["lo"]), {
    interfaces: ["lo"],
    connections: 2,
    decrypted: 1,
    others: 2,
  });
});

const mixed: ProcessReport = { ...java, path: "mitm", verdict: "proxy", probes: node.probes };
const folds: [
  about: string,
  probing: Probing,
  connections: SeenConnection[],
  hellos: HelloConnection[],
  expected: string,
][] = [
  ["probed throughout, and unheard", "throughout", [], [hello(node.pid, 1)], "metadata measured silent"],
  [
    "of another stack than is probed, throughout, and unheard",
    "throughout",
    [],
    [hello(mixed.pid, 1)],
    "proxy predicted metadata",
  ],
  ["probed late, and unheard", "late", [], [hello(node.pid, 1)], "traceable predicted metadata"],
  ["probed late, and heard", "late", [decrypted(node.pid, 1)], [], "traceable measured confirmed"],
  ["probed late, and idle", "late", [], [], "traceable predicted not-exercised"],
  ["never probed, and on the network", "never", [], [hello(node.pid, 1)], "traceable predicted metadata"],
  ["never probed, and not on the network", "never", [], [], "traceable predicted -"],
];
for (const [about, probing, connections, hellos, expected] of folds) {
  test(`network measurement: a process ${about} is ${expected}`, () => {
    const process = hellos.some(({ pid }) => pid === mixed.pid) ? mixed : node;
    const { verdict, basis, measured } = measuredProcess(process, probing, watched(connections, hellos));
    assert.equal([verdict, basis, measured?.state ?? "-"].join(" "), expected);
  });
}
