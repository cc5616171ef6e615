// A small report with one process of each kind, and names that a stranger chose badly.
import type { CoverageReport, ProcessReport } from "../../../src/protocol/coverage.ts";
import { summarise } from "../../../src/analyzer/coverage/summary.ts";

const plain: ProcessReport = {
  pid: 100,
  parentPid: 1,
  startedAt: "2026-01-31T11:59:00.000Z",
  command: "sh",
  arguments: ["sh"],
  executable: "/bin/sh",
  user: "root",
  container: null,
  service: null,
  class: "no-tls",
  runtime: null,
  stacks: [],
  path: "none",
  verdict: "no-tls",
  basis: "predicted",
  reason: { code: "no-tls-library", text: "it maps no known TLS library, and its executable carries none" },
  probes: [],
  measured: null,
};

export const node: ProcessReport = {
  ...plain,
  pid: 4242,
  command: "node",
  arguments: ["node", "--enable-source-maps", "/srv/shop/api.js"],
  executable: "/usr/bin/node",
  service: "api.service",
  class: "node",
  runtime: "node",
  stacks: [
    {
      stack: "openssl",
      linkage: "static",
      file: "/usr/bin/node",
      buildId: "ebeaf2df",
      version: "3.0.19",
      symbols: "dynsym",
      evidence: ["SSL_read in .dynsym at 0x1a6b180", "SSL_write in .dynsym at 0x1a6b940"],
    },
  ],
  path: "uprobe",
  verdict: "traceable",
  reason: { code: "exported-symbols", text: "the executable exports SSL_read and SSL_write" },
  probes: [{ function: "SSL_write", file: "/usr/bin/node", offset: "0x166b940" }],
};

export const java: ProcessReport = {
  ...plain,
  pid: 77,
  command: "java",
  arguments: ["java", "-jar", "/srv/stock.jar"],
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
      evidence: ["JNI_CreateJavaVM in the JVM's library: Java brings its own TLS"],
    },
  ],
  path: "agent",
  verdict: "dark",
  reason: {
    code: "no-native-boundary",
    text: "Java's own TLS needs an agent inside the JVM, which a later version brings",
  },
};

/** Markup, a table cell's border, an escape sequence and wide characters. */
export const hostile: ProcessReport = {
  ...node,
  pid: 4_194_303,
  command: "<b>|`\u001b[2J測試",
  arguments: ["x", "<script>alert(1)</script>"],
  service: null,
  reason: { code: "exported-symbols", text: "a_b exports *this* & [that](javascript:x)" },
};

export const sample: CoverageReport = reportOf([node, plain, java]);

export function reportOf(
  processes: ProcessReport[],
  skipped: CoverageReport["skipped"] = [],
): CoverageReport {
  return {
    schema: "plainsight.coverage/1",
    generatedAt: "2026-01-31T12:00:00.000Z",
    host: {
      hostname: "web-1",
      kernel: "6.18.44",
      arch: "x86_64",
      paths: {
        uprobe: { available: true },
        agent: { available: false, reason: "later" },
        mitm: { available: false, reason: "later" },
        xdp: { available: false, reason: "later" },
      },
    },
    processes,
    skipped,
    summary: summarise(processes),
  };
}
