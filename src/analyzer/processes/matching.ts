// Decides whether a process is one of those the user named. Several values of one kind mean any of them; several kinds
// narrow each other.
import { basename } from "node:path";
import type { Selection } from "../selection.ts";
import type { ProcessIdentity } from "./process-table.ts";

/** Everything but ports, which need the process's sockets: see {@link ProcessTable.listensOn}. */
export function matchesSelection(identity: ProcessIdentity, selection: Selection): boolean {
  const { pids, names, services } = selection;
  const called = [identity.command, basename(identity.executable ?? "")];
  return (
    (pids.length === 0 || pids.includes(identity.pid)) &&
    (names.length === 0 || names.some((glob) => called.some((name) => matchesGlob(name, glob)))) &&
    (services.length === 0 || services.some((service) => isService(identity.service, service)))
  );
}

function isService(unit: string | null, wanted: string): boolean {
  return unit !== null && (unit === wanted || unit === `${wanted}.service`);
}

/** A glob of `*` and `?` over a whole name; case counts. */
export function matchesGlob(name: string, glob: string): boolean {
  const pattern = glob
    .replace(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`, "su").test(name);
}
