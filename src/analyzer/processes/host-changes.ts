// Notices which processes came, went or mapped other code than before, at little cost: what a process has mapped is read
// again only when the size of its memory changed, which loading a library or executing another program does.
import { readFileSync, readdirSync } from "node:fs";
import { executableFiles, parseMaps } from "./maps.ts";

interface Seen {
  /** The text of /proc/PID/statm's sizes of memory and of code (proc_pid_statm(5)). */
  size: string;
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
   * Processes that came, went or mapped another file to run since the last look; at the first look all.
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
      if (known?.code === now.code) changed.delete(pid);
      else changed.add(pid);
    }
    this.#seen = seen;
    return changed;
  }

  #lookAt(pid: number, known: Seen | undefined): Seen {
    const size = sizeOf(this.#text(pid, "statm"));
    if (known?.size === size) return known;
    const files = executableFiles(parseMaps(this.#text(pid, "maps")));
    return { size, code: files.map(({ device, inode, path }) => `${device} ${inode} ${path}`).join("\n") };
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

/** Without the resident and shared pages, which change with every page that is touched. */
function sizeOf(statm: string): string {
  const [size = "", , , code = ""] = statm.split(" ");
  return `${size} ${code}`;
}
