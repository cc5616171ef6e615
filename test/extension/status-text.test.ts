import assert from "node:assert/strict";
import { test } from "node:test";
import { statusText, type StatusInput, type StatusText } from "../../src/extension/status-text.ts";

const idle = { tracing: [], exchanges: 0, messages: 0, lost: { records: 0, bytes: 0 } };
const node = { pid: 4242, command: "node" };
const network = { interfaces: ["lo", "eth0"], connections: 3, missing: [] };
const problem = { code: "not-permitted", text: "needs CAP_BPF", remedy: "Run it with sudo" };

const cases: [name: string, input: Partial<StatusInput>, expected: StatusText][] = [
  [
    "nothing is traced: a click chooses a process",
    {},
    {
      text: "$(eye) Plainsight",
      tooltip: "Nothing is being traced. Select to choose a process.",
      accessibleLabel: "Plainsight: nothing is being traced",
      command: "plainsight.trace",
      isWarning: false,
    },
  ],
  [
    "one process is traced: its name, and what came",
    { state: { ...idle, tracing: [node], exchanges: 1 } },
    {
      text: "$(eye) node 4242 · 1",
      tooltip: "Tracing node (4242)\n1 exchange; nothing lost",
      accessibleLabel: "Plainsight traces node 4242, 1 exchange, nothing lost",
      command: "plainsight.showLiveTraffic",
      isWarning: false,
    },
  ],
  [
    "loss is on the screen",
    {
      state: {
        tracing: [node, { pid: 7, command: "curl" }],
        exchanges: 12,
        messages: 3,
        lost: { records: 1, bytes: 512 },
      },
    },
    {
      text: "$(eye) 2 processes · 15 $(warning) 1 lost",
      tooltip: "Tracing node (4242), curl (7)\n12 exchanges, 3 messages; 1 record lost (512 bytes)",
      accessibleLabel: "Plainsight traces 2 processes, 12 exchanges, 3 messages, 1 record lost (512 bytes)",
      command: "plainsight.showLiveTraffic",
      isWarning: true,
    },
  ],
  [
    "the network is watched: how many connections, and a click shows them",
    { state: { ...idle, network } },
    {
      text: "$(broadcast) 3 connections",
      tooltip: "Watching lo, eth0: 3 TLS connections\nnothing lost",
      accessibleLabel: "Plainsight watches the network, 3 TLS connections, nothing lost",
      command: "plainsight.showLiveTraffic",
      isWarning: false,
    },
  ],
  [
    "what of the network is not seen, and why nothing is traced, is said beside it",
    {
      state: { ...idle, network: { ...network, missing: [{ code: "x", text: "wg0: not supported" }] } },
      problem,
    },
    {
      text: "$(broadcast) 3 connections",
      tooltip:
        "Watching lo, eth0: 3 TLS connections (not seen: wg0: not supported)\nnothing lost\nNot tracing: needs CAP_BPF. Run it with sudo",
      accessibleLabel: "Plainsight watches the network, 3 TLS connections, nothing lost",
      command: "plainsight.showLiveTraffic",
      isWarning: false,
    },
  ],
  [
    "a trace and the watch of the network at once",
    { state: { ...idle, tracing: [node], exchanges: 1, network } },
    {
      text: "$(eye) node 4242 · 1 $(broadcast) 3",
      tooltip: "Tracing node (4242)\n1 exchange; nothing lost\nWatching lo, eth0: 3 TLS connections",
      accessibleLabel: "Plainsight traces node 4242, 1 exchange, nothing lost; and watches 3 TLS connections",
      command: "plainsight.showLiveTraffic",
      isWarning: false,
    },
  ],
  [
    "missing rights: a click says what helps",
    { problem, notice: "the debugged process is not traced: needs CAP_BPF" },
    {
      text: "$(warning) Plainsight",
      tooltip: "Not tracing: needs CAP_BPF. Run it with sudo",
      accessibleLabel: "Plainsight is not tracing: needs CAP_BPF. Run it with sudo",
      command: "plainsight.showProblem",
      isWarning: false,
    },
  ],
];
for (const [name, input, expected] of cases) {
  test(`status: ${name}`, () => {
    assert.deepStrictEqual(
      statusText({ state: idle, problem: undefined, notice: undefined, ...input }),
      expected,
    );
  });
}
