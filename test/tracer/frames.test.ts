import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Frame, FrameDecoder, frameHead, jsonFrame, maxFrameBytes } from "../../src/tracer/frames.ts";

const frames = fc.array(
  fc.record({
    kind: fc.constantFrom("json" as const, "records" as const),
    payload: fc.uint8Array({ maxLength: 600 }),
  }),
  { maxLength: 8 },
);

test("frames: any split of the bytes gives the same frames", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
      const bytes = Buffer.concat(
        sent.flatMap(({ kind, payload }) => [frameHead(kind, payload.length), payload]),
      );
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const decoder = new FrameDecoder();
      const got: Frame[] = at.slice(1).flatMap((end, index) => decoder.push(bytes.subarray(at[index], end)));
      assert.deepStrictEqual(
        got.map(({ kind, payload }) => ({ kind, payload: Uint8Array.from(payload) })),
        sent.map(({ kind, payload }) => ({ kind, payload: Uint8Array.from(payload) })),
      );
    }),
  );
});

test("frames: what begins a frame and does not end it waits", () => {
  const decoder = new FrameDecoder();
  const frame = jsonFrame({ a: 1 });
  assert.deepStrictEqual(decoder.push(frame.subarray(0, frame.length - 1)), []);
  assert.deepStrictEqual(
    decoder.push(frame.subarray(-1)).map(({ payload }) => JSON.parse(payload.toString()) as unknown),
    [{ a: 1 }],
  );
});

const impossible: [name: string, head: number[]][] = [
  ["a length of nothing, for the kind is part of it", [0, 0, 0, 0, 0]],
  ["an unknown kind", [1, 0, 0, 0, 2]],
  ["a length beyond any frame", [1, 0, 0, 4, 0]],
  ["text", [...Buffer.from("sudo: a password is required")]],
];
for (const [name, head] of impossible) {
  test(`frames: ${name} is refused`, () => {
    assert.throws(() => new FrameDecoder().push(Buffer.from(head)), /not the tracer's protocol/);
  });
}

test("frames: the largest that there may be is waited for", () => {
  assert.deepStrictEqual(new FrameDecoder().push(frameHead("records", maxFrameBytes - 1)), []);
});
