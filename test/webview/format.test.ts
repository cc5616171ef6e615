import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatTime,
  shortMediaType,
  withoutOverrides,
} from "../../webview/live-traffic/format.ts";

test("format: sizes have at most three digits and their unit", () => {
  assert.deepStrictEqual(
    [0, 999, 1000, 1234, 9949, 9951, 999_499, 999_500, 5_000_000, 3e15].map(formatBytes),
    ["0 B", "999 B", "1.0 kB", "1.2 kB", "9.9 kB", "10 kB", "999 kB", "1.0 MB", "5.0 MB", "3000 TB"],
  );
});

test("format: durations go from milliseconds to hours", () => {
  assert.deepStrictEqual(
    [0, 0.44, 9.94, 12.4, 999.4, 999.6, 1204, 59_994, 59_996, 125_000].map(formatDuration),
    ["0.0 ms", "0.4 ms", "9.9 ms", "12 ms", "999 ms", "1.00 s", "1.20 s", "59.99 s", "1 min", "2 min 5 s"],
  );
  assert.deepStrictEqual([3_599_400, 3_599_600, 12_000_000, 86_400_123].map(formatDuration), [
    "59 min 59 s",
    "1 h",
    "3 h 20 min",
    "24 h",
  ]);
});

test("format: times are local, to the millisecond", () => {
  assert.equal(formatTime(new Date(2026, 0, 31, 4, 3, 7, 50).getTime()), "04:03:07.050");
  assert.equal(formatTime(NaN), "–");
});

test("format: counts agree with their noun", () => {
  assert.deepStrictEqual([formatCount(1, "row"), formatCount(12_000, "row")], ["1 row", "12,000 rows"]);
});

test("format: media types are told by what is special in them", () => {
  assert.deepStrictEqual(
    [
      "application/json",
      "text/plain",
      "image/svg+xml",
      "application/octet-stream",
      "application/x-www-form-urlencoded",
      "application/vnd.api+json",
      "constructor",
    ].map(shortMediaType),
    ["json", "text", "svg", "binary", "form", "api+json", "constructor"],
  );
});

test("format: what turns the order of a text round is shown by its number, and text of either direction stays", () => {
  assert.deepStrictEqual(["/pay\u202Egnp.exe", "\u2066a\u2069", "مرحبا", "日本語"].map(withoutOverrides), [
    "/pay[U+202E]gnp.exe",
    "[U+2066]a[U+2069]",
    "مرحبا",
    "日本語",
  ]);
});
