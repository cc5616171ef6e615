// The report in each of its forms, for whoever writes or shows it.
import type { CoverageReport } from "../../protocol/coverage.ts";
import type { ReportFormat } from "../../protocol/editor.ts";
import { htmlReport } from "./html.ts";
import { markdownReport } from "./markdown.ts";
import { pageAssets } from "./page-assets.ts";

const formats: Readonly<Record<ReportFormat, (report: CoverageReport) => string>> = {
  html: (report) => htmlReport(report, pageAssets()),
  markdown: markdownReport,
  json: (report) => `${JSON.stringify(report, null, 2)}\n`,
};

export function isReportFormat(name: string): name is ReportFormat {
  return Object.hasOwn(formats, name);
}

/** Throws, with the remedy, when HTML is wanted and its style sheet and script were not built. */
export function renderReport(report: CoverageReport, format: ReportFormat): string {
  return formats[format](report);
}
