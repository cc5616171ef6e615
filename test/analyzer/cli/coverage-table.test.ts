import assert from "node:assert/strict";
import { test } from "node:test";
import { coverageTable } from "../../../src/analyzer/cli/coverage-table.ts";
import { displayWidth } from "../../../src/analyzer/cli/terminal.ts";
import { hostile, java, node, reportOf, sample } from "../report/sample-report.ts";

test("table: at 80 columns, the reason stands under what is not traceable", () => {
  assert.equal(
    coverageTable(sample, { width: 80, colour: false }, { all: false }),
    `VERDICT       PID  PROCESS         CLASS  STACK           PATH
● traceable  4242  node api.js     node   OpenSSL 3.0.19  uprobe

○ dark         77  java stock.jar  jvm    Java JSSE       agent
             Java's own TLS needs an agent inside the JVM, which a later version
             brings

1 of 2 processes with TLS are traceable (50 %)
1 dark · 1 without TLS (--all lists it)
Predicted from symbols, not measured (plainsight report --measure does that)
Watch one: plainsight trace --pid 4242`,
  );
});

test("table: on a wide terminal, the reason has a column of its own", () => {
  assert.equal(
    coverageTable(sample, { width: 160, colour: false }, { all: true }),
    `VERDICT       PID  PROCESS         CLASS   STACK           PATH    REASON
● traceable  4242  node api.js     node    OpenSSL 3.0.19  uprobe  the executable exports SSL_read and SSL_write

○ dark         77  java stock.jar  jvm     Java JSSE       agent   Java's own TLS needs an agent inside the JVM, which a later version brings

· no-tls      100  sh              no-tls  –               none    it maps no known TLS library, and its executable carries none

1 of 2 processes with TLS are traceable (50 %)
1 dark
Predicted from symbols, not measured (plainsight report --measure does that)
Watch one: plainsight trace --pid 4242`,
  );
});

for (const width of [80, 100, 160]) {
  test(`table: fits into ${width} columns, whatever a process is called`, () => {
    const processes = [
      hostile,
      java,
      { ...node, command: "測".repeat(40), class: "static-boringssl" as const },
    ];
    const text = coverageTable(reportOf(processes), { width, colour: false }, { all: true });
    for (const line of text.split("\n")) assert.ok(displayWidth(line) <= width, line);
    assert.ok(!text.includes("\u001b"));
  });
}

test("table: colours the verdict on a terminal", () => {
  const text = coverageTable(reportOf([node]), { width: 160, colour: true }, { all: false });
  assert.ok(text.includes("\u001b[32m● traceable\u001b[39m"));
});

test("table: says that there is nothing, what was skipped, and what the host lacks", () => {
  const skipped = [1, 2, 3, 4].map((pid) => ({ pid, reason: { code: "not-readable", text: "use sudo" } }));
  const report = reportOf([], [...skipped, { pid: 9, reason: { code: "zombie", text: "it has ended" } }]);
  report.host.paths.uprobe = { available: false, reason: "no BTF" };
  assert.equal(
    coverageTable(report, { width: 80, colour: false }, { all: false }),
    `No process with TLS was found
Skipped 4 processes: use sudo
Skipped process 9: it has ended
No capture on this host: no BTF`,
  );
});
