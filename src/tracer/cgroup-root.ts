// Finds where cgroup2 is mounted: alone on new systems, beside cgroup 1 (`/sys/fs/cgroup/unified`) on others.

/**
 * The mount point of cgroup2 with the highest view (its root where this mount namespace has it), or null.
 * @param mountinfo /proc/self/mountinfo, as proc_pid_mountinfo(5) describes it
 */
export function cgroupRoot(mountinfo: string): string | null {
  const mounts = mountinfo.split("\n").flatMap((line) => {
    const [head = "", tail = ""] = line.split(" - ");
    const [, , , root = "", point = ""] = head.split(" ");
    return tail.startsWith("cgroup2 ") ? [{ root, point: unescaped(point) }] : [];
  });
  mounts.sort((a, b) => a.root.length - b.root.length);
  return mounts[0]?.point ?? null;
}

function unescaped(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
