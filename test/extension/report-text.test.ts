import assert from "node:assert/strict";
import { test } from "node:test";
import { progressMessage, reportFileName, reportFormatOf } from "../../src/extension/report-text.ts";
import { coverageReport } from "./process-fixture.ts";

test("report text: the progress says what happens", () => {
  assert.equal(progressMessage({ watched: 0, confirmed: 0, leftMs: 5000 }), "attaching the probes");
  assert.equal(
    progressMessage({ watched: 1, confirmed: 0, leftMs: 4200 }),
    "watching 1 process, 0 confirmed, 5 s left",
  );
});

test("report text: a file name that every file system takes", () => {
  const report = coverageReport([]);
  const named = { ...report, host: { ...report.host, hostname: "web/1 ü" } };
  assert.match(reportFileName(named), /^tls-coverage-web_1__-\d{4}-\d\d-\d\d\.html$/);
});

test("report text: the ending of the name is the format", () => {
  const formats = ["/a/b.html", "/a/b.md", "/a/b.json", "/a/b"].map(reportFormatOf);
  assert.deepStrictEqual(formats, ["html", "markdown", "json", "html"]);
});
