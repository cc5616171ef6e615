// Notices which processes came, went, took another name or mapped other code than before, at little cost: what a process
// has mapped is read again only when the size of its memory changed, as when it loads a library or another program.
import { readFileSync, readdirSync } from "node:fs";
import { executableFiles, parseMaps } from "./maps.ts";
import { parseStat } from "./stat.ts";

interface Seen {
  /** When it started, for an id may be used again, and its name. */
  identity: string;
  memoryBytes: number;
  /** What the process can run; empty when it may not be read. */
  code: string;
}

export class HostChanges {
  readonly #procfs: string;
  #seen = new Map<number, Seen>();

  constructor(procfs = "/proc") {
    this.#procfs = procfs;
  }

  /**
   * Processes that came, went, took another name or mapped another file to run since the last look; at the first look all.
   * Throws when /proc itself cannot be read.
   */
  look(): Set<number> {
    const before = this.#seen;
    const seen = new Map<number, Seen>();
    const changed = new Set(before.keys());
    for (const name of readdirSync(this.#procfs)) {
      if (!/^[1-9]\d*$/.test(name)) continue;
      const pid = Number(name);
      const known = before.get(pid);
      const now = this.#lookAt(pid, known);
      seen.set(pid, now);
      if (known?.code === now.code && known.identity === now.identity) changed.delete(pid);
      else changed.add(pid);
    }
    this.#seen = seen;
    return changed;
  }

  #lookAt(pid: number, known: Seen | undefined): Seen {
    const stat = parseStat(this.#text(pid, "stat"));
    const { memoryBytes = 0, startTicks = 0, command = "", kernelThread = true } = stat ?? {};
    // A kernel thread's name tells what it is working on.
    const identity = kernelThread ? "" : `${startTicks} ${command}`;
    if (known?.identity === identity && known.memoryBytes === memoryBytes) return known;
    const files = executableFiles(parseMaps(this.#text(pid, "maps")));
    const code = files.map(({ device, inode, path }) => `${device} ${inode} ${path}`).join("\n");
    return { identity, memoryBytes, code };
  }

  /** Empty for what is gone or may not be read: that is an answer as well. */
  #text(pid: number, name: string): string {
    try {
      return readFileSync(`${this.#procfs}/${pid}/${name}`, "utf8");
    } catch {
      return "";
    }
  }
}
