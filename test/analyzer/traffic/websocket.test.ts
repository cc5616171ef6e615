import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createWebSocketParser } from "../../../src/analyzer/traffic/websocket.ts";
import type { ParsedEvent } from "../../../src/analyzer/traffic/parsed.ts";

/** A frame as RFC 6455 section 5.2 draws it. */
function frame(opcode: number, payload: Uint8Array, mask: Uint8Array | null): Buffer {
  const { length } = payload;
  const size = Buffer.alloc(length < 126 ? 0 : length < 65_536 ? 2 : 8);
  if (size.length === 2) size.writeUInt16BE(length);
  if (size.length === 8) size.writeBigUInt64BE(BigInt(length));
  const short = size.length === 0 ? length : size.length === 2 ? 126 : 127;
  const masked = mask === null ? payload : payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
  return Buffer.concat([
    Buffer.from([0x80 | opcode, short | (mask ? 0x80 : 0)]),
    size,
    mask ?? Buffer.alloc(0),
    masked,
  ]);
}

const told = (events: ParsedEvent[]) =>
  events.map(
    (event) =>
      event.type === "message" && [event.protocol, event.size, Buffer.from(event.preview).toString("latin1")],
  );

const payload = fc.tuple(fc.constantFrom(0, 1, 125, 126, 300, 65_535, 65_536), fc.nat(255));
const frames = fc.array(
  fc.record({
    opcode: fc.constantFrom(0, 1, 2),
    payload,
    mask: fc.option(fc.uint8Array({ minLength: 4, maxLength: 4 })),
  }),
  { minLength: 1, maxLength: 4 },
);

test("websocket: any cut of the bytes gives the same frames, unmasked", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(200_000), { maxLength: 20 }), (list, cuts) => {
      const payloads = list.map(({ payload: [size, first] }) =>
        Buffer.alloc(size, Buffer.from([first, 1, 2])),
      );
      const bytes = Buffer.concat(
        list.map(({ opcode, mask }, index) => frame(opcode, payloads[index] ?? Buffer.alloc(0), mask)),
      );
      const places = [...cuts.map((place) => place % bytes.length).sort((a, b) => a - b), bytes.length];
      const parser = createWebSocketParser();
      const events = places.flatMap((to, index) =>
        parser.data("out", bytes.subarray(places[index - 1] ?? 0, to), 0),
      );
      assert.deepStrictEqual(
        told(events),
        payloads.map((whole) => ["websocket", whole.length, whole.subarray(0, 256).toString("latin1")]),
      );
    }),
    { numRuns: 100 },
  );
});

test("websocket: a loss inside a frame is counted in its size, and the next frame is read", () => {
  const parser = createWebSocketParser();
  const text = Buffer.from("0123456789");
  const events = [
    ...parser.data("in", frame(1, text, null).subarray(0, 5), 0),
    ...parser.lost("in", 4, 0),
    ...parser.data("in", Buffer.concat([text.subarray(7), frame(1, text, null)]), 0),
  ];
  assert.deepStrictEqual(told(events), [
    ["websocket", 10, "012"],
    ["websocket", 10, "0123456789"],
  ]);
});

test("websocket: after a loss of unknown size the bytes are shown as they are", () => {
  const parser = createWebSocketParser();
  const events = [...parser.lost("in", null, 0), ...parser.data("in", Buffer.from("abc"), 0)];
  assert.deepStrictEqual(told(events), [[null, 3, "abc"]]);
});

test("websocket: bytes that are no frame are shown as they are", () => {
  assert.deepStrictEqual(told(createWebSocketParser().data("in", Buffer.from("\x83abc", "latin1"), 0)), [
    [null, 1, "\x83"],
    [null, 3, "abc"],
  ]);
});

test("websocket: a frame cut by the end is told with the bytes that came", () => {
  const parser = createWebSocketParser();
  parser.data("in", frame(2, Buffer.from("0123456789"), null).subarray(0, 6), 0);
  assert.deepStrictEqual(told(parser.end("closed", 1)), [["websocket", 4, "0123"]]);
});
