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
const debugSymbols = "Install the program's debug symbols, where it has any";

const remedies: Readonly<Record<string, Remedy>> = {
  "uprobe-unavailable": {
    text: `Give the tracer its rights, or ${throughProxy.toLowerCase()}, which needs none`,
    action: "rights",
  },
  "no-symbols": {
    text: `${debugSymbols}, or ${throughProxy.toLowerCase()}`,
    action: "proxy",
  },
  // The proxy would be refused: it trusts by a store of its own.
  "own-trust": { text: debugSymbols, action: null },
  "own-trust-unseen": { text: debugSymbols, action: null },
  "go-not-certain": { text: throughProxy, action: "proxy" },
  "rustls-through-proxy": { text: throughProxy, action: "proxy" },
  "no-native-boundary": { text: throughProxy, action: "proxy" },
  "tls-in-language": { text: throughProxy, action: "proxy" },
  silent: { text: throughProxy, action: "proxy" },
  "hello-seen": {
    text: `${throughProxy}, or trace the program whose connections it hands on`,
    action: "proxy",
  },
  "unreadable-file": {
    text: "Restart it, if its files were replaced since it began, or look at it as root: sudo plainsight scan",
    action: null,
  },
  "no-tls-yet": { text: "Let it make its first connection: it is looked at again by itself", action: null },
};

/** Null for a process that is traceable, or for which nothing can be done. */
export function remedyOf({ verdict, reason }: Pick<ProcessReport, "verdict" | "reason">): Remedy | null {
  return verdict === "traceable" ? null : (remedies[reason.code] ?? null);
}
