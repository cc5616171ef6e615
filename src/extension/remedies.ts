// What would make a process traceable that is not: by the code of its reason. Pure; the codes are those of the
// analyzer's table of rules.
import type { ProcessReport } from "../protocol/coverage.ts";

export interface Remedy {
  /** A sentence without a full stop. */
  text: string;
  /** The command that does it, by which the tree's menu offers it. */
  action: "rights" | "proxy" | null;
}

const throughProxy = "Start it through the proxy";

const remedies: Readonly<Record<string, Remedy>> = {
  "uprobe-unavailable": { text: "Give the tracer its rights", action: "rights" },
  "no-symbols": {
    text: `Install the program's debug symbols, where it has any, or ${throughProxy.toLowerCase()}`,
    action: "proxy",
  },
  "go-not-certain": { text: throughProxy, action: "proxy" },
  "rustls-through-proxy": { text: throughProxy, action: "proxy" },
  "no-native-boundary": { text: throughProxy, action: "proxy" },
  "tls-in-language": { text: throughProxy, action: "proxy" },
  silent: { text: throughProxy, action: "proxy" },
  "no-tls-yet": { text: "Let it make its first connection: it is looked at again by itself", action: null },
};

/** Null for a process that is traceable, or for which nothing can be done. */
export function remedyOf({ verdict, reason }: Pick<ProcessReport, "verdict" | "reason">): Remedy | null {
  return verdict === "traceable" ? null : (remedies[reason.code] ?? null);
}
