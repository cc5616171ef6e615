import assert from "node:assert/strict";
import { test } from "node:test";
import { processReport } from "../../../src/analyzer/coverage/process-report.ts";
import { coveredPercent, summarise } from "../../../src/analyzer/coverage/summary.ts";
import { rules } from "../../../src/analyzer/coverage/verdicts.ts";
import type { ProcessFacts } from "../../../src/analyzer/process-facts.ts";
import type { MappedFile, StackFinding } from "../../../src/analyzer/stacks/finding.ts";
import type { HostReport } from "../../../src/protocol/coverage.ts";

const open: HostReport["paths"] = {
  uprobe: { available: true },
  agent: { available: false, reason: "later" },
  mitm: { available: false, reason: "later" },
  xdp: { available: false, reason: "later" },
};
const closed: HostReport["paths"] = { ...open, uprobe: { available: false, reason: "not permitted" } };

const file = (path: string): MappedFile => ({
  path,
  device: "08:01",
  inode: 1,
  deleted: false,
  range: "1-2",
});

function facts(executable: string | null, libraries: string[] = []): ProcessFacts {
  return {
    pid: 7,
    parentPid: 1,
    startedAt: "2026-01-31T12:00:00.000Z",
    command: "app",
    arguments: ["app"],
    executable,
    workingDirectory: "/",
    user: "root",
    container: null,
    service: null,
    files: [executable ?? "/app", ...libraries].map(file),
  };
}

const functions = [
  { name: "SSL_read", role: "read", fileOffset: 0x1000, bytes: new Uint8Array(16) },
  { name: "SSL_write", role: "write", fileOffset: 0x1100, bytes: new Uint8Array(16) },
] as const;

const goFunctions: StackFinding["functions"] = [
  { name: "crypto/tls.(*Conn).Read", role: "go-read", fileOffset: 0x1000, bytes: new Uint8Array(16) },
  {
    name: "crypto/tls.(*Conn).writeRecordLocked",
    role: "go-write",
    fileOffset: 0x1100,
    bytes: new Uint8Array(16),
  },
];

function finding(stack: StackFinding["stack"], stated: Partial<StackFinding> = {}): StackFinding {
  return {
    stack,
    linkage: "dynamic",
    file: file("/lib/libssl.so.3"),
    buildId: null,
    version: null,
    symbols: "dynsym",
    evidence: [],
    functions: [...functions],
    ...stated,
  };
}
const dynamic = finding("openssl");
const inProgram = { linkage: "static", file: file("/bin/app") } as const;
const dark: Partial<StackFinding> = { ...inProgram, functions: [], symbols: "none" };
const jsse = finding("jsse", {
  linkage: "managed",
  file: file("/lib/libjvm.so"),
  functions: [],
  symbols: "none",
});

const nspr = file("/lib/libnspr4.so");
const nssAlone = finding("nss", {
  file: file("/lib/libssl3.so"),
  functions: [{ name: "SSL_ImportFD", role: "new", fileOffset: 0x1000, bytes: new Uint8Array(16) }],
});
const nss: StackFinding = {
  ...nssAlone,
  boundary: nspr,
  functions: [
    { name: "PR_Read", role: "read-known", file: nspr, fileOffset: 0x100, bytes: new Uint8Array(16) },
    { name: "PR_Write", role: "write-known", file: nspr, fileOffset: 0x200, bytes: new Uint8Array(16) },
    ...nssAlone.functions,
  ],
};

