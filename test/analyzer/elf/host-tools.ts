// The tools and files of this machine that a test compares with. What is missing skips the test aloud, or fails it
// where CI=true promises that everything is there.
import { execFileSync } from "node:child_process";
import { closeSync, existsSync, fstatSync, openSync, readSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { TestContext } from "node:test";
import type { ByteReader } from "../../../src/analyzer/bytes.ts";

/** Whether all of these are there: a name is looked up on the path, a path is looked at. */
export function present(test: TestContext, ...wanted: string[]): boolean {
  const directories = (process.env.PATH ?? "").split(delimiter);
  const missing = wanted.filter((name) =>
    name.startsWith("/")
      ? !existsSync(name)
      : !directories.some((directory) => existsSync(join(directory, name))),
  );
  if (missing.length === 0) return true;
  const text = `not on this machine: ${missing.join(", ")}`;
  if (process.env.CI === "true") throw new Error(text);
  test.skip(text);
  return false;
}

/** The lines that a tool prints. */
export function lines(tool: string, ...args: string[]): string[] {
  const text = execFileSync(tool, args, {
    encoding: "utf8",
    maxBuffer: 256 << 20,
    env: { ...process.env, LC_ALL: "C" },
  });
  return text.split("\n");
}

/** Reads a file in place, and counts what was read of it; close it after the test. */
export function openReader(path: string): ByteReader & { bytesRead: number; close: () => void } {
  const file = openSync(path, "r");
  return {
    size: fstatSync(file).size,
    bytesRead: 0,
    read(offset, length) {
      this.bytesRead += length;
      const buffer = Buffer.allocUnsafe(length);
      return buffer.subarray(0, readSync(file, buffer, 0, length, offset));
    },
    close: () => {
      closeSync(file);
    },
  };
}
