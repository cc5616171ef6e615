// A process report for the tests of the extension, whole, with what a test cares about put in.
import type { CoverageReport, ProcessReport } from "../../src/protocol/coverage.ts";

export function processReport(changes: Partial<ProcessReport> = {}): ProcessReport {
  return {
    pid: 4242,
    parentPid: 1,
    startedAt: "2026-01-31T12:00:00.000Z",
    command: "node",
    arguments: ["node", "--inspect", "/srv/shop/api.js"],
    executable: "/usr/bin/node",
    user: "www-data",
    container: null,
    service: "api.service",
    class: "node",
    runtime: "node",
    stacks: [
      {
        stack: "openssl",
        linkage: "static",
        file: "/usr/bin/node",
        buildId: "c0ffee",
        version: "3.0.19",
        symbols: "dynsym",
        evidence: ["SSL_write in .dynsym at 0x1a6b940"],
      },
    ],
    path: "uprobe",
    verdict: "traceable",
    basis: "predicted",
    reason: { code: "exported-symbols", text: "the executable exports SSL_read and SSL_write" },
    probes: [{ function: "SSL_write", file: "/usr/bin/node", offset: "0x166b940" }],
    measured: null,
    ...changes,
  };
}

export const noTls: Partial<ProcessReport> = {
  command: "bash",
  arguments: ["bash"],
  executable: "/usr/bin/bash",
  class: "no-tls",
  runtime: null,
  stacks: [],
  path: "none",
  verdict: "no-tls",
  reason: { code: "no-stack", text: "no TLS stack in the files it maps" },
  probes: [],
};

export function coverageReport(
  processes: ProcessReport[],
  skipped: CoverageReport["skipped"] = [],
): CoverageReport {
  const no = { available: false as const, reason: "belongs to a later version" };
  return {
    schema: "plainsight.coverage/1",
    generatedAt: "2026-01-31T12:00:00.000Z",
    host: {
      hostname: "host",
      kernel: "6.18.0",
      arch: "x86_64",
      paths: { uprobe: { available: true }, agent: no, mitm: no, xdp: no },
    },
    processes,
    skipped,
    summary: { processes: 0, withTls: 0, traceable: 0, proxy: 0, metadata: 0, dark: 0, unknown: 0 },
  };
}