interface Case {
  findings?: StackFinding[];
  executable?: string | null;
  libraries?: string[];
  own?: string | null;
  problems?: string[];
  paths?: HostReport["paths"];
}
/** Each row: the process, and `class path verdict code`. */
const cases: [about: string, process: Case, expected: string][] = [
  ["a shared OpenSSL", { findings: [dynamic] }, "dynamic-openssl uprobe traceable exported-symbols"],
  [
    "a shared OpenSSL, where probes are not permitted",
    { findings: [dynamic], paths: closed },
    "dynamic-openssl uprobe dark uprobe-unavailable",
  ],
  [
    "an OpenSSL in the program, named by .symtab",
    { findings: [finding("openssl", { ...inProgram, symbols: "symtab" })] },
    "static-openssl uprobe traceable local-symbols",
  ],
  [
    "an OpenSSL in the program, named by a separate debug file",
    { findings: [finding("openssl", { ...inProgram, symbols: "debug-file" })] },
    "static-openssl uprobe traceable debug-file-symbols",
  ],
  [
    "an OpenSSL in the program without symbols",
    { findings: [finding("openssl", dark)] },
    "static-openssl mitm proxy no-symbols",
  ],
  ["a LibreSSL", { findings: [finding("libressl")] }, "dynamic-openssl uprobe traceable exported-symbols"],
  [
    "a shared BoringSSL",
    { findings: [finding("boringssl")] },
    "dynamic-boringssl uprobe traceable exported-symbols",
  ],
  [
    "a BoringSSL in the program, with symbols",
    { findings: [finding("boringssl", { ...inProgram, symbols: "symtab" })] },
    "static-boringssl uprobe traceable local-symbols",
  ],
  [
    "Chromium: a BoringSSL without symbols in the program, and NSS beside it",
    {
      findings: [nss, finding("boringssl", dark)],
      libraries: ["/usr/lib/x86_64-linux-gnu/libnss3.so"],
    },
    "static-boringssl xdp dark own-trust-unseen",
  ],
  [
    "Bun: a BoringSSL without symbols in the program",
    { findings: [finding("boringssl", dark)] },
    "static-boringssl mitm proxy no-symbols",
  ],
  [
    "OpenSSL of another architecture",
    { findings: [finding("openssl", { functions: [] })] },
    "dynamic-openssl uprobe dark other-architecture",
  ],
  [
    "Node",
    { findings: [finding("openssl", inProgram)], own: "node" },
    "node uprobe traceable exported-symbols",
  ],
  [
    "Node on a shared OpenSSL",
    { findings: [dynamic], own: "node" },
    "node uprobe traceable exported-symbols",
  ],
  ["a JVM", { findings: [jsse], libraries: ["/lib/libjvm.so"] }, "jvm mitm proxy no-native-boundary"],
  ["a JVM whose library was not found", { executable: "/usr/bin/java" }, "jvm mitm proxy no-native-boundary"],
  [
    "a JVM to which netty hands a shared OpenSSL",
    { findings: [jsse, dynamic], libraries: ["/lib/libjvm.so", "/lib/libnetty-tcnative.so"] },
    "jvm uprobe traceable exported-symbols",
  ],
  [
    "a JVM to which netty hands a BoringSSL, under a longer name",
    {
      findings: [
        jsse,
        finding("boringssl", {
          ...inProgram,
          symbols: "symtab",
          file: file("/tmp/libio_grpc_netty_shaded_netty_tcnative_linux_x86_641.so"),
        }),
      ],
      libraries: ["/lib/libjvm.so"],
    },
    "jvm uprobe traceable local-symbols",
  ],
  [
    "a JVM that maps OpenSSL for a library's sake",
    { findings: [jsse, dynamic], libraries: ["/lib/libjvm.so", "/lib/libldap.so.2"] },
    "jvm mitm proxy no-native-boundary",
  ],
  [
    "a JVM that maps a library with an OpenSSL of its own",
    {
      findings: [
        jsse,
        finding("openssl", { ...inProgram, symbols: "symtab", file: file("/lib/libduckdb_java.so") }),
      ],
      libraries: ["/lib/libjvm.so"],
    },
    "jvm mitm proxy no-native-boundary",
  ],
  [
    "Go",
    { findings: [finding("go", { ...inProgram, symbols: "gopclntab", functions: goFunctions })], own: "go" },
    "go uprobe traceable go-pclntab",
  ],
  [
    "Go, uncertain",
    {
      findings: [finding("go", { ...dark, symbols: "gopclntab", obstacle: "it is left by a jump" })],
      own: "go",
    },
    "go mitm proxy go-not-certain",
  ],
  ["Go without TLS", { own: "go" }, "no-tls none no-tls no-tls-library"],
  ["GnuTLS", { findings: [finding("gnutls")] }, "gnutls uprobe traceable exported-symbols"],
  [
    "GnuTLS of another architecture",
    { findings: [finding("gnutls", { functions: [] })] },
    "gnutls uprobe dark other-architecture",
  ],
  ["NSS whose NSPR is not mapped", { findings: [nssAlone] }, "nss xdp dark own-trust-unseen"],
  [
    "NSS whose NSPR is not mapped, where the network is watched",
    { findings: [nssAlone], paths: { ...open, xdp: { available: true } } },
    "nss xdp metadata own-trust",
  ],
  ["NSS with NSPR", { findings: [nss] }, "nss uprobe traceable exported-symbols"],
  [
    "NSS with NSPR, of another architecture",
    { findings: [{ ...nss, functions: [] }] },
    "nss uprobe dark other-architecture",
  ],
  ["Mbed TLS", { findings: [finding("mbedtls")] }, "mbedtls uprobe traceable exported-symbols"],
  ["wolfSSL", { findings: [finding("wolfssl")] }, "wolfssl uprobe traceable exported-symbols"],
  ["rustls", { findings: [finding("rustls", dark)] }, "rustls mitm proxy rustls-through-proxy"],
  [
    "rustls in the program beside a shared OpenSSL",
    { findings: [finding("rustls", { ...dark, ...inProgram }), dynamic] },
    "rustls mitm proxy rustls-through-proxy",
  ],
  [
    "OpenSSL and GnuTLS, of which one is open",
    { findings: [finding("gnutls", { functions: [] }), dynamic] },
    "dynamic-openssl uprobe traceable exported-symbols",
  ],
  [
    "a BoringSSL in a module, beside a shared OpenSSL",
    { findings: [finding("boringssl", { ...dark, file: file("/lib/cygrpc.so") }), dynamic] },
    "dynamic-openssl uprobe traceable exported-symbols",
  ],
  [
    "Python that has not imported ssl",
    { executable: "/usr/bin/python3.11" },
    "no-tls none no-tls no-tls-yet",
  ],
  ["Ruby in another program", { libraries: ["/lib/libruby.so.3.1"] }, "no-tls none no-tls no-tls-yet"],
  [".NET before its first connection", { libraries: ["/x/libcoreclr.so"] }, "no-tls none no-tls no-tls-yet"],
  ["PHP-FPM", { executable: "/usr/sbin/php-fpm8.2" }, "no-tls none no-tls no-tls-yet"],
  ["Erlang", { executable: "/usr/lib/erlang/erts/bin/beam.smp" }, "unknown mitm unknown tls-in-language"],
  ["a shell", { executable: "/usr/bin/bash" }, "no-tls none no-tls no-tls-library"],
  [
    "a program that could not be read",
    { problems: ["app could not be read"] },
    "unknown none unknown unreadable-file",
  ],
  [
    "a Python whose libssl could not be read",
    { executable: "/usr/bin/python3", problems: ["libssl.so.3 could not be read"] },
    "unknown none unknown unreadable-file",
  ],
  [
    "a shared OpenSSL beside a file that could not be read",
    { findings: [dynamic], problems: ["x could not be read"] },
    "dynamic-openssl uprobe traceable exported-symbols",
  ],
];

