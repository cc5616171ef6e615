// Reads the text of /proc/PID/maps into mapped files (proc_pid_maps(5)). Opening them is for mapped-file-reader.ts.
import type { MappedFile } from "../stacks/finding.ts";

/** One line of the table that names a file. */
export interface Mapping {
  file: MappedFile & { range: string };
  executable: boolean;
}

const line =
  /^([0-9a-f]{1,16}-[0-9a-f]{1,16}) ([r-][w-][x-][ps]) [0-9a-f]{1,16} ([0-9a-f]+:[0-9a-f]+) (\d+) *(\/.*)$/;
const deletedMark = " (deleted)";

/** Lines that name no file (anonymous memory, `[stack]`, anonymous inodes) or that are malformed are left out. */
export function parseMaps(text: string): Mapping[] {
  const mappings: Mapping[] = [];
  for (const entry of text.split("\n")) {
    const fields = line.exec(entry);
    if (fields === null) continue;
    const [, padded = "", permissions = "", device = "", inode = "", escaped = ""] = fields;
    if (Number(inode) === 0) continue;
    // The kernel escapes the newline alone, so that a line is an entry.
    const name = escaped.replaceAll("\\012", "\n");
    const deleted = name.endsWith(deletedMark);
    const path = deleted ? name.slice(0, -deletedMark.length) : name;
    // Of low addresses, as of programs that are not position independent, the table has eight digits and map_files none
    // too many (dname_to_vma_addr of fs/proc/base.c).
    const range = padded.replace(/\b0+(?=[0-9a-f])/g, "");
    mappings.push({
      file: { path, device, inode: Number(inode), deleted, range },
      executable: permissions[2] === "x",
    });
  }
  return mappings;
}

/** The files of which a part can be run, each once with the size of all such parts, in the order of the table. */
export function executableFiles(mappings: readonly Mapping[]): MappedFile[] {
  const files = new Map<string, MappedFile & { codeBytes: number }>();
  for (const { file, executable } of mappings) {
    if (!executable) continue;
    const key = `${file.device} ${file.inode}`;
    const known = files.get(key);
    if (known === undefined) files.set(key, { ...file, codeBytes: sizeOf(file.range) });
    else known.codeBytes += sizeOf(file.range);
  }
  return [...files.values()];
}

/** Of a range of a process's memory, whose addresses a number holds exactly. */
function sizeOf(range: string): number {
  const dash = range.indexOf("-");
  return parseInt(range.slice(dash + 1), 16) - parseInt(range.slice(0, dash), 16);
}

/** Paths as a process whose root is `root` sees them: the kernel prints them from the reader's root. */
export function withinRoot(path: string, root: string): string {
  if (root === "/" || !path.startsWith(`${root}/`)) return path;
  return path.slice(root.length);
}
