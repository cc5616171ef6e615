// Noticing libraries that a process loads later: the dynamic linker calls an empty function, made for debuggers, each
// time it has mapped something (glibc elf/dl-debug.c, musl ldso/dynlink.c). And the places where TLS would be.
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, join } from "node:path";
import { readElf } from "../elf/elf-file.ts";
import { openMappedFile } from "../processes/mapped-file.ts";
import type { FoundFunction, MappedFile } from "../stacks/finding.ts";
import { libraryKind } from "../stacks/table.ts";

const hookName = "_dl_debug_state";

/** The function of this process's dynamic linker to probe; null when it has none that can be read. */
export function findLinkerHook(pid: number, file: MappedFile): FoundFunction | null {
  const { reader } = openMappedFile("/proc", pid, file, false);
  if (reader === null) return null;
  try {
    const { elf } = readElf(reader);
    const symbol = elf?.definedSymbols(new Set([hookName]))[0];
    if (elf === null || symbol === undefined) return null;
    const bytes = elf.bytesAt(symbol.fileOffset, 16);
    return { name: hookName, role: "library", fileOffset: symbol.fileOffset, bytes };
  } finally {
    reader.close();
  }
}

const folders = [
  "/usr/lib/x86_64-linux-gnu",
  "/lib/x86_64-linux-gnu",
  "/usr/lib64",
  "/lib64",
  "/usr/lib",
  "/lib",
  "/usr/local/lib",
  "/usr/local/lib64",
];

/**
 * The TLS libraries in the system's usual folders, below the root of a process (`/proc/PID/root`, or nothing for our
 * own): paths as that process sees them.
 */
export function usualLibraries(root: string): string[] {
  return folders.flatMap((folder) =>
    namesIn(root + folder)
      .filter((name) => ["stack", "boundary"].includes(libraryKind(name) ?? ""))
      .map((name) => `${folder}/${name}`),
  );
}

/** Runtimes that carry their TLS in the executable, where PATH finds them: a script far down may start one. */
export function usualExecutables(): string[] {
  const paths = (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "node"))
    .filter((path) => existsSync(path))
    .map((path) => realpathSync(path));
  return [...new Set(paths)];
}

/** What is in a folder; nothing where there is none, or it may not be read. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // most of those that are looked into do not exist
  }
}
