import assert from "node:assert/strict";
import { test } from "node:test";
import { Connections, type TrafficEvent } from "../../../src/analyzer/capture/connections.ts";
import { decodeRecords } from "../../../src/analyzer/capture/records.ts";
import { data, free, ring, serverName, socket } from "./ring.ts";

const request = (body: number) => `POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: ${body}\r\n\r\n`;
const response = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const addresses = socket({ family: 2, local: [[127, 0, 0, 1], 4000], remote: [[127, 0, 0, 1], 443] });

/** Monotonic 5 ms of the records is 1005 ms of the epoch. */
function open(): { connections: Connections; fold: (...records: Buffer[]) => TrafficEvent[] } {
  const clock = { monotonicMs: 0, epochMs: 1000 };
  const connections = new Connections(clock, { bodyLimit: 1000, showSecrets: false }, () => "node");
  return {
    connections,
    fold: (...records) =>
      decodeRecords(ring(...records)).records.flatMap((record) =>
        "object" in record ? connections.fold(record) : [],
      ),
  };
}

function told(events: TrafficEvent[]) {
  return events.flatMap((event) => {
    if (event.type === "message") return [`message ${event.direction} ${event.size}`];
    const { state, request, response, connection, problem } = event;
    if (state === "pending") return [];
    return [[state, request?.target, response?.status, connection.remote, problem?.code].join(" ")];
  });
}

test("connections: an exchange waits for the addresses, which follow its bytes", () => {
  const { connections, fold } = open();
  assert.deepStrictEqual(told(fold(data({ text: request(0) }), data({ text: response, direction: 1 }))), []);
  assert.equal(connections.holds, true);
  assert.deepStrictEqual(told(fold(addresses)), ["complete /a 200 127.0.0.1:443 "]);
  assert.equal(connections.holds, false);
});

test("connections: what waits is released without addresses, once its time is over", () => {
  const { connections, fold } = open();
  fold(data({ text: request(0) }), data({ text: response, direction: 1 }));
  assert.deepStrictEqual(told(connections.release(1004)), []);
  assert.deepStrictEqual(told(connections.release(1005)), ["complete /a 200  "]);
  assert.deepStrictEqual(told(connections.release(9999)), []);
});

test("connections: the server's name and the role belong to every event", () => {
  const { fold } = open();
  const events = fold(
    serverName("localhost"),
    addresses,
    data({ text: request(0) }),
    data({ text: response, direction: 1 }),
  );
  assert.deepStrictEqual(events.at(-1)?.connection, {
    id: "7:abc:10",
    role: "client",
    local: "127.0.0.1:4000",
    remote: "127.0.0.1:443",
    serverName: "localhost",
  });
});

test("connections: a gap in the position is a loss, and the exchange is not complete", () => {
  const { fold } = open();
  const head = request(10);
  const events = fold(
    addresses,
    data({ text: head }),
    data({ text: "ABC", position: head.length + 7 }),
    data({ text: response, direction: 1 }),
  );
  const [event] = events.filter((given) => given.type === "exchange" && given.state !== "pending");
  assert.ok(event?.type === "exchange");
  assert.deepStrictEqual([event.state, event.request?.bodySize], ["incomplete", 10]);
});

test("connections: bytes that could not be read are a loss in their place", () => {
  const { fold } = open();
  const head = request(10);
  const events = fold(
    addresses,
    data({ text: head }),
    data({ text: "", position: head.length, unreadableBytes: 10 }),
    data({ text: response, direction: 1 }),
    data({ text: request(0), position: head.length + 10 }),
    data({ text: response, direction: 1, position: response.length }),
  );
  assert.deepStrictEqual(
    told(events).map((line) => line.split(" ").slice(0, 3).join(" ")),
    ["incomplete /a 200", "complete /a 200"],
  );
});

test("connections: addresses or a name that come first do not make it seen from its start", () => {
  for (const first of [addresses, serverName("localhost")]) {
    const { connections, fold } = open();
    const events = [
      ...fold(first, data({ text: "the rest of an earlier body", direction: 1, fromStart: false })),
      ...fold(data({ text: request(0), fromStart: false })),
      ...fold(data({ text: response, direction: 1, position: 27, fromStart: false })),
      ...connections.endAll(2000),
    ];
    assert.deepStrictEqual(
      told(events).filter((line) => line.startsWith("complete /a 200")).length,
      1,
      told(events).join("\n"),
    );
  }
});

test("connections: a freed one ends, and its address may serve the next", () => {
  const { fold } = open();
  assert.deepStrictEqual(told(fold(addresses, data({ text: request(0) }), free())), [
    "incomplete /a  127.0.0.1:443 connection-closed",
  ]);
  assert.deepStrictEqual(told(fold(free())), []);
});

test("connections: with its process ends all that it had", () => {
  const { connections, fold } = open();
  fold(addresses, data({ text: request(0) }));
  assert.deepStrictEqual(connections.endProcess(8, "closed", 2000), []);
  assert.match(told(connections.endProcess(7, "untraced", 2000)).join(), /^incomplete \/a/);
  assert.deepStrictEqual(connections.endAll(2000), []);
});
