// Which process has the one end of a local connection: by the kernel's table of sockets, then by the descriptors of the
// processes that this user may look at.
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { socketInode } from "./listening.ts";
import { establishedRows } from "./tcp-sockets.ts";

/** @param local @param remote as the owner sees them: `address:port`. Null when it is not found, or not ours to see. */
export function socketOwner(local: string, remote: string, procfs = "/proc"): number | null {
  const tables = ["tcp", "tcp6"].map(
    (name) => attempt(() => readFileSync(`${procfs}/net/${name}`, "utf8")) ?? "",
  );
  const row = establishedRows(tables).find(
    (candidate) => candidate.local === local && candidate.remote === remote,
  );
  if (!row) return null;
  const pids = readdirSync(procfs).filter((name) => /^[1-9]\d*$/.test(name));
  const owner = pids.find((pid) =>
    attempt(() => readdirSync(`${procfs}/${pid}/fd`))?.some(
      (descriptor) =>
        socketInode(attempt(() => readlinkSync(`${procfs}/${pid}/fd/${descriptor}`)) ?? "") === row.inode,
    ),
  );
  return owner === undefined ? null : Number(owner);
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
