import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { htmlReport } from "../../../src/analyzer/report/html.ts";
import { escapeHtml } from "../../../src/analyzer/report/html-text.ts";
import { escapeMarkdown, markdownReport } from "../../../src/analyzer/report/markdown.ts";
import {
  basisOfReport,
  capital,
  headline,
  processTitle,
  skippedByReason,
  stacksInShort,
  wholePercent,
} from "../../../src/analyzer/report/wording.ts";
import type { CoverageReport, ProcessReport } from "../../../src/protocol/coverage.ts";
import { hostile, java, node, reportOf, sample } from "./sample-report.ts";

const assets = { script: "run()", style: "b { color: red }" };
const page = (report: CoverageReport): string => htmlReport(report, assets);

test("markdown: is a headline, a table, and the evidence folded away", () => {
  assert.equal(
    markdownReport(sample),
    `# TLS coverage

**1 of 2 processes with TLS are traceable (50 %)** · 1 dark · 1 without TLS

web-1, Linux 6.18.44, x86_64, 2026-01-31T12:00:00.000Z

Predicted from symbols, not measured.

| Verdict | PID | Process | Class | Stack | Path | Reason |
| --- | --- | --- | --- | --- | --- | --- |
| traceable (predicted) | 4242 | node api.js | node | OpenSSL 3.0.19 | uprobe | the executable exports SSL_read and SSL_write |
| dark (predicted) | 77 | java stock.jar | jvm | Java JSSE | agent | Java's own TLS needs an agent inside the JVM, which a later version brings |

*traceable*: plaintext, nothing to change · *dark*: nothing can be seen

<details><summary>Evidence</summary>

- OpenSSL 3.0.19, /usr/bin/node, ebeaf2df (4242)
  - SSL_read in .dynsym at 0x1a6b180
  - SSL_write in .dynsym at 0x1a6b940
- Java JSSE, /usr/lib/jvm/lib/server/libjvm.so (77)
  - JNI_CreateJavaVM in the JVM's library: Java brings its own TLS

</details>
`,
  );
});

test("markdown: tells a file's evidence once for all its processes", () => {
  const text = markdownReport(reportOf([node, { ...node, pid: 4243 }]));
  assert.match(text, /ebeaf2df \(4242, 4243\)/);
  assert.equal(text.match(/0x1a6b180/g)?.length, 1);
});

test("markdown: processes of which all the same is said share a row, with their number", () => {
  const workers = [5001, 5002, 5003, 5004, 5005, 5006].map((pid) => ({ ...node, pid }));
  const [first, ...others] = workers.slice(0, 2);
  assert.ok(first);
  const cells = (processes: ProcessReport[]) =>
    markdownReport(reportOf(processes))
      .split("\n")
      .filter((line) => line.startsWith("| traceable"))
      .map((line) => line.split(" | ").slice(1, 3));
  assert.deepStrictEqual(cells(workers), [["5001, 5002, 5003, 5004 and 2 more", "node api.js ×6"]]);
  assert.deepStrictEqual(cells([first, java, ...others]), [["5001, 5002", "node api.js ×2"]]);
  assert.deepStrictEqual(
    cells([
      first,
      { ...first, pid: 6, reason: { code: "x", text: "y" } },
      { ...first, pid: 7, arguments: [] },
    ]),
    [
      ["5001", "node api.js"],
      ["6", "node api.js"],
      ["7", "node"],
    ],
  );
});

const escapes: [text: string, escaped: string][] = [
  ["SSL_read", "SSL_read"],
  ["_a_ *b* `c`", "\\_a\\_ \\*b\\* \\`c\\`"],
  ["a|b", "a\\|b"],
  ["[x](y)", "\\[x\\](y)"],
  ["<b>&amp;", "\\<b\\>\\&amp;"],
  ["a\nb\u001b[2J", "a b \\[2J"],
  ["https://x", "https:\\//x"],
  ["@me #1", "\\@me \\#1"],
];
for (const [text, escaped] of escapes) {
  test(`markdown: writes ${JSON.stringify(text)} as text`, () => {
    assert.equal(escapeMarkdown(text), escaped);
  });
}

