import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { bodyView, shownBytes } from "../../../src/analyzer/traffic/body-view.ts";
import type { BodyView, Header } from "../../../src/protocol/traffic.ts";

const unmasked = (text: string) => text;
const whole = (bytes: Uint8Array) => ({ size: bytes.length, kept: bytes, complete: true });
const text = "Grüße, decoded. ".repeat(20);
const plain = Buffer.from(text);

const cases: [name: string, bytes: Uint8Array, headers: Header[], expected: BodyView | null][] = [
  ["nothing for an empty body", Buffer.alloc(0), [], null],
  ["text as UTF-8", plain, [], { text }],
  [
    "text in its charset",
    Buffer.from("\xe9t\xe9", "latin1"),
    [["Content-Type", "text/plain; charset=ISO-8859-1"]],
    { text: "été" },
  ],
  [
    "UTF-16 by its charset",
    Buffer.from("hé", "utf16le"),
    [["content-type", 'text/plain; charset="utf-16le"']],
    { text: "hé" },
  ],
  ["text under a charset nobody knows", plain, [["content-type", "text/plain; charset=x-none"]], { text }],
  ["binary bytes as hex", Buffer.from([0, 1, 255]), [["content-type", "text/plain"]], { hex: "0001ff" }],
  ["terminal colours as text", Buffer.from("\u001b[1mbold"), [], { text: "\u001b[1mbold" }],
  ["gzip", zlib.gzipSync(plain), [["Content-Encoding", "GZIP"]], { text, decodedFrom: "gzip" }],
  ["x-gzip", zlib.gzipSync(plain), [["content-encoding", "x-gzip"]], { text, decodedFrom: "x-gzip" }],
  ["deflate", zlib.deflateSync(plain), [["content-encoding", "deflate"]], { text, decodedFrom: "deflate" }],
  [
    "raw deflate",
    zlib.deflateRawSync(plain),
    [["content-encoding", "deflate"]],
    { text, decodedFrom: "deflate" },
  ],
  ["brotli", zlib.brotliCompressSync(plain), [["content-encoding", "br"]], { text, decodedFrom: "br" }],
  [
    "several encodings, last one first",
    zlib.brotliCompressSync(zlib.gzipSync(plain)),
    [
      ["content-encoding", "gzip, identity"],
      ["content-encoding", "br"],
    ],
    { text, decodedFrom: "gzip, br" },
  ],
  [
    "a transfer coding beside chunked",
    zlib.gzipSync(plain),
    [["transfer-encoding", "gzip, chunked"]],
    { text, decodedFrom: "gzip" },
  ],
  [
    "bytes that are not what their encoding says",
    Buffer.from("not gzip"),
    [["content-encoding", "gzip"]],
    { text: "not gzip", problem: "it is not valid gzip" },
  ],
  [
    "bytes in an encoding nobody knows",
    Buffer.from("abc"),
    [["content-encoding", "own"]],
    { text: "abc", problem: "its content encoding is not supported: own" },
  ],
];
for (const [name, bytes, headers, expected] of cases) {
  test(`body: shows ${name}`, () => {
    assert.deepStrictEqual(bodyView(whole(bytes), headers, unmasked), expected);
  });
}

test("body: shows zstd where Node has it, and says so where not", () => {
  const { zstdCompressSync } = zlib as unknown as { zstdCompressSync?: (bytes: Uint8Array) => Uint8Array };
  const bytes = zstdCompressSync?.(plain) ?? Buffer.from("abc");
  assert.deepStrictEqual(
    bodyView(whole(bytes), [["content-encoding", "zstd"]], unmasked),
    zstdCompressSync
      ? { text, decodedFrom: "zstd" }
      : { text: "abc", problem: "its content encoding is not supported: zstd" },
  );
});

for (const [encoding, encode] of [
  ["gzip", zlib.gzipSync],
  ["deflate", zlib.deflateSync],
  ["br", zlib.brotliCompressSync],
] as const) {
  test(`body: shows what a cut ${encoding} body has`, () => {
    const long = Array.from({ length: 5000 }, (_, index) => `line ${index * 7919}\n`).join("");
    const bytes = encode(Buffer.from(long));
    const kept = bytes.subarray(0, Math.floor(bytes.length / 2));
    const view = bodyView(
      { size: bytes.length, kept, complete: true },
      [["content-encoding", encoding]],
      unmasked,
    );
    assert.ok(view?.text !== undefined && view.text.length > 1000 && long.startsWith(view.text));
    assert.deepStrictEqual([view.omittedBytes, view.decodedFrom], [bytes.length - kept.length, encoding]);
  });

  test(`body: a ${encoding} bomb is unpacked to a megabyte at most, and says so`, () => {
    const bomb = encode(Buffer.alloc(20 * 1024 * 1024, "a"));
    const view = bodyView(whole(bomb), [["content-encoding", encoding]], unmasked);
    assert.ok(view?.text !== undefined && view.text.length <= 1024 * 1024);
    assert.match(view.problem ?? "", /unpacks to more than/);
  });
}

test("body: a character cut at the body limit does not make it binary", () => {
  const bytes = Buffer.from("é");
  assert.deepStrictEqual(
    bodyView({ size: 10, kept: Buffer.concat([bytes, bytes.subarray(0, 1)]), complete: true }, [], unmasked),
    {
      text: "é",
      omittedBytes: 7,
    },
  );
});

test("body: one that was cut by a close says so", () => {
  assert.deepStrictEqual(bodyView({ size: 2, kept: Buffer.from("ab"), complete: false }, [], unmasked), {
    text: "ab",
    problem: "not all of it was seen",
  });
});

test("body: masks what is shown, text after decoding and binary byte for byte", () => {
  const mask = (shown: string, filler = "#") => shown.replace("secret", filler.repeat(3));
  assert.deepStrictEqual(
    bodyView(whole(zlib.gzipSync("a secret")), [["content-encoding", "gzip"]], mask)?.text,
    "a ###",
  );
  assert.deepStrictEqual(shownBytes(Buffer.from("\0\xffsecret", "latin1"), null, false, mask), {
    hex: "00ff2a2a2a",
  });
});