const reports = cases.map(([about, given, expected]) => {
  const {
    findings = [],
    executable = "/bin/app",
    libraries = [],
    own = null,
    problems = [],
    paths = open,
  } = given;
  const examined = { facts: facts(executable, libraries), findings, ownRuntime: own, problems };
  return { about, expected, report: processReport(examined, paths) };
});

for (const { about, expected, report } of reports) {
  test(`coverage: judges ${about}`, () => {
    assert.equal([report.class, report.path, report.verdict, report.reason.code].join(" "), expected);
    assert.equal(report.basis, "predicted");
    assert.equal(report.measured, null);
  });
  test(`coverage: has probes for ${about} when it is traceable, and words the reason as one clause`, () => {
    if (report.verdict === "traceable") assert.notEqual(report.probes.length, 0);
    else if (!report.reason.text.endsWith(" can be probed")) assert.deepStrictEqual(report.probes, []);
    assert.match(report.reason.text, /^\S[^\n]*[^.\s]$/);
  });
  test(`coverage: has a remedy of its own for ${about} when the proxy shows it, which the reason does not name`, () => {
    const { verdict, reason } = report;
    assert.equal(reason.remedy?.includes("--path mitm") ?? false, verdict === "proxy");
    assert.doesNotMatch(reason.text, /--path|started/);
  });
}

