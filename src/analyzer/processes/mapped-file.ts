// Opens the very file that a process has mapped, whatever has happened to its path since: containers, upgrades and
// deleted files. Every way in is checked by inode after the file is open, so that nothing can be swapped in between.
import type { MappedFile } from "../stacks/finding.ts";
import { FileReader } from "./file-reader.ts";

export type OpenedFile = { reader: FileReader; problem: null } | { reader: null; problem: string };

interface Way {
  path: string;
  accepts: (reader: FileReader) => boolean;
}

/** In order of trust; the caller closes the reader. `executable` says that it is the file that the process runs. */
export function openMappedFile(
  procfs: string,
  pid: number,
  file: MappedFile,
  executable: boolean,
): OpenedFile {
  const own = `${procfs}/${pid}`;
  const sameInode = (reader: FileReader): boolean => reader.identity.inode === file.inode;
  const same = (reader: FileReader): boolean => sameInode(reader) && reader.identity.device === file.device;
  const byPath = `${own}/root${file.path}`;
  const ways: Way[] = [{ path: byPath, accepts: same }];
  // The kernel follows these two itself, so they are the mapped file by construction.
  if (file.range !== null) ways.push({ path: `${own}/map_files/${file.range}`, accepts: () => true });
  if (executable) ways.push({ path: `${own}/exe`, accepts: () => true });
  // On btrfs and overlays the table of mappings names another device than stat(2) does.
  if (!file.deleted) ways.push({ path: byPath, accepts: sameInode });

  let problem = `${file.path} is not the file that the process has mapped any more`;
  for (const way of ways) {
    const opened = open(way.path);
    if (opened.reader === null) {
      problem = opened.problem;
      continue;
    }
    if (way.accepts(opened.reader)) return opened;
    opened.reader.close();
  }
  return { reader: null, problem };
}

function open(path: string): OpenedFile {
  try {
    return { reader: FileReader.open(path), problem: null };
  } catch (error) {
    return { reader: null, problem: error instanceof Error ? error.message : String(error) };
  }
}
