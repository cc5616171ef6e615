// Analyses files, each state of each file once: a host's hundred processes share some dozen libraries.
import { basename } from "node:path";
import { readElf } from "./elf/elf-file.ts";
import type { FileReader } from "./processes/file-reader.ts";
import { analyseElf } from "./stacks/analysis.ts";
import type { FileAnalysis } from "./stacks/analysis.ts";

/** Analyses kept; a long-lived server meets new builds of the same program all the time. */
const keptAnalyses = 4096;

export class FileAnalyses {
  readonly #byIdentity = new Map<string, FileAnalysis>();
  readonly #byBuild = new Map<string, FileAnalysis>();

  /** @param path only its base name counts */
  analyse(reader: FileReader, path: string): FileAnalysis {
    const name = basename(path);
    const { device, inode, size, modifiedNs } = reader.identity;
    const identity = [name, device, inode, size, modifiedNs].join(" ");
    const known = this.#byIdentity.get(identity);
    if (known !== undefined) return known;

    const reading = readElf(reader);
    const buildId = reading.elf?.buildId ?? null;
    // Stripping changes the size and keeps the build id.
    const build = buildId === null ? null : [name, buildId, size].join(" ");
    const same = build === null ? undefined : this.#byBuild.get(build);
    const analysis = same ?? analyseElf(reading, name);
    remember(this.#byIdentity, identity, analysis);
    if (build !== null) remember(this.#byBuild, build, analysis);
    return analysis;
  }
}

function remember(analyses: Map<string, FileAnalysis>, key: string, analysis: FileAnalysis): void {
  const oldest = analyses.keys().next();
  if (analyses.size >= keptAnalyses && oldest.done !== true) analyses.delete(oldest.value);
  analyses.set(key, analysis);
}
