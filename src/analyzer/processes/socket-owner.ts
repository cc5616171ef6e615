// Which process has the one end of a connection: by the kernel's table of sockets, then by the descriptors of the
// processes that this user may look at.
import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import { socketInode } from "./listening.ts";
import { establishedRows, udpRows } from "./tcp-sockets.ts";

/**
 * @param local @param remote as the owner sees them: `address:port`
 * @returns null when it is not found, or not ours to see
 */
export function socketOwner(
  local: string,
  remote: string,
  transport: "tcp" | "udp" = "tcp",
  procfs = "/proc",
): number | null {
  const tables = [transport, `${transport}6`].map(
    (name) => attempt(() => readFileSync(`${procfs}/net/${name}`, "utf8")) ?? "",
  );
  const inode =
    transport === "tcp"
      ? establishedRows(tables).find((row) => row.local === local && row.remote === remote)?.inode
      : udpInode(tables, local, remote);
  if (inode === undefined) return null;
  const pids = readdirSync(procfs).filter((name) => /^[1-9]\d*$/.test(name));
  const owner = pids.find((pid) =>
    attempt(() => readdirSync(`${procfs}/${pid}/fd`))?.some(
      (descriptor) =>
        socketInode(attempt(() => readlinkSync(`${procfs}/${pid}/fd/${descriptor}`)) ?? "") === inode,
    ),
  );
  return owner === undefined ? null : Number(owner);
}

/** A socket that is not connected has no remote end, and may have taken every local address. */
function udpInode(tables: readonly string[], local: string, remote: string): number | undefined {
  const rows = udpRows(tables);
  const port = local.slice(local.lastIndexOf(":") + 1);
  const connected = rows.find((row) => row.local === local && row.remote === remote);
  const bound = rows.find((row) => row.local === local && row.remote.endsWith(":0"));
  const any = rows.find((row) => /^(?:0\.0\.0\.0|\[::\]):/.test(row.local) && row.local.endsWith(`:${port}`));
  return (connected ?? bound ?? any)?.inode;
}

function attempt<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
