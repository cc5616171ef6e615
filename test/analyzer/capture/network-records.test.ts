import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  endsLayout,
  headerLayout,
  helloLayout,
  lifetimeLayout,
  PS_RECORD_CLOSED,
  PS_RECORD_HELLO,
  PS_RECORD_OPEN,
  PS_RECORD_OWNER,
} from "../../../src/analyzer/capture/layout.ts";
import { decodeRecords } from "../../../src/analyzer/capture/records.ts";
import { ring } from "./ring.ts";

interface EndsFields {
  family: 2 | 10;
  protocol: 6 | 17;
  local: [address: number[], port: number];
  remote: [address: number[], port: number];
}

const ipv4: EndsFields = {
  family: 2,
  protocol: 6,
  local: [[10, 0, 0, 1], 40_000],
  remote: [[10, 0, 0, 2], 443],
};
const sixteen = (last: number) => [0xfd, 0x83, ...Array.from({ length: 13 }, () => 0), last];
const ipv6: EndsFields = { family: 10, protocol: 17, local: [sixteen(1), 443], remote: [sixteen(2), 65_535] };

function writeEnds(record: Buffer, at: number, { family, protocol, local, remote }: EndsFields): void {
  record.set(local[0], at + endsLayout.local);
  record.set(remote[0], at + endsLayout.remote);
  record.writeUInt16LE(local[1], at + endsLayout.localPort);
  record.writeUInt16LE(remote[1], at + endsLayout.remotePort);
  record.writeUInt16LE(family, at + endsLayout.family);
  record.writeUInt16LE(protocol, at + endsLayout.protocol);
}

interface HelloFields {
  ends?: EndsFields;
  pid?: number;
  socket?: bigint;
  direction?: 0 | 1;
  verdict?: number;
  payload?: string;
  /** What the record says of its payload. */
  payloadBytes?: number;
}

function hello(fields: HelloFields = {}): Buffer {
  const { ends = ipv4, pid = 7, socket = 0xffff_8880_1234_5678n, direction = 0, verdict = 0 } = fields;
  const { payload = "part", payloadBytes = payload.length } = fields;
  const head = Buffer.alloc(helloLayout.bytes);
  head.writeUInt32LE(PS_RECORD_HELLO, headerLayout.record);
  head.writeUInt32LE(pid, headerLayout.pid);
  head.writeBigUInt64LE(5_000_000n, headerLayout.monotonicNs);
  writeEnds(head, helloLayout.ends, ends);
  head.writeBigUInt64LE(socket, helloLayout.socket);
  head.writeUInt32LE(3, helloLayout.interface);
  head.writeUInt32LE(4_000_000_000, helloLayout.start);
  head.writeUInt32LE(1448, helloLayout.offset);
  head.writeUInt32LE(payloadBytes, helloLayout.payloadBytes);
  head.writeUInt8(direction, helloLayout.direction);
  head.writeUInt8(verdict, helloLayout.verdict);
  head.write("curl\0left over", helloLayout.command);
  return Buffer.concat([head, Buffer.from(payload)]);
}

function lifetime(kind: number, pid: number): Buffer {
  const record = Buffer.alloc(lifetimeLayout.bytes);
  record.writeUInt32LE(kind, headerLayout.record);
  record.writeUInt32LE(pid, headerLayout.pid);
  record.writeBigUInt64LE(9_000_000n, headerLayout.monotonicNs);
  writeEnds(record, lifetimeLayout.ends, ipv4);
  record.writeBigUInt64LE(0xa1n, lifetimeLayout.socket);
  record.writeBigUInt64LE(4_000_000n, lifetimeLayout.establishedNs);
  record.writeBigUInt64LE(5_000_000_000n, lifetimeLayout.bytesOut);
  record.writeBigUInt64LE(12n, lifetimeLayout.bytesIn);
  record.writeUInt8(2, lifetimeLayout.said);
  record.write("a name of 16 byt", lifetimeLayout.command);
  return record;
}

