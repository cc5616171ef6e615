import assert from "node:assert/strict";
import { test } from "node:test";
import {
  accessibleLabel,
  evidenceMarkdown,
  processDescription,
  processLabel,
} from "../../src/extension/process-text.ts";
import { inPart, noTls, processReport } from "./process-fixture.ts";

const labels: [name: string, command: string, executable: string | null, args: string[], expected: string][] =
  [
    [
      "an interpreter shows its script",
      "node",
      "/usr/bin/node",
      ["node", "--inspect", "/srv/api.js"],
      "node api.js",
    ],
    [
      "a version in the name is no hindrance",
      "python3.11",
      "/usr/bin/python3.11",
      ["python3", "a.py"],
      "python3.11 a.py",
    ],
    [
      "code on the command line is no script",
      "python3",
      "/usr/bin/python3",
      ["python3", "-c", "import ssl"],
      "python3",
    ],
    [
      "an option's value is no script",
      "node",
      "/usr/bin/node",
      ["node", "--require", "a.cjs", "b.js"],
      "node b.js",
    ],
    [
      "a module is",
      "python3",
      "/usr/bin/python3",
      ["python3", "-u", "-m", "http.server"],
      "python3 http.server",
    ],
    ["an interpreter without a script is its name", "node", "/usr/bin/node", ["node", "-e"], "node"],
    ["a program is its name", "curl", "/usr/bin/curl", ["curl", "https://x"], "curl"],
    [
      "a process that renamed itself keeps its name",
      "nginx",
      "/usr/sbin/nginx",
      ["nginx: worker process"],
      "nginx",
    ],
    [
      "a thread's name gives way to the program's",
      "MainThread",
      "/usr/bin/node",
      ["node", "a.js"],
      "node a.js",
    ],
    ["a process whose executable is not readable", "sshd", null, [], "sshd"],
  ];
for (const [name, command, executable, args, expected] of labels) {
  test(`process text: ${name}`, () => {
    assert.equal(processLabel({ command, executable, arguments: args }), expected);
  });
}

test("process text: one line says pid, class, stack and reason", () => {
  assert.deepStrictEqual(
    [processDescription(processReport()), processDescription(processReport(noTls))],
    [
      "4242 · node · OpenSSL 3.0.19 · the executable exports SSL_read and SSL_write",
      "4242 · no-tls · no TLS stack in the files it maps",
    ],
  );
});

test("process text: a screen reader hears what the eye sees", () => {
  assert.equal(
    accessibleLabel(processReport(), true),
    "node api.js, process 4242, being traced, traceable, OpenSSL 3.0.19, the executable exports SSL_read and SSL_write",
  );
});

test("process text: the evidence as Markdown", () => {
  const measured = { connections: 3, decrypted: 2, bytes: 100, since: "2026-01-31T12:00:00.000Z" };
  const process = processReport({ basis: "measured", measured: { ...measured, state: "confirmed" } });
  assert.equal(
    evidenceMarkdown(process),
    [
      "**node api.js** (4242)",
      "",
      "traceable, measured: the executable exports SSL\\_read and SSL\\_write",
      "",
      "- Class: node",
      "- Path: uprobe",
      "- Measured: confirmed, 2 of 3 connections decrypted, 100 bytes",
      "- Executable: `/usr/bin/node`",
      "- User: www\\-data",
      "- Service: `api.service`",
      "- Started: 2026-01-31T12:00:00.000Z",
      "",
      "**OpenSSL 3.0.19**, static in `/usr/bin/node`",
      "",
      "- SSL\\_write in .dynsym at 0x1a6b940",
      "- build id `c0ffee`",
      "",
      "Probes on `SSL_write`",
    ].join("\n"),
  );
});

test("process text: nothing that a process names itself becomes markup", () => {
  const markdown = evidenceMarkdown(
    processReport({
      ...noTls,
      command: "![x](https://evil.test/a.png)",
      executable: "/tmp/`a`\n[b](command:x)",
      user: "<img src=x>",
    }),
  );
  assert.deepStrictEqual(
    markdown.split("\n").filter((line) => /evil|tmp|img/.test(line)),
    [
      "**\\!\\[x\\]\\(https://evil.test/a.png\\)** (4242)",
      "- Executable: ``/tmp/`a` [b](command:x)``",
      "- User: \\<img src=x\\>",
    ],
  );
});

test("process text: the evidence says what probes show of a process of which they show a part, and what shows the rest", () => {
  const lines = evidenceMarkdown(processReport(inPart)).split("\n");
  assert.deepStrictEqual(
    lines.filter((line) => /^(What|Probes)/.test(line)),
    [
      "What would show the rest: Start it through the proxy.",
      "Probes on `SSL_write` show only OpenSSL 3.0.17, not Java JSSE",
    ],
  );
});
