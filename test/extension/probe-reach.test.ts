import assert from "node:assert/strict";
import { test } from "node:test";
import { canBeTraced, isTracedInPart, reachText, restText } from "../../src/extension/probe-reach.ts";
import type { ProcessReport, StackReport } from "../../src/protocol/coverage.ts";
import { inPart, noTls, processReport } from "./process-fixture.ts";

const stackOf = (changes: Partial<StackReport>): StackReport => ({
  stack: "openssl",
  linkage: "static",
  file: "/srv/app",
  buildId: null,
  version: null,
  symbols: "none",
  evidence: [],
  ...changes,
});
const probe = (file: string) => ({ function: "write", file, offset: "0x1" });

const closed: Partial<ProcessReport> = { ...inPart, probes: [], stacks: inPart.stacks?.slice(0, 1) ?? [] };
const alike: Partial<ProcessReport> = {
  verdict: "proxy",
  reason: { code: "no-symbols", text: "" },
  stacks: [stackOf({}), stackOf({ file: "/usr/lib/libssl.so.3", version: "3.0.17" })],
  probes: [probe("/usr/lib/libssl.so.3")],
};
const throughNspr: Partial<ProcessReport> = {
  stacks: [stackOf({ stack: "nss", file: "/usr/lib/libssl3.so", boundary: "/usr/lib/libnspr4.so" })],
  probes: [probe("/usr/lib/libnspr4.so")],
};

const cases: [
  name: string,
  process: Partial<ProcessReport>,
  can: "be traced" | "be traced in part" | "not be traced",
  reach: string,
  rest: string | null,
][] = [
  ["of which all is shown", {}, "be traced", "OpenSSL 3.0.19", null],
  [
    "of which another stack can be probed",
    inPart,
    "be traced in part",
    "only OpenSSL 3.0.17, not Java JSSE",
    "For Java JSSE: through the proxy",
  ],
  [
    "with the same stack twice",
    alike,
    "be traced in part",
    "only OpenSSL 3.0.17, not OpenSSL in app",
    "For OpenSSL in app: through the proxy",
  ],
  [
    "that is traceable, and has another stack too",
    { ...inPart, verdict: "traceable" },
    "be traced",
    "only OpenSSL 3.0.17, not Java JSSE",
    null,
  ],
  [
    "of which the proxy shows no more",
    { ...inPart, verdict: "metadata", reason: { code: "own-trust", text: "" } },
    "be traced in part",
    "only OpenSSL 3.0.17, not Java JSSE",
    "For Java JSSE: names and sizes, by Watch TLS Connections",
  ],
  ["whose plaintext passes another library", throughNspr, "be traced", "NSS", null],
  ["without TLS", noTls, "not be traced", "", null],
];
for (const [name, changes, can, reach, rest] of cases) {
  test(`probe reach: a process ${name} can ${can}, and is said so`, () => {
    const process = processReport(changes);
    const part = isTracedInPart(process) ? "be traced in part" : "be traced";
    assert.deepStrictEqual(
      [canBeTraced(process) ? part : "not be traced", reachText(process), restText(process)],
      [can, reach, rest],
    );
  });
}

test("probe reach: a process of which nothing can be probed is not traced in part", () => {
  assert.deepStrictEqual(
    [canBeTraced(processReport(closed)), isTracedInPart(processReport(closed))],
    [false, false],
  );
});
