// Finds the built style sheet and script of the HTML report.
import { readFileSync } from "node:fs";
import { builtFile } from "../installation.ts";
import type { PageAssets } from "./html.ts";

/** Throws, with the remedy, when they were not built. */
export function pageAssets(): PageAssets {
  const read = (name: string): string => readFileSync(builtFile(name), "utf8").trim();
  return { script: read("report/report.js"), style: read("report/report.css") };
}
