// Analyses files, each state of each file once: a host's hundred processes share some dozen libraries.
import { basename } from "node:path";
import { debugFilePaths } from "./debug-files.ts";
import { readElf } from "./elf/elf-file.ts";
import type { FileReader } from "./processes/file-reader.ts";
import { analyseElf } from "./stacks/analysis.ts";
import type { FileAnalysis } from "./stacks/analysis.ts";

/** Analyses kept; a long-lived server meets new builds of the same program all the time. */
const keptAnalyses = 4096;

/** Opens a file by its path in the view of the process that is looked at; null when it is not there. */
export type OpenInView = (path: string) => FileReader | null;

export class FileAnalyses {
  readonly #byIdentity = new Map<string, FileAnalysis>();
  readonly #byBuild = new Map<string, FileAnalysis>();

  /** @param path of the file in the same view as `open` takes */
  analyse(reader: FileReader, path: string, open: OpenInView): FileAnalysis {
    const analysis = this.#analyseAlone(reader, path);
    if (analysis.debugFile === null) return analysis;
    // Looked for each time: debug files are installed when somebody misses them.
    let last = analysis;
    for (const candidate of debugFilePaths(analysis.debugFile, path)) {
      const debug = open(candidate);
      if (debug === null) continue;
      try {
        last = this.#analyseWith(reader, path, candidate, debug);
      } finally {
        debug.close();
      }
      if (last.debugFile === null) return last;
    }
    return last;
  }

  #analyseAlone(reader: FileReader, path: string): FileAnalysis {
    const name = basename(path);
    const identity = identityOf(reader, name);
    const known = this.#byIdentity.get(identity);
    if (known !== undefined) return known;

    const reading = readElf(reader);
    const buildId = reading.elf?.buildId ?? null;
    // Stripping changes the size and keeps the build id.
    const build = buildId === null ? null : [name, buildId, reader.size].join(" ");
    const same = build === null ? undefined : this.#byBuild.get(build);
    const analysis = same ?? analyseElf(reading, name);
    if (reader.hasChanged) return changing(analysis);
    remember(this.#byIdentity, identity, analysis);
    if (build !== null) remember(this.#byBuild, build, analysis);
    return analysis;
  }

  #analyseWith(reader: FileReader, path: string, debugPath: string, debug: FileReader): FileAnalysis {
    const name = basename(path);
    const identity = `${identityOf(reader, name)} ${identityOf(debug, debugPath)}`;
    const known = this.#byIdentity.get(identity);
    if (known !== undefined) return known;
    const analysis = analyseElf(readElf(reader), name, { path: debugPath, reader: debug });
    if (reader.hasChanged || debug.hasChanged) return changing(analysis);
    remember(this.#byIdentity, identity, analysis);
    return analysis;
  }
}

/** What was read in parts from two states of a file is not kept: the next scan reads it again. */
function changing(analysis: FileAnalysis): FileAnalysis {
  return { ...analysis, problem: analysis.problem ?? "it was written to while it was read" };
}

function identityOf({ identity }: FileReader, name: string): string {
  const { device, inode, size, modifiedNs } = identity;
  return [name, device, inode, size, modifiedNs].join(" ");
}

function remember(analyses: Map<string, FileAnalysis>, key: string, analysis: FileAnalysis): void {
  const oldest = analyses.keys().next();
  if (analyses.size >= keptAnalyses && oldest.done !== true) analyses.delete(oldest.value);
  analyses.set(key, analysis);
}
