import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FileReader } from "../../../src/analyzer/processes/file-reader.ts";

const folder = mkdtempSync(join(tmpdir(), "plainsight-reader-"));
after(() => {
  rmSync(folder, { recursive: true });
});

function open(name: string, text: string): FileReader {
  writeFileSync(join(folder, name), text);
  return FileReader.open(join(folder, name));
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

test("file reader: gives what there is, also across its blocks, and nothing past the end", () => {
  const text = Array.from({ length: 20_000 }, (_, i) => String(i).padStart(5)).join("");
  const reader = open("blocks", text);
  const ranges = [
    [0, 5],
    [32_766, 4],
    [30_000, 70_000],
    [99_999, 50],
    [100_000, 1],
    [-1, 4],
  ] as const;
  assert.deepStrictEqual(
    ranges.map(([offset, length]) => textOf(reader.read(offset, length))),
    ranges.map(([offset, length]) => (offset < 0 ? "" : text.slice(offset, offset + length))),
  );
  reader.close();
});

test("file reader: what a closed reader had is not seen through the next, nor changed while one is open", () => {
  const first = open("first", "a".repeat(40_000));
  const other = open("other", "o".repeat(10));
  const kept = other.read(0, 10);
  first.read(0, 10);
  first.close();
  const next = open("next", "b".repeat(10));
  assert.equal(textOf(next.read(0, 100)), "b".repeat(10));
  assert.equal(textOf(kept), "o".repeat(10));
  next.close();
  other.close();
});
