// The network interfaces of a command line: --interface, and what is said of those that come and go.
import { printable } from "./terminal.ts";
import type { InterfaceChange } from "../network/watched-interfaces.ts";
import { UsageError } from "./usage.ts";

/** Names, each once; null: all that are up. Throws a {@link UsageError} for what the kernel takes for no name. */
export function interfacesOf(values: readonly string[] | undefined): string[] | null {
  const wrong = values?.find((name) => !isInterfaceName(name));
  if (wrong !== undefined) {
    throw new UsageError(
      `--interface ${JSON.stringify(wrong)} is not an interface's name (ip link lists them)`,
    );
  }
  return values ? [...new Set(values)] : null;
}

/** dev_valid_name of net/core/dev.c; IFNAMSIZ of linux/if.h, with its end, is 16. */
function isInterfaceName(name: string): boolean {
  return /^[^\s/:\0]+$/.test(name) && Buffer.byteLength(name) < 16 && name !== "." && name !== "..";
}

/** A line each on standard error. */
export function tellInterfaces({ added, gone, missing }: InterfaceChange): void {
  const lines = [
    ...gone.map(({ name }) => `${printable(name)} is gone`),
    ...added.map(({ name, ingress, egress }) => `watching ${printable(name)} (${ingress}, ${egress}), too`),
    ...missing.map(({ text }) => `plainsight: ${text}`),
  ];
  for (const line of lines) process.stderr.write(`${line}\n`);
}
