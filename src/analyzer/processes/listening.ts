// Reads /proc/PID/net/tcp and tcp6 (proc_pid_net(5)) into the sockets that listen on a port.

/** `TCP_LISTEN` of the kernel's net/tcp_states.h, as the table prints it. */
const listenState = "0A";

/** Inodes of the sockets that listen on one of these ports; malformed lines are left out. */
export function listeningInodes(text: string, ports: ReadonlySet<number>): Set<number> {
  const inodes = new Set<number>();
  for (const line of text.split("\n")) {
    const [slot, local, , state, , , , , , inode] = line.trim().split(/\s+/);
    if (slot === undefined || !/^\d+:$/.test(slot) || state !== listenState) continue;
    const port = /^[0-9A-F]{8,32}:([0-9A-F]{4})$/.exec(local ?? "")?.[1];
    if (port === undefined || !ports.has(Number.parseInt(port, 16))) continue;
    if (inode !== undefined && /^[1-9]\d*$/.test(inode)) inodes.add(Number(inode));
  }
  return inodes;
}

/** The inode in a link such as `socket:[12345]`, or null for any other file. */
export function socketInode(link: string): number | null {
  const inode = /^socket:\[(\d+)\]$/.exec(link)?.[1];
  return inode === undefined ? null : Number(inode);
}