const rawEnds = (of: EndsFields) => {
  const bytes = Buffer.alloc(endsLayout.bytes);
  writeEnds(bytes, 0, of);
  return bytes.toString("hex");
};

test("network records: a part of a hello, over TCP and over QUIC", () => {
  const batch = ring(
    hello(),
    hello({ ends: ipv6, pid: 0, socket: 0n, direction: 1, verdict: 3, payload: "" }),
  );
  const common = {
    type: "hello-part",
    command: "curl",
    interfaceIndex: 3,
    start: 4_000_000_000,
    offset: 1448,
    monotonicNs: 5_000_000n,
  };
  assert.deepStrictEqual(decodeRecords(batch), {
    records: [
      {
        ...common,
        ends: { transport: "tcp", local: "10.0.0.1:40000", remote: "10.0.0.2:443" },
        socket: "ffff888012345678",
        owner: 7,
        direction: "out",
        verdict: "none",
        rawEnds: rawEnds(ipv4),
        payload: Buffer.from("part"),
      },
      {
        ...common,
        ends: { transport: "quic", local: "[fd83::1]:443", remote: "[fd83::2]:65535" },
        socket: null,
        owner: null,
        direction: "in",
        verdict: "blocked",
        rawEnds: rawEnds(ipv6),
        payload: Buffer.alloc(0),
      },
    ],
    undecodedBytes: 0,
  });
});

test("network records: verdicts in the kernel's order, and one that is new is none", () => {
  const { records } = decodeRecords(ring(...[0, 1, 2, 3, 4].map((verdict) => hello({ verdict }))));
  assert.deepStrictEqual(
    records.map((record) => "verdict" in record && record.verdict),
    ["none", "held", "allowed", "blocked", "none"],
  );
});

test("network records: the payload outlives its batch", () => {
  const batch = ring(hello());
  const [record] = decodeRecords(batch).records;
  batch.fill(0);
  assert.ok(record?.type === "hello-part");
  assert.equal(Buffer.from(record.payload).toString(), "part");
});

test("network records: whose a connection is and what it carried", () => {
  const batch = ring(
    lifetime(PS_RECORD_OWNER, 7),
    lifetime(PS_RECORD_CLOSED, 0),
    lifetime(PS_RECORD_OPEN, 7),
  );
  const common = {
    ends: { transport: "tcp", local: "10.0.0.1:40000", remote: "10.0.0.2:443" },
    socket: "a1",
    command: "a name of 16 byt",
    establishedNs: 4_000_000n,
    bytesOut: 5_000_000_000,
    bytesIn: 12,
    said: "data",
    monotonicNs: 9_000_000n,
  };
  assert.deepStrictEqual(decodeRecords(batch), {
    records: [
      { type: "owner", owner: 7, ...common },
      { type: "closed", owner: null, ...common },
      { type: "open", owner: 7, ...common },
    ],
    undecodedBytes: 0,
  });
});

test("network records: what is cut is counted and left out, and what follows is read", () => {
  const cut = [
    hello({ payloadBytes: 5 }),
    hello({ payloadBytes: 2 ** 32 - 1 }),
    hello().subarray(0, helloLayout.bytes - 1),
    lifetime(PS_RECORD_CLOSED, 7).subarray(0, lifetimeLayout.bytes - 8),
  ];
  for (const record of cut) {
    const { records, undecodedBytes } = decodeRecords(ring(record, hello()));
    assert.equal(records.length, 1);
    assert.ok(undecodedBytes >= record.length, String(undecodedBytes));
  }
});

test("network records: no bytes make it throw", () => {
  const kinds = fc.constantFrom(PS_RECORD_HELLO, PS_RECORD_OWNER, PS_RECORD_CLOSED, PS_RECORD_OPEN);
  fc.assert(
    fc.property(kinds, fc.uint8Array({ minLength: headerLayout.bytes, maxLength: 300 }), (kind, bytes) => {
      const record = Buffer.from(bytes);
      record.writeUInt32LE(kind, headerLayout.record);
      decodeRecords(ring(record));
    }),
  );
});
