import assert from "node:assert/strict";
import { test } from "node:test";
import { executableFiles, parseMaps, withinRoot } from "../../../src/analyzer/processes/maps.ts";

const range = "7f1d5c000000-7f1d5c021000";

test("maps: gives path, device, inode and range of a mapped file", () => {
  const [mapping] = parseMaps(`${range} r-xp 00002000 fe:01 247026                     /usr/bin/cat\n`);
  assert.deepStrictEqual(mapping, {
    file: { path: "/usr/bin/cat", device: "fe:01", inode: 247026, deleted: false, range },
    executable: true,
  });
});

test("maps: names the range of a low address as map_files does, without leading zeros", () => {
  const ranges = ["00400000-006b9000", "00000000-00001000", "08048000-7f1d5c000000"];
  const text = ranges.map((padded) => `${padded} r-xp 00000000 08:01 12 /usr/bin/go-app`).join("\n");
  assert.deepStrictEqual(
    parseMaps(text).map(({ file }) => file.range),
    ["400000-6b9000", "0-1000", "8048000-7f1d5c000000"],
  );
});

const paths: [about: string, printed: string, path: string, deleted: boolean][] = [
  ["keeps spaces in a path", "/opt/my app/lib ssl.so", "/opt/my app/lib ssl.so", false],
  ["undoes the kernel's escape of a newline", "/opt/a\\012b", "/opt/a\nb", false],
  ["knows a deleted file", "/usr/lib/libssl.so.3 (deleted)", "/usr/lib/libssl.so.3", true],
  ["takes only one mark off a deleted file", "/x (deleted) (deleted)", "/x (deleted)", true],
  ["keeps a program that lives in memory only", "/memfd:runc (deleted)", "/memfd:runc", true],
];
for (const [about, printed, path, deleted] of paths) {
  test(`maps: ${about}`, () => {
    const [mapping] = parseMaps(`${range} r-xp 00000000 08:01 12 ${printed}`);
    assert.deepStrictEqual(mapping?.file, { path, device: "08:01", inode: 12, deleted, range });
  });
}

const unusable: [about: string, text: string][] = [
  ["nothing", ""],
  ["a blank line", "\n\n"],
  ["anonymous memory", `${range} rw-p 00000000 00:00 0 `],
  ["the heap", `${range} rw-p 00000000 00:00 0                          [heap]`],
  ["the vdso", `${range} r-xp 00000000 00:00 0                          [vdso]`],
  ["an anonymous inode", `${range} r-xp 00000000 00:0e 1044 anon_inode:[io_uring]`],
  ["a file without an inode", `${range} r-xp 00000000 00:00 0 /usr/bin/cat`],
  ["a line that ends early", `${range} r-xp 0000`],
  ["a range without an end", "7f1d5c000000- r-xp 00000000 08:01 12 /usr/bin/cat"],
  ["a range that is too long", `1${"0".repeat(16)}-2 r-xp 00000000 08:01 12 /usr/bin/cat`],
  ["permissions that are none", `${range} abcd 00000000 08:01 12 /usr/bin/cat`],
  ["an inode that is no number", `${range} r-xp 00000000 08:01 x2 /usr/bin/cat`],
  ["a device without a minor", `${range} r-xp 00000000 08 12 /usr/bin/cat`],
  ["a relative path", `${range} r-xp 00000000 08:01 12 usr/bin/cat`],
  ["binary noise", "\u0000\u0001\uffff\ud800"],
];
for (const [about, text] of unusable) {
  test(`maps: leaves out ${about}, and keeps what follows`, () => {
    const good = `${range} r--p 00000000 08:01 12 /usr/bin/cat`;
    assert.deepStrictEqual(
      parseMaps(`${text}\n${good}\n`).map(({ file }) => file.path),
      ["/usr/bin/cat"],
    );
  });
}

test("maps: lists each file that can be run once, by inode and not by path, with the size of its code", () => {
  const text = [
    `1000-2000 r--p 00000000 08:01 1 /usr/bin/app`,
    `2000-3000 r-xp 00001000 08:01 1 /usr/bin/app`,
    `4000-6000 r-xp 00001000 08:01 1 /usr/bin/app`,
    `5000-6000 r--p 00000000 08:01 3 /usr/share/data`,
    `6000-7000 r-xp 00000000 08:01 2 /usr/lib/libssl.so.3 (deleted)`,
    `7fffdc000000-7fffffffe000 r-xp 00000000 08:01 4 /usr/lib/libssl.so.3`,
  ].join("\n");
  assert.deepStrictEqual(
    executableFiles(parseMaps(text)).map(({ inode, range, codeBytes }) => [inode, range, codeBytes]),
    [
      [1, "2000-3000", 0x3000],
      [2, "6000-7000", 0x1000],
      [4, "7fffdc000000-7fffffffe000", 0x23ffe000],
    ],
  );
});

const roots: [path: string, root: string, expected: string][] = [
  ["/usr/bin/x", "/", "/usr/bin/x"],
  ["/srv/jail/usr/bin/x", "/srv/jail", "/usr/bin/x"],
  ["/srv/jailer/x", "/srv/jail", "/srv/jailer/x"],
];
for (const [path, root, expected] of roots) {
  test(`maps: ${path} under the root ${root} is ${expected} to the process`, () => {
    assert.equal(withinRoot(path, root), expected);
  });
}
