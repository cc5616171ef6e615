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

/** Java with a native stack that its verdict does not speak of. */
export const inPart: Partial<ProcessReport> = {
  command: "java",
  arguments: ["java", "-jar", "/srv/shop/shop.jar"],
  executable: "/usr/bin/java",
  class: "jvm",
  runtime: "jvm",
  stacks: [
    {
      stack: "jsse",
      linkage: "managed",
      file: "/usr/lib/jvm/lib/server/libjvm.so",
      buildId: null,
      version: null,
      symbols: "none",
      evidence: [],
    },
    {
      stack: "openssl",
      linkage: "dynamic",
      file: "/usr/lib/libssl.so.3",
      buildId: null,
      version: "3.0.17",
      symbols: "dynsym",
      evidence: [],
    },
  ],
  path: "mitm",
  verdict: "proxy",
  reason: { code: "no-native-boundary", text: "Java's own TLS; what goes through OpenSSL can be probed" },
  probes: [{ function: "SSL_write", file: "/usr/lib/libssl.so.3", offset: "0x1000" }],
};

export function coverageReport(
  processes: ProcessReport[],
  skipped: CoverageReport["skipped"] = [],
): CoverageReport {
  const no = { available: false as const, reason: "belongs to a later version" };
  const yes = { available: true as const };
  return {
    schema: "plainsight.coverage/1",
    generatedAt: "2026-01-31T12:00:00.000Z",
    host: {
      hostname: "host",
      kernel: "6.18.0",
      arch: "x86_64",
      paths: { uprobe: yes, agent: no, mitm: yes, xdp: yes },
    },
    processes,
    skipped,
    summary: { processes: 0, withTls: 0, traceable: 0, proxy: 0, metadata: 0, dark: 0, unknown: 0 },
  };
}
