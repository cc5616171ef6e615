// Decides whether a process is one of those the user named. Several values of one kind mean any of them; several kinds
// narrow each other.
import { basename } from "node:path";
import type { Selection } from "../selection.ts";
import type { ProcessIdentity } from "./process-table.ts";

/** Everything but ports, which need the process's sockets: see {@link ProcessTable.listensOn}. */
export function matchesSelection(identity: ProcessIdentity, selection: Selection): boolean {
  const { pids, names, services, containers } = selection;
  const called = [identity.command, basename(identity.executable ?? "")];
  return (
    (pids.length === 0 || pids.includes(identity.pid)) &&
    (names.length === 0 || names.some((glob) => called.some((name) => matchesGlob(name, glob)))) &&
    (services.length === 0 || services.some((service) => isService(identity.service, service))) &&
    (containers.length === 0 || containers.some((container) => isContainer(identity.container, container)))
  );
}

/** Whether one of which no more than the command is known was asked for by its name. */
export function isCalled(command: string, { pids, names, services, containers }: Selection): boolean {
  return (
    pids.length + services.length + containers.length === 0 &&
    names.some((glob) => matchesGlob(command, glob))
  );
}

function isService(unit: string | null, wanted: string): boolean {
  return unit !== null && (unit === wanted || unit === `${wanted}.service`);
}

/** An id of 64 hex digits is known by its first ones, as Docker shows them; a name by the whole. */
function isContainer(container: string | null, wanted: string): boolean {
  if (container === null) return false;
  return container === wanted || (/^[0-9a-f]{64}$/.test(container) && container.startsWith(wanted));
}

/** A glob of `*` and `?` over a whole name; case counts. */
export function matchesGlob(name: string, glob: string): boolean {
  const pattern = glob
    .replace(/[\\^$.+()[\]{}|]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${pattern}$`, "su").test(name);
}
