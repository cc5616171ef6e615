import assert from "node:assert/strict";
import { test } from "node:test";
import { type Assembled, RecordAssembly } from "../../../../src/analyzer/network/hello/record-assembly.ts";
import { block, clientHello, largeHello, number, records } from "./hellos.ts";

type Segment = [offset: number, bytes: Uint8Array];

/** The answer to the last of the segments, and that all before it were incomplete. */
function assembled(segments: Segment[]): Assembled {
  const assembly = new RecordAssembly();
  const answers = segments.map(([offset, bytes]) => assembly.push(offset, bytes));
  assert.deepStrictEqual(
    answers.slice(0, -1).filter(({ state }) => state !== "incomplete"),
    [],
  );
  return answers.at(-1) ?? { state: "incomplete" };
}

function segmentsOf(stream: Uint8Array, size: number): Segment[] {
  return Array.from({ length: Math.ceil(stream.length / size) }, (_, index) => [
    index * size,
    stream.subarray(index * size, (index + 1) * size),
  ]);
}

const hello = largeHello();
const stream = records(hello);
const whole: Assembled = { state: "whole", handshake: new Uint8Array(hello) };
const tooLong: Assembled = {
  state: "problem",
  reason: { code: "hello-too-long", text: "the ClientHello is longer than 64 KiB or in too many pieces" },
};
const interrupted: Assembled = {
  state: "problem",
  reason: {
    code: "hello-malformed",
    text: "the ClientHello is interrupted by something that is no part of it",
  },
};

test("records: a hello in one segment, with what follows it", () => {
  assert.deepStrictEqual(assembled([[0, stream]]), whole);
  assert.deepStrictEqual(assembled([[0, Buffer.concat([stream, Buffer.of(20, 3, 3, 0, 1, 1)])]]), whole);
});

test("records: a hello cut in two at every byte, in order and reversed", () => {
  for (let cut = 1; cut < stream.length; cut++) {
    const parts: Segment[] = [
      [0, stream.subarray(0, cut)],
      [cut, stream.subarray(cut)],
    ];
    assert.deepStrictEqual(assembled(parts), whole, `cut at ${cut}`);
    assert.deepStrictEqual(assembled(parts.toReversed()), whole, `cut at ${cut}, reversed`);
  }
});

test("records: single bytes in order, and as many as are kept aside in reverse", () => {
  assert.deepStrictEqual(assembled(segmentsOf(stream, 1)), whole);
  assert.deepStrictEqual(assembled(segmentsOf(stream, Math.ceil(stream.length / 64)).toReversed()), whole);
});

test("records: segments twice, and overlapping each other on both sides", () => {
  const parts = segmentsOf(stream, 100);
  assert.deepStrictEqual(
    assembled(parts.flatMap((part) => (part === parts.at(-1) ? [part] : [part, part]))),
    whole,
  );
  const overlapping: Segment[] = [
    [300, stream.subarray(300, 900)],
    [100, stream.subarray(100, 400)],
    [50, stream.subarray(50, 1000)],
    [0, stream.subarray(0, 60)],
    [10, stream.subarray(10)],
  ];
  assert.deepStrictEqual(assembled(overlapping), whole);
});

test("records: of bytes that contradict, the first to come count", () => {
  const other = Buffer.alloc(stream.length, 0xff);
  const parts: Segment[] = [
    [200, stream.subarray(200, 300)],
    [0, stream.subarray(0, 100)],
    [0, other.subarray(0, 100)],
    [200, other.subarray(0, 100)],
    [100, stream.subarray(100)],
  ];
  assert.deepStrictEqual(assembled(parts), whole);
});

test("records: a hello over several records, down to one byte in each", () => {
  for (const fragmentBytes of [1, 2, 3, 4, 5, 63, 64, hello.length - 1]) {
    const fragmented = records(hello, fragmentBytes);
    assert.deepStrictEqual(assembled([[0, fragmented]]), whole, `${fragmentBytes} bytes a record`);
    assert.deepStrictEqual(
      assembled(segmentsOf(fragmented, 7)),
      whole,
      `${fragmentBytes} bytes a record, cut`,
    );
  }
});