test("html: escapes what strangers chose, in text and in attributes", () => {
  assert.equal(escapeHtml(`<a b="c" d='e'>&`), "&#60;a b=&#34;c&#34; d=&#39;e&#39;&#62;&#38;");
  assert.equal(escapeHtml("/opt/\u202Ehs.live"), "/opt/[U+202E]hs.live");
  const html = page(reportOf([hostile], [{ pid: 1, reason: { code: "x", text: "<i>" } }]));
  assert.doesNotMatch(html, /<script>alert|<b>\||<i>/);
  assert.match(html, /&#60;script&#62;alert\(1\)&#60;\/script&#62;/);
});

test("html: is one file that loads nothing, and runs and styles only what its policy has the hash of", () => {
  const html = page(sample);
  assert.doesNotMatch(html, /<link|<img|<iframe|src=|href=|@import|\son\w+=|\sstyle=/i);
  const hash = (text: string): string => createHash("sha256").update(text).digest("base64");
  assert.ok(
    html.includes(
      `content="default-src 'none'; style-src 'sha256-${hash(assets.style)}'; script-src 'sha256-${hash(assets.script)}'"`,
    ),
  );
});

test("html: paper has the evidence of each file once, with all its processes, and where its probes go", () => {
  const html = page(reportOf([node, { ...node, pid: 4243 }, java]));
  const paper = html.slice(html.indexOf('<div class="paper">'));
  const titles = [...paper.matchAll(/<h3>([^<]*)<\/h3>\n<p>([^<]*)<\/p>/g)].map(([, ...told]) => told);
  assert.deepStrictEqual(titles, [
    ["OpenSSL 3.0.19 · static · /usr/bin/node · build ebeaf2df", "In node api.js (4242), node api.js (4243)"],
    ["Java JSSE · managed · /usr/lib/jvm/lib/server/libjvm.so", "In java stock.jar (77)"],
  ]);
  assert.equal(paper.match(/SSL_write in \.dynsym at 0x1a6b940/g)?.length, 1);
  assert.equal(paper.match(/Probes: SSL_write at 0x166b940/g)?.length, 1);
  assert.match(paper, /node --enable-source-maps \/srv\/shop\/api\.js/);
});

test("html: a script that has its own end in a string stays one script", () => {
  const html = htmlReport(sample, { ...assets, script: 'a = "</script><!--"' });
  assert.ok(html.includes('<script>a = "\\x3C/script>\\x3C!--"</script>'));
});

test("html: closes every element that it opens", () => {
  const open: string[] = [];
  for (const [, slash, name = ""] of page(reportOf([node, java, hostile])).matchAll(
    /<(\/?)([a-z]+\d?)[^>]*>/g,
  )) {
    // Neither has an end tag: one is void, the others close themselves.
    if (["meta", "path", "rect"].includes(name)) continue;
    if (slash === "") open.push(name);
    else assert.equal(open.pop(), name);
  }
  assert.deepStrictEqual(open, []);
});

test("html: shows each process with its reason, evidence and probes", () => {
  const html = page(sample);
  for (const part of [
    "node api.js",
    "api.service",
    "SSL_write in .dynsym at 0x1a6b940",
    "SSL_write at 0x166b940",
  ]) {
    assert.ok(html.includes(part), part);
  }
});

const measured = { connections: 12, decrypted: 11, bytes: 48211, since: "2026-01-31T12:00:00.000Z" };
const confirmed: ProcessReport = {
  ...node,
  basis: "measured",
  measured: { ...measured, state: "confirmed" },
};
const silent: ProcessReport = {
  ...node,
  pid: 5,
  basis: "measured",
  verdict: "dark",
  reason: { code: "silent", text: "nothing was seen" },
  measured: { ...measured, decrypted: 0, bytes: 0, state: "silent" },
};
const unexercised: ProcessReport = {
  ...node,
  pid: 6,
  measured: { ...measured, connections: 0, decrypted: 0, bytes: 0, state: "not-exercised" },
};
const onNetwork: ProcessReport = {
  ...java,
  pid: 7,
  measured: { ...measured, decrypted: 0, bytes: 0, state: "metadata" },
};
const found: [process: ProcessReport, basis: string, clause: string][] = [
  [node, "predicted", ""],
  [confirmed, "measured: confirmed", "plaintext was seen in 11 of 12 connections, 48,211 bytes"],
  [silent, "measured: silent", "nothing was seen"],
  [unexercised, "predicted: not exercised", "no TLS connection was known to be in use while it was watched"],
  [onNetwork, "predicted: seen on the network", ""],
];
for (const [process, basis, clause] of found) {
  test(`html and markdown: tell that a verdict is ${basis}`, () => {
    for (const text of [page(reportOf([process])), markdownReport(reportOf([process]))]) {
      assert.ok(text.includes(basis) && text.includes(clause));
    }
  });
}

test("html: its last line says what each word beside a verdict means", () => {
  const html = page(reportOf([node, confirmed, silent, unexercised, onNetwork]));
  const legend = /<footer>(.*)<\/footer>/.exec(html)?.[1] ?? "";
  const words = [...html.matchAll(/<span class="basis">([^<]+)</g)].flatMap(([, basis = ""]) =>
    basis.split(": "),
  );
  assert.equal(words.length, 9);
  assert.deepStrictEqual(
    words.filter((word) => !legend.includes(`<b>${word}</b>: `)),
    [],
  );
});

const sentences: [clause: string, sentence: string][] = [
  ["the executable exports SSL_read", "The executable exports SSL_read"],
  ["it maps no known TLS library", "It maps no known TLS library"],
  ["libssl.so.3 exports SSL_read", "libssl.so.3 exports SSL_read"],
  ["a.out could not be read", "a.out could not be read"],
  ["app could not be read", "app could not be read"],
];
for (const [clause, sentence] of sentences) {
  test(`wording: ${JSON.stringify(clause)} begins as ${JSON.stringify(sentence)}`, () => {
    assert.equal(capital(clause), sentence);
    assert.ok(page(reportOf([{ ...node, reason: { code: "x", text: clause } }])).includes(`<td>${sentence}`));
  });
}

test("html: a silent process is a finding in the summary", () => {
  assert.match(
    page(reportOf([confirmed, silent])),
    /A silent process<\/h2><ul><li><b>node api\.js<\/b> 5: nothing was seen/,
  );
  assert.doesNotMatch(page(reportOf([confirmed])), /class="findings"/);
});

test("wording: says what all verdicts rest on", () => {
  assert.deepStrictEqual(
    [[node], [confirmed, silent, unexercised, java], [confirmed, onNetwork]].map((processes) =>
      basisOfReport(reportOf(processes)),
    ),
    [
      "Predicted from symbols, not measured",
      "Measured since 2026-01-31 12:00:00 UTC: 1 confirmed, 1 silent, 1 not exercised",
      "Measured since 2026-01-31 12:00:00 UTC: 1 confirmed, 0 silent, 0 not exercised, 1 seen on the network alone",
    ],
  );
});

const titles: [command: string, words: string[], title: string][] = [
  ["node", ["node", "/srv/api.js"], "node api.js"],
  ["node", ["node", "--import", "tsx", "src/api.mts"], "node api.mts"],
  ["python3", ["python3", "-m", "http.server"], "python3"],
  ["api.py", ["python3", "/srv/api.py"], "api.py"],
  ["sh", [], "sh"],
];
for (const [command, words, title] of titles) {
  test(`wording: ${command} run as ${JSON.stringify(words)} is ${title}`, () => {
    assert.equal(processTitle({ ...node, command, arguments: words }), title);
  });
}

test("wording: counts the stacks beside the first", () => {
  assert.deepStrictEqual(
    [node, { ...node, stacks: [...java.stacks, ...node.stacks] }, { ...node, stacks: [] }].map(stacksInShort),
    ["OpenSSL 3.0.19", "Java JSSE +1", "–"],
  );
});

test("wording: says how many of how many, and when there is none", () => {
  assert.equal(headline(reportOf([node])), "1 of 1 process with TLS is traceable (100 %)");
  assert.equal(headline(reportOf([])), "no process with TLS was found");
});

test("wording: rounds, but never up to all nor down to none", () => {
  assert.deepStrictEqual([0, 0.2, 33.4, 66.6, 99.9, 100].map(wholePercent), [0, 1, 33, 67, 99, 100]);
});

test("wording: groups what was skipped by reason, without the scan itself", () => {
  const forbidden = { code: "not-readable", text: "no" };
  assert.deepStrictEqual(
    skippedByReason([
      { pid: 1, reason: forbidden },
      { pid: 2, reason: { code: "self", text: "me" } },
      { pid: 3, reason: forbidden },
    ]),
    [{ ...forbidden, pids: [1, 3] }],
  );
});
