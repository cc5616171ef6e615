import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { ConnectionRows } from "../../../src/analyzer/server/connection-rows.ts";
import { TrafficBatches } from "../../../src/analyzer/server/traffic-batches.ts";
import { rowOf } from "../../../src/analyzer/server/traffic-rows.ts";
import { connectionEnd, hello } from "../cli/hello-fixtures.ts";
import { exchange } from "./traffic-fixtures.ts";

type Sent = { ids: string[]; dropped: number }[];

function batches(rows: number, taken: () => Promise<void> = () => Promise.resolve()) {
  const sent: Sent = [];
  const made = new TrafficBatches({ intervalMs: 100, rows }, (params) => {
    sent.push({ ids: params.rows.map(({ id }) => id), dropped: params.dropped });
    return taken();
  });
  return { sent, batches: made };
}
const row = (id: string, state: "pending" | "complete" = "complete") => rowOf(exchange(id, { state }));

test("batches: rows wait for the beat and go together", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { sent, batches: made } = batches(10);
  made.add(row("a"));
  made.add(row("b"));
  mock.timers.tick(99);
  assert.deepStrictEqual(sent, []);
  mock.timers.tick(1);
  await new Promise(setImmediate);
  made.add(row("c"));
  mock.timers.tick(100);
  mock.timers.tick(1000);
  assert.deepStrictEqual(sent, [
    { ids: ["a", "b"], dropped: 0 },
    { ids: ["c"], dropped: 0 },
  ]);
  mock.timers.reset();
});

const cases: [
  name: string,
  cap: number,
  steps: ([string, "pending" | "complete"] | "flush")[],
  sent: Sent,
][] = [
  [
    "a row that changes while it waits goes once",
    10,
    [["a", "pending"], ["a", "complete"], "flush"],
    [{ ids: ["a"], dropped: 0 }],
  ],
  [
    "what exceeds the cap is left out and counted",
    2,
    [["a", "complete"], ["b", "complete"], ["c", "complete"], "flush"],
    [{ ids: ["a", "b"], dropped: 1 }],
  ],
  [
    "the outcome of a row that is on the screen is never left out",
    1,
    [["a", "pending"], "flush", ["b", "complete"], ["a", "complete"], "flush"],
    [
      { ids: ["a"], dropped: 0 },
      { ids: ["b", "a"], dropped: 0 },
    ],
  ],
  [
    "a row left out while pending counts once, when it is complete",
    1,
    [["a", "complete"], ["b", "pending"], ["b", "complete"], "flush"],
    [{ ids: ["a"], dropped: 1 }],
  ],
];
for (const [name, cap, steps, expected] of cases) {
  test(`batches: ${name}`, async () => {
    const { sent, batches: made } = batches(cap);
    for (const step of steps) {
      if (step === "flush") {
        made.flush();
        await new Promise(setImmediate);
      } else made.add(row(...step));
    }
    assert.deepStrictEqual(sent, expected);
  });
}

test("batches: an editor that is slow to read gets one batch at a time, and what exceeds the cap is counted", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let take: () => void = () => undefined;
  const { sent, batches: made } = batches(1, () => new Promise((resolve) => (take = resolve)));
  made.add(row("a"));
  mock.timers.tick(100);
  made.add(row("b"));
  made.add(row("c"));
  mock.timers.tick(1000);
  const meanwhile = [...sent];
  take();
  await new Promise(setImmediate);
  mock.timers.tick(100);
  assert.deepStrictEqual(
    [meanwhile, sent],
    [
      [{ ids: ["a"], dropped: 0 }],
      [
        { ids: ["a"], dropped: 0 },
        { ids: ["b"], dropped: 1 },
      ],
    ],
  );
  mock.timers.reset();
});

test("batches: the end of a connection that is on the screen is never left out", async () => {
  const { sent, batches: made } = batches(1);
  const connections = new ConnectionRows(10);
  made.add(connections.fold(hello({ id: "open" })));
  made.flush();
  await new Promise(setImmediate);
  made.add(row("b"));
  made.add(connections.fold(connectionEnd({ id: "open" })));
  made.flush();
  assert.deepStrictEqual(sent, [
    { ids: ["open"], dropped: 0 },
    { ids: ["b", "open"], dropped: 0 },
  ]);
});

test("batches: clearing forgets what waits", () => {
  const { sent, batches: made } = batches(1);
  made.add(row("a"));
  made.add(row("b"));
  made.clear();
  made.flush();
  assert.deepStrictEqual(sent, []);
});