test("records: segments that cannot belong there change nothing", () => {
  const noise = Buffer.alloc(50, 0xff);
  const offsets = [-1, -50, 2 ** 17, 2 ** 32 - 1, 2 ** 60, Number.NaN, Infinity, 0.5];
  const parts = offsets.map((offset): Segment => [offset, noise]);
  assert.deepStrictEqual(
    assembled([[0, stream.subarray(0, 700)], ...parts, [700, stream.subarray(700)]]),
    whole,
  );
});

test("records: what does not begin with a ClientHello is not TLS, as soon as that is seen", () => {
  const beginnings: Record<string, string> = {
    "a request of HTTP": "47",
    "another record": "17",
    "another version": "1602",
    "an empty record": "1603010000",
    "a record that is too large": "1603014001",
    "a ServerHello": "160301007a02",
  };
  for (const [what, beginning] of Object.entries(beginnings)) {
    const bytes = Buffer.from(beginning, "hex");
    assert.deepStrictEqual(assembled(segmentsOf(bytes, 1)), { state: "not-tls" }, what);
  }
  assert.deepStrictEqual(assembled([[0, Buffer.from("160301007a", "hex")]]), { state: "incomplete" });
});

test("records: a hello that another record interrupts is a problem", () => {
  const first = records(hello, 100).subarray(0, 105);
  assert.deepStrictEqual(
    assembled([[0, Buffer.concat([first, Buffer.of(21, 3, 3, 0, 2, 1, 0)])]]),
    interrupted,
  );
  assert.deepStrictEqual(assembled([[0, Buffer.concat([first, Buffer.of(22, 3, 1, 0, 0)])]]), interrupted);
});

test("records: a hello of 64 KiB is taken, a longer one is a problem at its length", () => {
  const ofBytes = (bytes: number) => {
    const extra = bytes - clientHello({ extensions: [[21, Buffer.alloc(0)]] }).length;
    return clientHello({ extensions: [[21, Buffer.alloc(extra)]] });
  };
  const largest = ofBytes(65_535);
  assert.deepStrictEqual(assembled(segmentsOf(records(largest), 1460)), {
    state: "whole",
    handshake: new Uint8Array(largest),
  });
  const endless = Buffer.concat([Buffer.of(1), block(3, Buffer.alloc(65_533))]);
  assert.deepStrictEqual(assembled([[0, records(endless).subarray(0, 9)]]), tooLong);
});

test("records: too many pieces are a problem, or no TLS where the first byte never came", () => {
  const apart = (start: number) =>
    Array.from({ length: 65 }, (_, index): Segment => [start + 2 * index, stream.subarray(0, 1)]);
  assert.deepStrictEqual(assembled([[0, stream.subarray(0, 10)], ...apart(11)]), tooLong);
  assert.deepStrictEqual(assembled(apart(1)), { state: "not-tls" });
  const begun = records(Buffer.concat([Buffer.of(1), number(3, 60_000)]), 1);
  const inSmallRecords = Buffer.concat([begun, Buffer.alloc(2 ** 17, Buffer.of(22, 3, 1, 0, 1, 0))]);
  assert.deepStrictEqual(assembled([[0, inSmallRecords]]), tooLong);
});

test("records: an answer stays, and holds no memory", () => {
  const assembly = new RecordAssembly();
  assembly.push(0, stream.subarray(0, 500));
  assert.ok(assembly.isBegun);
  assert.ok(assembly.heldBytes >= 495);
  const answer = assembly.push(500, stream.subarray(500));
  assert.equal(assembly.heldBytes, 0);
  assert.equal(assembly.push(0, Buffer.of(1)), answer);
});

test("records: what was told is in memory of its own", () => {
  const mine = Buffer.from(stream);
  const assembly = new RecordAssembly();
  assembly.push(700, mine.subarray(700));
  mine.fill(0, 700);
  assembly.push(0, mine.subarray(0, 700));
  const answer = assembly.push(0, mine);
  mine.fill(0);
  assert.deepStrictEqual(answer, whole);
});
