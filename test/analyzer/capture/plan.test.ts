import assert from "node:assert/strict";
import { test } from "node:test";
import { isCapturable, partsOf, planFile, planPoints } from "../../../src/analyzer/capture/plan.ts";
import type { FoundFunction, MappedFile, StackFinding } from "../../../src/analyzer/stacks/finding.ts";
import type { ProbeRole } from "../../../src/tracer/messages.ts";

const found = (name: string, role: ProbeRole, fileOffset: number): FoundFunction => ({
  name,
  role,
  fileOffset,
  bytes: Uint8Array.of(0x48, 0x83, 0xec, 0x18),
});

test("plan: where nothing is known of the code, arguments are read at the entry and results at the return", () => {
  const common = { expectedBytes: "4883ec18" };
  assert.deepStrictEqual(planPoints([found("SSL_read", "read", 0x100), found("SSL_free", "free", 0x200)]), [
    { function: "SSL_read", role: "read", site: "entry", fileOffset: 0x100, frameBias: 0, ...common },
    { function: "SSL_read", role: "read", site: "return", fileOffset: 0x100, frameBias: -8, ...common },
    { function: "SSL_free", role: "free", site: "entry", fileOffset: 0x200, frameBias: 0, ...common },
  ]);
});

test("plan: two names of one address are probed once", () => {
  const points = planPoints([found("SSL_free", "free", 0x200), found("alias", "free", 0x200)]);
  assert.equal(points.length, 1);
});

test("plan: names the file as the process sees it", () => {
  const file: MappedFile = {
    path: "/lib/libssl.so.3",
    device: "8:1",
    inode: 9,
    deleted: false,
    range: "1000-2000",
  };
  assert.deepStrictEqual(planFile(7, file, [], "file"), {
    pid: 7,
    path: "/lib/libssl.so.3",
    range: "1000-2000",
    inode: 9,
    scope: "file",
    points: [],
  });
});

test("plan: functions of two files are probed each in its own, those first that carry plaintext", () => {
  const [own, other] = [{ path: "/lib/libssl3.so" }, { path: "/lib/libnspr4.so" }] as MappedFile[];
  const write = { ...found("PR_Write", "write-known", 1), file: other };
  const make = found("SSL_ImportFD", "new", 2);
  const finding = { file: own, boundary: other, functions: [write, make] } as unknown as StackFinding;
  assert.deepStrictEqual(partsOf(finding), [
    { file: other, functions: [write] },
    { file: own, functions: [make] },
  ]);
});

test("plan: a finding without a function that carries plaintext cannot be captured", () => {
  const finding = (functions: FoundFunction[]) => ({ functions }) as unknown as StackFinding;
  assert.equal(isCapturable(finding([found("SSL_free", "free", 1), found("SSL_new", "new", 2)])), false);
  assert.equal(isCapturable(finding([found("SSL_read_ex", "read-ex", 1)])), true);
  assert.equal(isCapturable(finding([found("PR_Recv", "receive-known", 1)])), true);
});
