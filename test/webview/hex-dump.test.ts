import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFromHex, hexLine, hexLineCount } from "../../webview/live-traffic/hex-dump.ts";

const bytes = Uint8Array.from([0x47, 0x45, 0x54, 0x20, 0x2f, 0x0d, 0x0a, 0x00, 0x7f, 0xff]);

test("hex dump: gives offset, digits and printable characters", () => {
  assert.equal(hexLineCount(bytes, 8), 2);
  assert.deepStrictEqual(hexLine(bytes, 0, 8), {
    offset: "00000000",
    hex: "47 45 54 20  2f 0d 0a 00",
    ascii: "GET /...",
  });
});

test("hex dump: pads the last line to the width of the others", () => {
  const { offset, hex, ascii } = hexLine(bytes, 1, 8);
  assert.deepStrictEqual([offset, hex.length, hex.trimEnd(), ascii], ["00000008", 24, "7f ff", ".."]);
});

test("hex dump: reads hex digits up to the first that is none", () => {
  assert.deepStrictEqual([...bytesFromHex("00ffA1")], [0, 255, 161]);
  assert.deepStrictEqual([...bytesFromHex("00f")], [0]);
  assert.deepStrictEqual([...bytesFromHex("00zz11")], [0]);
});
