import assert from "node:assert/strict";
import { mock, test, type TestContext } from "node:test";
import { Connections, type TrafficEvent } from "../../../src/analyzer/capture/connections.ts";
import { decodeRecords } from "../../../src/analyzer/capture/records.ts";
import { TrafficFlow } from "../../../src/analyzer/capture/traffic-flow.ts";
import { data, ring, socket } from "./ring.ts";

const exchange = [
  data({ text: "GET /a HTTP/1.1\r\nhost: x\r\n\r\n" }),
  data({ text: "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", direction: 1 }),
];
const addresses = socket({ family: 2, local: [[127, 0, 0, 1], 4000], remote: [[127, 0, 0, 1], 443] });

/** Time stands still unless the test moves it; the records are of just now. */
function open(t: TestContext) {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: 1000 });
  t.after(() => {
    mock.timers.reset();
  });
  const told: string[] = [];
  const tell = (event: TrafficEvent) =>
    told.push(
      event.type === "exchange" ? `${event.state} ${event.connection.remote ?? "nowhere"}` : "message",
    );
  const clock = { monotonicMs: 5, epochMs: 1000 };
  const connections = new Connections(clock, { bodyLimit: 1000, showSecrets: false }, () => "node");
  const flow = new TrafficFlow(connections, tell);
  const batch = (...records: Buffer[]) => {
    for (const record of decodeRecords(ring(...records)).records) if ("object" in record) flow.fold(record);
    flow.settle();
  };
  return { flow, told, batch };
}

test("traffic flow: an exchange whose addresses are in the next batch is told with them", (t) => {
  const { flow, told, batch } = open(t);
  batch(...exchange);
  assert.deepStrictEqual([told, flow.counts.exchanges], [["pending nowhere"], 0]);
  batch(addresses);
  assert.deepStrictEqual([told.at(-1), flow.counts.exchanges], ["complete 127.0.0.1:443", 1]);
  mock.timers.tick(1000);
  assert.equal(told.length, 2);
});

test("traffic flow: an exchange whose addresses do not come is told without, 50 ms later", (t) => {
  const { told, batch } = open(t);
  batch(...exchange);
  mock.timers.tick(49);
  assert.deepStrictEqual(told, ["pending nowhere"]);
  mock.timers.tick(1);
  assert.deepStrictEqual(told, ["pending nowhere", "complete nowhere"]);
});

for (const cause of ["closed", "untraced"] as const) {
  test(`traffic flow: what waits is told when its process is ${cause}`, (t) => {
    const { flow, told, batch } = open(t);
    batch(...exchange);
    flow.endProcess(7, cause);
    assert.deepStrictEqual(told, ["pending nowhere", "complete nowhere"]);
  });
}

test("traffic flow: the end of the trace tells what waits, and nothing comes later", (t) => {
  const { flow, told, batch } = open(t);
  batch(...exchange);
  flow.end();
  assert.deepStrictEqual([told.at(-1), flow.counts], ["complete nowhere", { exchanges: 1, messages: 0 }]);
  mock.timers.tick(1000);
  assert.equal(told.length, 2);
});
