// What is said while a report is measured, and how its file is called. Pure.
import type { CoverageReport } from "../protocol/coverage.ts";
import type { MeasureProgressParams, ReportFormat } from "../protocol/editor.ts";

export function progressMessage({ watched, confirmed, leftMs }: MeasureProgressParams): string {
  if (watched === 0) return "attaching the probes";
  const processes = watched === 1 ? "1 process" : `${watched} processes`;
  return `watching ${processes}, ${confirmed} confirmed, ${Math.ceil(leftMs / 1000)} s left`;
}

/** `tls-coverage-HOST-DATE.html`, of characters that every file system takes. */
export function reportFileName({ host, generatedAt }: CoverageReport): string {
  return `tls-coverage-${host.hostname}-${generatedAt.slice(0, 10)}.html`.replaceAll(/[^\w.-]/g, "_");
}

export function reportFormatOf(path: string): ReportFormat {
  if (path.endsWith(".json")) return "json";
  return path.endsWith(".md") || path.endsWith(".markdown") ? "markdown" : "html";
}
