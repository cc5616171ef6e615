import assert from "node:assert/strict";
import { test } from "node:test";
import { analyseElf, type FileAnalysis } from "../../../src/analyzer/stacks/analysis.ts";
import type { MappedFile } from "../../../src/analyzer/stacks/finding.ts";
import { findingsOf } from "../../../src/analyzer/stacks/process-findings.ts";
import { elfOf } from "./elf-of.ts";

const nss = { dynsym: ["SSL_ImportFD"] };
const nspr = { dynsym: ["PR_Read", "PR_Write"] };

function process(files: Record<string, Parameters<typeof elfOf>[0]>) {
  const analysed = Object.entries(files).map(([path, file]): [MappedFile, FileAnalysis] => [
    { path, device: "8:1", inode: 1, deleted: false, range: null },
    analyseElf(elfOf(file), path.replace(/.*\//, "")),
  ]);
  return findingsOf(new Map(analysed)).map(({ stack, version, file, boundary, functions }) => ({
    stack: `${stack} ${String(version)} ${file.path}`,
    functions: functions.map((found) => `${found.name} ${found.file?.path ?? "own"}`),
    boundary: boundary?.path ?? null,
  }));
}

test("process: NSPR alone carries no TLS", () => {
  assert.deepStrictEqual(process({ "/lib/libnspr4.so": nspr }), []);
});

test("process: NSS speaks through NSPR, whose functions come first", () => {
  assert.deepStrictEqual(process({ "/lib/libssl3.so": nss, "/lib/libnspr4.so": nspr }), [
    {
      stack: "nss null /lib/libssl3.so",
      functions: ["PR_Read /lib/libnspr4.so", "PR_Write /lib/libnspr4.so", "SSL_ImportFD own"],
      boundary: "/lib/libnspr4.so",
    },
  ]);
});

test("process: of two NSPRs the one beside NSS counts", () => {
  const files = { "/lib/libnspr4.so": nspr, "/opt/libnspr4.so": nspr, "/opt/libssl3.so": nss };
  assert.deepStrictEqual(
    process(files).map(({ boundary }) => boundary),
    ["/opt/libnspr4.so"],
  );
});

test("process: a library with both speaks through itself", () => {
  const files = { "/firefox/libnss3.so": { dynsym: [...nss.dynsym, ...nspr.dynsym] } };
  assert.deepStrictEqual(
    process(files).map(({ stack, boundary }) => [stack, boundary]),
    [["nss null /firefox/libnss3.so", "/firefox/libnss3.so"]],
  );
});

test("process: OpenSSL's version is in the libcrypto of the same folder", () => {
  const openssl = { dynsym: ["SSL_read", "SSL_write", "SSL_ctrl"] };
  const crypto = (version: string) => ({ texts: [`OpenSSL ${version} 27 Jan 2026`] });
  const files = {
    "/lib/libcrypto.so.3": crypto("3.0.19"),
    "/opt/libcrypto.so.1.1": crypto("1.1.1w"),
    "/opt/libssl.so.1.1": openssl,
  };
  assert.deepStrictEqual(
    process(files).map(({ stack }) => stack),
    ["openssl 1.1.1w /opt/libssl.so.1.1"],
  );
});
