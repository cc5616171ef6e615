// The options that choose processes, the same for every command: --pid, --name, --service, --container and
// --port.
import type { CoverageReport } from "../../protocol/coverage.ts";
import { isByName, type Selection } from "../selection.ts";
import { printable } from "./terminal.ts";
import { UsageError } from "./usage.ts";

/** For `options` of node:util's parseArgs. */
export const selectorOptions = {
  pid: { type: "string", multiple: true },
  name: { type: "string", multiple: true },
  service: { type: "string", multiple: true },
  container: { type: "string", multiple: true },
  port: { type: "string", multiple: true },
} as const;

/** Lines of a command's help. */
export const selectorHelp = `  --pid N         this process; give it again, or 1,2,3, for several
  --name GLOB     processes whose command or executable has this name (* and ?)
  --service NAME  processes of this systemd unit, with or without .service
  --container ID  processes of this container: its id or the first digits of it, or the name of an LXC's
  --port N        processes that listen on this TCP port
                  Several values of one option mean any of them; different options narrow each other.`;

/** No process id is larger: PID_MAX_LIMIT of linux/threads.h. */
const largestPid = 4_194_304;
const largestPort = 65_535;

/** Throws a {@link UsageError} for a value that cannot be one. */
export function selectionOf(values: {
  pid?: string[] | undefined;
  name?: string[] | undefined;
  service?: string[] | undefined;
  container?: string[] | undefined;
  port?: string[] | undefined;
}): Selection {
  return {
    pids: numbers("--pid", "a process id", values.pid ?? [], largestPid),
    names: filled("--name", values.name ?? []),
    services: filled("--service", values.service ?? []),
    containers: filled("--container", values.container ?? []),
    ports: numbers("--port", "a port", values.port ?? [], largestPort),
  };
}

/** Says on standard error that nothing fits what was asked for, rather than that it has no TLS; gives whether it did. */
export function tellNoMatch({ processes, skipped }: CoverageReport, selection: Selection): boolean {
  if (isEveryProcess(selection) || processes.length + skipped.length > 0) return false;
  const { pids, names, services, containers, ports } = selection;
  const options = { pid: pids, name: names, service: services, container: containers, port: ports };
  const asked = Object.entries(options).flatMap(([option, values]) =>
    values.map((value) => `--${option} ${value}`),
  );
  process.stderr.write(`plainsight: no process matches ${printable(asked.join(" "))}\n`);
  return true;
}

export function isEveryProcess(selection: Selection): boolean {
  return selection.pids.length + selection.ports.length === 0 && !isByName(selection);
}

function numbers(option: string, what: string, values: readonly string[], largest: number): number[] {
  return values
    .flatMap((value) => value.split(","))
    .map((value) => {
      const number = /^\d+$/.test(value) ? Number(value) : 0;
      if (number < 1 || number > largest) {
        throw new UsageError(`${option} ${JSON.stringify(value)} is not ${what} (1 to ${largest})`);
      }
      return number;
    });
}

function filled(option: string, values: readonly string[]): string[] {
  if (values.includes("")) throw new UsageError(`${option} needs a value`);
  return [...values];
}
