import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import fc from "fast-check";
import {
  PS_RECORD_EXEC,
  PS_RECORD_EXIT,
  PS_RECORD_FORK,
  PS_RECORD_LIBRARY,
} from "../../../src/analyzer/capture/layout.ts";
import { decodeRecords } from "../../../src/analyzer/capture/records.ts";
import { endpoint } from "../../../src/analyzer/endpoint.ts";
import { data, free, key, process as processRecord, ring, serverName, socket } from "./ring.ts";

const object = { pid: 7, key };
const discarded = 0x4000_0000;
const busy = 0x8000_0000;

test("records: the layout is what bpf/events.h says", () => {
  execFileSync(process.execPath, ["scripts/layout.mjs", "--check"], { stdio: "pipe" });
});

test("records: each kind, in the order of the ring", () => {
  const batch = ring(
    serverName("localhost"),
    socket({ family: 2, local: [[127, 0, 0, 1], 40_000], remote: [[10, 1, 2, 3], 443] }),
    data({ text: "hello" }),
    data({ text: "", direction: 1, position: 300, fromStart: false, unreadableBytes: 12 }),
    free(),
  );
  const monotonicNs = 5_000_000n;
  const common = { type: "data", object, monotonicNs };
  assert.deepStrictEqual(decodeRecords(batch), {
    records: [
      { type: "server-name", object, name: "localhost" },
      { type: "socket", object, local: "127.0.0.1:40000", remote: "10.1.2.3:443" },
      {
        ...common,
        direction: "out",
        position: 0,
        fromStart: true,
        payload: Buffer.from("hello"),
        unreadableBytes: 0,
        file: 5,
      },
      {
        ...common,
        direction: "in",
        position: 300,
        fromStart: false,
        payload: Buffer.alloc(0),
        unreadableBytes: 12,
        file: 5,
      },
      { type: "free", object, monotonicNs },
    ],
    undecodedBytes: 0,
  });
});

test("records: what becomes of processes", () => {
  const kinds = [PS_RECORD_EXEC, PS_RECORD_EXIT, PS_RECORD_FORK, PS_RECORD_LIBRARY];
  const { records } = decodeRecords(ring(...kinds.map((kind) => processRecord(kind, "node", 3))));
  assert.deepStrictEqual(
    records,
    ["exec", "exit", "fork", "library"].map((type) => ({
      type,
      pid: 7,
      parentPid: 3,
      command: "node",
      monotonicNs: 5_000_000n,
    })),
  );
});

test("records: a payload does not change with the batch it came in", () => {
  const batch = ring(data({ text: "hello" }));
  const [record] = decodeRecords(batch).records;
  batch.fill(0);
  assert.ok(record?.type === "data");
  assert.equal(Buffer.from(record.payload).toString(), "hello");
});

test("records: a discarded one is passed over, a busy one ends the batch", () => {
  const hello = data({ text: "hello" });
  const batch = ring(
    { record: data({ text: "no" }), flags: discarded },
    hello,
    { record: hello, flags: busy },
    hello,
  );
  const { records, undecodedBytes } = decodeRecords(batch);
  assert.equal(records.length, 1);
  assert.equal(undecodedBytes, 2 * ring(hello).length);
});

test("records: a batch cut anywhere gives what is whole and counts the rest", () => {
  const first = ring(data({ text: "hello" }));
  const batch = Buffer.concat([first, ring(data({ text: "world" }))]);
  for (let cut = 0; cut < batch.length; cut++) {
    const { records, undecodedBytes } = decodeRecords(batch.subarray(0, cut));
    // The padding after a record carries nothing.
    const whole = cut >= first.length - 3 ? 1 : 0;
    assert.equal(records.length, cut >= batch.length - 3 ? 2 : whole, `cut at ${cut}`);
    if (whole === 0) assert.equal(undecodedBytes, cut);
  }
});

const forged: [name: string, record: Buffer][] = [
  ["an unknown kind", Buffer.alloc(64, 0xff)],
  ["less than a header", Buffer.alloc(4)],
  ["a payload longer than its record", data({ text: "hello" }).subarray(0, -1)],
  ["a free without its object", free().subarray(0, 30)],
  ["a name without its end", serverName("localhost").subarray(0, 100)],
  ["half a socket", socket({ family: 2, local: [[1], 1], remote: [[1], 1] }).subarray(0, 60)],
  ["half a process", processRecord(PS_RECORD_EXIT, "node", 1).subarray(0, 40)],
];
for (const [name, record] of forged) {
  test(`records: ${name} is left out and counted`, () => {
    const { records, undecodedBytes } = decodeRecords(ring(record, free()));
    assert.deepStrictEqual([records.length, undecodedBytes], [1, 8 + record.length]);
  });
}

test("records: a name never reaches beyond its field", () => {
  const record = Buffer.concat([serverName("x".repeat(256)), Buffer.from("outside")]);
  record.writeUInt32LE(0xffff_ffff, 40);
  const [decoded] = decodeRecords(ring(record)).records;
  assert.deepStrictEqual(decoded, { type: "server-name", object, name: "x".repeat(256) });
});

test("records: never throws, whatever the bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      assert.ok(decodeRecords(Buffer.from(bytes)).undecodedBytes <= bytes.length);
    }),
  );
  const sound = ring(
    data({ text: "hello" }),
    serverName("a"),
    free(),
    processRecord(PS_RECORD_FORK, "sh", 1),
  );
  fc.assert(
    fc.property(fc.nat(sound.length - 1), fc.nat(255), (at, value) => {
      const damaged = Buffer.from(sound);
      damaged[at] = value;
      decodeRecords(damaged);
    }),
  );
});

const endpoints: [groups: number[], text: string][] = [
  [[0, 0, 0, 0, 0, 0, 0, 1], "[::1]:443"],
  [[0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], "[2001:db8::1]:443"],
  [[0x2001, 0xdb8, 0, 0, 1, 0, 0, 1], "[2001:db8::1:0:0:1]:443"],
  [[0xfe80, 0, 0, 0, 1, 2, 3, 4], "[fe80::1:2:3:4]:443"],
  [[0x2001, 0xdb8, 1, 1, 1, 1, 0, 1], "[2001:db8:1:1:1:1:0:1]:443"],
  [[0, 0, 0, 0, 0, 0xffff, 0x7f00, 1], "127.0.0.1:443"],
];
for (const [groups, text] of endpoints) {
  test(`records: ${text} is written as RFC 5952 asks`, () => {
    const address = Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 255]));
    assert.equal(endpoint(address, 443), text);
    const { records } = decodeRecords(
      ring(socket({ family: 10, local: [[...address], 443], remote: [[...address], 443] })),
    );
    assert.deepStrictEqual(records, [{ type: "socket", object, local: text, remote: text }]);
  });
}
