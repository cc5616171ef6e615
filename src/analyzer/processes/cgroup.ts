// Reads the text of /proc/PID/cgroup (cgroups(7)) into the systemd unit and the container: v1, v2 and hybrid hosts.

export interface Placement {
  /** The systemd service the process runs in, or null. */
  service: string | null;
  /** The container's id (64 hex digits), or its name for LXC, or null on the host. */
  container: string | null;
}

/** `docker-<id>.scope`, `cri-containerd-<id>.scope`, `libpod-<id>.scope`, `crio-<id>`, or the bare id. */
const containerSegment = /^(?:[a-z][a-z-]*-)?([0-9a-f]{64})(?:\.scope)?$/;
const lxcSegment = /^lxc(?:\.payload)?[./](.+)$/;

function containerOf(segments: readonly string[]): string | null {
  for (const segment of segments.toReversed()) {
    // conmon is the container's monitor, which runs on the host.
    if (segment.includes("-conmon-")) return null;
    const id = containerSegment.exec(segment)?.[1];
    if (id !== undefined) return id;
  }
  const lxc = lxcSegment.exec(segments[0] === "lxc" ? segments.slice(0, 2).join("/") : (segments[0] ?? ""));
  return lxc?.[1] ?? null;
}

/** The innermost unit decides: what runs in a scope below `user@1000.service` is not that service. */
function serviceOf(segments: readonly string[]): string | null {
  const unit = segments.findLast((segment) => /.\.(?:service|scope)$/.test(segment));
  return unit?.endsWith(".service") === true ? unit : null;
}

/** Systemd's own hierarchy (v1 or hybrid) and the unified one (v2) name the unit; any may name the container. */
export function parseCgroup(text: string): Placement {
  const placement: Placement = { service: null, container: null };
  for (const line of text.split("\n")) {
    const fields = /^\d+:([^:]*):\/(.*)$/.exec(line);
    if (fields === null) continue;
    const [, controllers = "", path = ""] = fields;
    const segments = path.split("/").filter((segment) => segment !== "" && segment !== "..");
    placement.container ??= containerOf(segments);
    if (controllers === "" || controllers === "name=systemd") placement.service ??= serviceOf(segments);
  }
  return placement;
}