test("coverage: every rule decides some process above", () => {
  const used = new Set(reports.map(({ report }) => report.reason.code));
  assert.deepStrictEqual(
    rules.map(({ code }) => code).filter((code) => !used.has(code)),
    [],
  );
});

const named: [about: string, finding: StackFinding, text: string][] = [
  ["a shared library", dynamic, "libssl.so.3 exports SSL_read and SSL_write"],
  [
    "a library that a stack is linked into",
    finding("openssl", { linkage: "static", file: file("/lib/_rust.abi3.so"), symbols: "symtab" }),
    "the symbol table of _rust.abi3.so names SSL_read and SSL_write",
  ],
  [
    "the executable",
    finding("openssl", { ...inProgram, symbols: "symtab" }),
    "the symbol table of the executable names SSL_read and SSL_write",
  ],
];
for (const [about, primary, text] of named) {
  test(`coverage: says of ${about} that its functions are there`, () => {
    const examined = { facts: facts("/bin/app"), findings: [primary], ownRuntime: null, problems: [] };
    assert.equal(processReport(examined, open).reason.text, text);
  });
}

test("coverage: tells what a traceable process also has and is not captured", () => {
  const examined = {
    facts: facts("/bin/app"),
    findings: [finding("gnutls", { functions: [] }), dynamic],
    ownRuntime: null,
    problems: [],
  };
  const { reason, stacks, probes } = processReport(examined, open);
  assert.match(reason.text, /; what goes through GnuTLS is not captured$/);
  assert.deepStrictEqual(
    stacks.map(({ stack }) => stack),
    ["openssl", "gnutls"],
  );
  assert.deepStrictEqual(probes, [
    { function: "SSL_read", file: "/lib/libssl.so.3", offset: "0x1000" },
    { function: "SSL_write", file: "/lib/libssl.so.3", offset: "0x1100" },
  ]);
});

test("coverage: a process that is not predicted to be traceable has the probes of its other stack, and says so", () => {
  const findings = [finding("rustls", { ...dark, ...inProgram }), dynamic];
  const examined = { facts: facts("/bin/app"), findings, ownRuntime: null, problems: [] };
  const { reason, probes } = processReport(examined, open);
  assert.match(
    reason.text,
    /^rustls is not probed in this version; what goes through OpenSSL can be probed$/,
  );
  assert.deepStrictEqual(
    probes.map(({ function: name }) => name),
    ["SSL_read", "SSL_write"],
  );
});

test("coverage: tells what could not be read, whatever the verdict", () => {
  const problems = ["libssl.so.1.1 could not be read: permission denied"];
  const examined = { facts: facts("/bin/app"), findings: [dynamic], ownRuntime: null, problems };
  assert.equal(
    processReport(examined, open).reason.text,
    "libssl.so.3 exports SSL_read and SSL_write; libssl.so.1.1 could not be read: permission denied",
  );
});

test("coverage: counts verdicts, and takes what is unknown for what may have TLS", () => {
  const [traceable, none, unknown, noRight] = ["a shared OpenSSL", "a shell", "Erlang", "Go, uncertain"].map(
    (about) => {
      const found = reports.find((it) => it.about === about);
      assert.ok(found);
      return found.report;
    },
  );
  assert.ok(traceable && none && unknown && noRight);
  const summary = summarise([traceable, traceable, none, unknown, noRight]);
  assert.deepStrictEqual(summary, {
    processes: 5,
    withTls: 3,
    traceable: 2,
    proxy: 1,
    metadata: 0,
    dark: 0,
    unknown: 1,
  });
  assert.equal(coveredPercent(summary), 50);
  assert.equal(coveredPercent(summarise([none])), null);
});
