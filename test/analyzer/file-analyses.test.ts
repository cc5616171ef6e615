// Files that somebody writes to, cuts or replaces while they are read.
import assert from "node:assert/strict";
import {
  copyFileSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FileAnalyses } from "../../src/analyzer/file-analyses.ts";
import { FileReader } from "../../src/analyzer/processes/file-reader.ts";
import type { FileAnalysis } from "../../src/analyzer/stacks/analysis.ts";
import { usualLibraries } from "../../src/analyzer/capture/linker.ts";

const folder = mkdtempSync(join(tmpdir(), "plainsight-analyses-"));
after(() => {
  rmSync(folder, { recursive: true });
});

const libssl = usualLibraries("").find((path) => path.includes("libssl.so"));
const skip = libssl === undefined && process.env.CI !== "true" ? "needs libssl" : false;
const path = join(folder, "libssl.so.3");

/** What it says of the file, when `meddle` is called once while it is read, before the read of this number. */
function analyse(analyses: FileAnalyses, meddle: () => void = () => undefined, before = 0): FileAnalysis {
  const reader = FileReader.open(path);
  const read = reader.read.bind(reader);
  let reads = 0;
  reader.read = (...range) => {
    if (reads++ === before) meddle();
    return read(...range);
  };
  try {
    const analysis = analyses.analyse(reader, path, () => null);
    assert.ok(reads > before, "it was meddled with");
    return analysis;
  } finally {
    reader.close();
  }
}

const meddlings: [about: string, meddle: () => void, tells: boolean][] = [
  [
    "cut to nothing",
    () => {
      truncateSync(path);
    },
    true,
  ],
  [
    "cut in the middle",
    () => {
      truncateSync(path, 100_000);
    },
    true,
  ],
  [
    "overwritten with zeros",
    () => {
      writeFileSync(path, Buffer.alloc(readFileSync(path).length));
    },
    true,
  ],
  [
    "written to and no longer than before",
    () => {
      utimesSync(path, 1, 1);
    },
    true,
  ],
  [
    "replaced by another under its name",
    () => {
      writeFileSync(`${path}.new`, "not ELF");
      renameSync(`${path}.new`, path);
    },
    false,
  ],
  [
    "removed",
    () => {
      rmSync(path);
    },
    false,
  ],
];
for (const [about, meddle, tells] of meddlings) {
  for (const before of [0, 1, 5, 40]) {
    test(`analyses: a file that is ${about} before read ${before} is read again`, { skip }, () => {
      const restore = () => {
        copyFileSync(libssl ?? "", path);
      };
      restore();
      const whole = analyse(new FileAnalyses());
      assert.deepStrictEqual([whole.stacks[0]?.stack, whole.problem], ["openssl", null]);

      const analyses = new FileAnalyses();
      const torn = analyse(analyses, meddle, before);
      // A file that was replaced or removed is still the one that is open.
      if (!tells) assert.deepStrictEqual(torn, whole);
      else assert.match(torn.problem ?? "", /./);
      rmSync(path, { force: true });
      restore();
      assert.deepStrictEqual(analyse(analyses), whole);
    });
  }
}
