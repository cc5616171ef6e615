import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FileReader } from "../../../src/analyzer/processes/file-reader.ts";
import { openMappedFile } from "../../../src/analyzer/processes/mapped-file.ts";

const folder = mkdtempSync(join(tmpdir(), "plainsight-"));
after(() => {
  rmSync(folder, { recursive: true });
});

/** A /proc with one process, whose root is a folder, and whose mapped and own files are what the test makes of them. */
const own = join(folder, "7");
mkdirSync(join(own, "root/usr/lib"), { recursive: true });
mkdirSync(join(own, "map_files"));
const library = join(own, "root/usr/lib/libssl.so.3");
writeFileSync(library, "the library");
writeFileSync(join(folder, "old"), "the old library");
writeFileSync(join(folder, "program"), "the program");
symlinkSync(join(folder, "old"), join(own, "map_files/1000-2000"));
symlinkSync(join(folder, "program"), join(own, "exe"));

const identity = ((): { device: string; inode: number } => {
  const reader = FileReader.open(library);
  reader.close();
  return reader.identity;
})();
const mapped = { path: "/usr/lib/libssl.so.3", deleted: false, range: "1000-2000", ...identity };

const cases: [about: string, file: typeof mapped, executable: boolean, text: string | null][] = [
  ["takes the path in the process's own root when the inode agrees", mapped, false, "the library"],
  [
    "takes the mapping itself when the path holds another file",
    { ...mapped, inode: 1 },
    false,
    "the old library",
  ],
  [
    "takes the mapping itself on a device that only it knows",
    { ...mapped, device: "00:99" },
    false,
    "the old library",
  ],
  [
    "takes the executable's link where it may not open mappings",
    { ...mapped, inode: 1, range: "0-1" },
    true,
    "the program",
  ],
  [
    "accepts the inode where devices are named differently",
    { ...mapped, device: "00:99", range: "0-1" },
    false,
    "the library",
  ],
  ["refuses another file under the same path", { ...mapped, inode: 1, range: "0-1" }, false, null],
  [
    "refuses a deleted file of which only the inode agrees",
    { ...mapped, device: "00:99", deleted: true, range: "0-1" },
    false,
    null,
  ],
];
for (const [about, file, executable, text] of cases) {
  test(`mapped file: ${about}`, () => {
    const { reader, problem } = openMappedFile(folder, 7, file, executable);
    const found = reader === null ? null : Buffer.from(reader.read(0, 100)).toString();
    reader?.close();
    assert.equal(found, text);
    assert.equal(problem === null, text !== null);
  });
}

test("mapped file: takes the mapping itself where the process's root cannot be entered", () => {
  const [alone, lost] = [join(folder, "8"), join(folder, "9")];
  mkdirSync(join(alone, "map_files"), { recursive: true });
  mkdirSync(lost);
  for (const process of [alone, lost]) symlinkSync(join(folder, "nowhere"), join(process, "root"));
  symlinkSync(library, join(alone, "map_files/1000-2000"));
  const { reader } = openMappedFile(folder, 8, mapped, false);
  assert.equal(reader && Buffer.from(reader.read(0, 100)).toString(), "the library");
  reader?.close();
  const { problem } = openMappedFile(folder, 9, mapped, true);
  assert.match(problem ?? "", /ENOENT/);
});

test("file reader: refuses what is no regular file, and does not wait for a FIFO's writer", () => {
  assert.throws(() => FileReader.open(folder), /not a regular file|EISDIR/);
});

test("file reader: names the device as stat(2) does", () => {
  const { dev } = statSync(library);
  const [major = 0, minor = 0] = identity.device.split(":").map((part) => Number.parseInt(part, 16));
  assert.equal(major * 256 + minor, dev);
});

test("file reader: gives the same bytes as the whole file, whatever is asked", () => {
  const path = join(folder, "large");
  const whole = Buffer.alloc(200_001, 0).map((_, index) => (index * 31 + (index >> 8)) & 255);
  writeFileSync(path, whole);
  const reader = FileReader.open(path);
  const asked: [number, number][] = [
    [0, 1],
    [32_760, 16],
    [32_768, 32_768],
    [10, 150_000],
    [65_530, 40_000],
    [200_000, 10],
    [200_001, 1],
    [199_990, 1e9],
    [-1, 5],
    [0.5, 5],
    [5, -1],
    [5, Number.NaN],
    [Number.MAX_SAFE_INTEGER, 5],
    [1e300, 5],
  ];
  for (const [offset, length] of asked) {
    const expected =
      Number.isSafeInteger(offset) && offset >= 0 && length > 0
        ? whole.subarray(offset, offset + length)
        : [];
    assert.deepStrictEqual(
      Buffer.from(reader.read(offset, length)),
      Buffer.from(expected),
      `${offset} ${length}`,
    );
  }
  reader.close();
});
