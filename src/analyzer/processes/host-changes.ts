// Notices which processes came, went or mapped other code than before, at little cost: what a process has mapped is read
// again only when the size of its memory changed, which loading a library or executing another program does.
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { executableFiles, parseMaps } from "./maps.ts";

interface Seen {
  /** The text of /proc/PID/statm's sizes of memory and of code (proc_pid_statm(5)). */
  size: string;
  /** What the process can run, as a short text; empty when it may not be read. */
  code: string;
}

export class HostChanges {
  readonly #procfs: string;
  #seen = new Map<number, Seen>();

  constructor(procfs = "/proc") {
    this.#procfs = procfs;
  }

  /**
   * Names what is there now: equal texts mean that no process came or went and none mapped another file to run.
   * Throws when /proc itself cannot be read.
   */
  fingerprint(): string {
    const seen = new Map<number, Seen>();
    for (const name of readdirSync(this.#procfs)) {
      if (!/^[1-9]\d*$/.test(name)) continue;
      const pid = Number(name);
      const size = sizeOf(this.#text(pid, "statm"));
      const before = this.#seen.get(pid);
      seen.set(pid, before?.size === size ? before : { size, code: this.#code(pid) });
    }
    this.#seen = seen;
    return [...seen].map(([pid, { code }]) => `${pid} ${code}`).join("\n");
  }

  #code(pid: number): string {
    const files = executableFiles(parseMaps(this.#text(pid, "maps")));
    const identities = files.map(({ device, inode, path }) => `${device} ${inode} ${path}`);
    return createHash("sha1").update(identities.join("\n")).digest("base64");
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
