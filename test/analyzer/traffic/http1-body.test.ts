import assert from "node:assert/strict";
import { test } from "node:test";
import { Http1Body, type BodyEnd, type BodyFraming } from "../../../src/analyzer/traffic/http1-body.ts";
import { sectionLimit } from "../../../src/analyzer/traffic/http1-lines.ts";

type Outcome = [content: string, end: BodyEnd | null, left: string];

/** Reads in pieces of this size until the body ends: what it said, how it ended, and what was not read. */
function read(framing: BodyFraming, text: string, size: number): Outcome {
  let content = "";
  const owner = {
    body: (bytes: Uint8Array) => (content += Buffer.from(bytes).toString()),
    bodyLost: () => 0,
  };
  const body = new Http1Body(owner, framing);
  const bytes = Buffer.from(text);
  let at = 0;
  while (at < bytes.length && body.end === null) at += body.read(bytes.subarray(at, at + size));
  return [content, body.end, bytes.toString("utf8", at)];
}

const broken = (code: string, text: string): BodyEnd => ({ broken: { code, text } });
const badChunk = broken("bad-chunk", "the chunked body does not follow its format");

const cases: { title: string; framing: BodyFraming; text: string; expected: Outcome }[] = [
  {
    title: "of a length ends there",
    framing: { kind: "length", byteCount: 5 },
    text: "helloGET",
    expected: ["hello", { trailers: [] }, "GET"],
  },
  {
    title: "that lasts until the close does not end by itself",
    framing: { kind: "close" },
    text: "0\r\n\r\n",
    expected: ["0\r\n\r\n", null, ""],
  },
  {
    title: "in chunks ends with its trailers, of which a line that is no field is left out",
    framing: { kind: "chunked" },
    text: "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n0\r\nDigest: x\r\nno field\r\n\r\nGET",
    expected: ["abc0123456789", { trailers: [["Digest", "x"]] }, "GET"],
  },
  {
    title: "in chunks is broken where a size is none",
    framing: { kind: "chunked" },
    text: "1\r\na\r\nsize\r\nGET",
    expected: ["a", badChunk, "GET"],
  },
];
for (const { title, framing, text, expected } of cases) {
  test(`http/1 body: one ${title}, in whatever pieces it comes`, () => {
    for (const size of [1, 2, 7, 1000])
      assert.deepStrictEqual(read(framing, text, size), expected, `${size}`);
  });
}

test("http/1 body: a chunk that is longer than it says breaks it", () => {
  for (const size of [1, 1000]) {
    const [content, end] = read({ kind: "chunked" }, "1\r\nabcdef\r\n0\r\n\r\n", size);
    assert.deepStrictEqual([content, end], ["a", badChunk]);
  }
});

test("http/1 body: trailers have the bound of a head, and the lines of chunks do not count with them", () => {
  const chunkCount = sectionLimit / 4;
  const chunks = "1;e=1\r\nx\r\n".repeat(chunkCount);
  const [content, end] = read({ kind: "chunked" }, `${chunks}0\r\n\r\n`, 1);
  assert.deepStrictEqual([content.length, end], [chunkCount, { trailers: [] }]);
  const tooMany = `0\r\n${"a: b\r\n".repeat(sectionLimit / 6 + 1)}\r\n`;
  assert.deepStrictEqual(read({ kind: "chunked" }, tooMany, 1000)[1], {
    broken: { code: "head-too-large", text: "the head is larger than 256 KiB" },
  });
});

test("http/1 body: a loss within the content keeps its place, one that may reach beyond loses it", () => {
  const lost: (number | null)[] = [];
  const owner = { body: () => undefined, bodyLost: (byteCount: number | null) => lost.push(byteCount) };
  const open = (framing: BodyFraming) => new Http1Body(owner, framing);
  const whole = open({ kind: "length", byteCount: 5 });
  assert.deepStrictEqual([whole.lose(2), whole.end], [true, null]);
  assert.deepStrictEqual([whole.lose(null), whole.lose(4)], [false, false]);
  assert.deepStrictEqual([whole.lose(3), whole.end], [true, { trailers: [] }]);
  assert.equal(open({ kind: "chunked" }).lose(1), false);
  const endless = open({ kind: "close" });
  assert.deepStrictEqual([endless.lose(null), endless.lose(7), endless.end], [true, true, null]);
  assert.deepStrictEqual(lost, [2, 3, null, 7]);
});
