// The rules that turn what was found into a path, a verdict and its reason. One table, read from the top: the first
// rule that holds decides. The verdict is what this host and this version can do; the path is what the process needs. A rule
// speaks of the stack that stands for the process and forbids nothing: others are probed where they can be, and the one
// of which plaintext is seen then stands for it.
import { basename } from "node:path";
import {
  stackTitles,
  type HostReport,
  type Path,
  type Reason,
  type Verdict,
} from "../../protocol/coverage.ts";
import type { StackFinding } from "../stacks/finding.ts";
import { isCapturable } from "./classes.ts";

export interface Evidence {
  /** The stack that stands for the process, or null when there is none. */
  primary: StackFinding | null;
  /** Path of the process's own executable, where it may be known. */
  executable: string | null;
  runtime: string | null;
  /** It maps NSS, whose store of trusted authorities is its own: no environment adds the proxy's to it. */
  trustsByNss: boolean;
  /** Why the executable or a TLS library could not be read or understood. */
  problems: readonly string[];
  paths: HostReport["paths"];
}

export interface Judgement {
  path: Path;
  verdict: Verdict;
  reason: Reason;
}

interface Rule {
  code: string;
  path: Path;
  verdict: Verdict;
  when: (evidence: Evidence) => boolean;
  text: (evidence: Evidence) => string;
  /** What would show more of it; of its own, for who has done so already is told the reason alone. */
  remedy?: (evidence: Evidence) => string;
}

const is =
  (...stacks: StackFinding["stack"][]) =>
  ({ primary }: Evidence): boolean =>
    primary !== null && stacks.includes(primary.stack);
const open = ({ primary }: Evidence): boolean => primary !== null && isCapturable(primary);
const title = ({ primary }: Evidence): string => (primary === null ? "TLS" : stackTitles[primary.stack]);
function where({ primary, executable }: Evidence): string {
  const path = (primary?.boundary ?? primary?.file)?.path ?? null;
  return path === null || path === executable ? "the executable" : basename(path);
}

/** The functions in which plaintext is read and written, as a sentence says them. */
function plaintextNames({ primary }: Evidence): string {
  const name = (wanted: string) =>
    primary?.functions.find(({ role }) => [wanted, `${wanted}-ex`, `${wanted}-known`].includes(role))?.name ??
    wanted;
  return `${name("read")} and ${name("write")}`;
}

/** Neither a probe nor the proxy shows it. */
const hasOwnTrust = (e: Evidence): boolean =>
  (is("nss")(e) && e.primary?.boundary === undefined) ||
  (e.trustsByNss && is("boringssl")(e) && e.primary?.symbols === "none");

const ownTrust = (e: Evidence): string =>
  `${title(e)} is not probed ${is("nss")(e) ? "without the functions of NSPR" : "in this version"}, and NSS, by which it trusts, does not take the local proxy's authority`;

const startThroughProxy = "start it through the local proxy: trace --path mitm -- COMMAND";

/** Runtimes that load a TLS library when the program first asks for one. */
const lateRuntimes = new Set(["python", "ruby", "php", "perl", "dotnet"]);

export const rules: readonly Rule[] = [
  {
    code: "uprobe-unavailable",
    path: "uprobe",
    verdict: "dark",
    when: (e) => open(e) && !e.paths.uprobe.available,
    text: (e) =>
      `${title(e)} can be probed, but not here: ${e.paths.uprobe.available ? "" : e.paths.uprobe.reason}`,
  },
  {
    code: "exported-symbols",
    path: "uprobe",
    verdict: "traceable",
    when: (e) => open(e) && e.primary?.symbols === "dynsym",
    text: (e) =>
      `${where(e)} exports ${plaintextNames(e)}` +
      (e.primary?.boundary === undefined ? "" : ", which are seen of connections made since tracing began"),
  },
  {
    code: "go-pclntab",
    path: "uprobe",
    verdict: "traceable",
    when: (e) => open(e) && is("go")(e),
    text: () => "Go's own table of functions names those of crypto/tls, and their code is as expected",
  },
  {
    code: "debug-file-symbols",
    path: "uprobe",
    verdict: "traceable",
    when: (e) => open(e) && e.primary?.symbols === "debug-file",
    text: (e) => `the separate debug file of ${where(e)} names ${plaintextNames(e)}`,
  },
  {
    code: "local-symbols",
    path: "uprobe",
    verdict: "traceable",
    when: open,
    text: (e) => `the symbol table of ${where(e)} names ${plaintextNames(e)}`,
  },
  {
    code: "own-trust",
    path: "xdp",
    verdict: "metadata",
    when: (e) => hasOwnTrust(e) && e.paths.xdp.available,
    text: ownTrust,
    remedy: () => "trace --path xdp shows whom it talks to",
  },
  {
    code: "own-trust-unseen",
    path: "xdp",
    verdict: "dark",
    when: hasOwnTrust,
    text: ownTrust,
  },
  {
    code: "no-symbols",
    path: "mitm",
    verdict: "proxy",
    when: (e) => is("openssl", "boringssl", "libressl")(e) && e.primary?.symbols === "none",
    text: (e) => `${title(e)} without symbols, so where its functions are is not known`,
    remedy: (e) => `give ${where(e)} its separate debug file, which names them, or ${startThroughProxy}`,
  },
  {
    code: "other-architecture",
    path: "uprobe",
    verdict: "dark",
    when: is("openssl", "boringssl", "libressl", "gnutls", "nss", "mbedtls", "wolfssl"),
    text: (e) => `this version probes ${title(e)} on x86-64 only`,
  },
  {
    code: "go-not-certain",
    path: "mitm",
    verdict: "proxy",
    when: is("go"),
    text: (e) =>
      `Go's own crypto/tls is not probed (${e.primary?.obstacle ?? "its functions were not looked for"})`,
    remedy: () => startThroughProxy,
  },
  {
    code: "rustls-through-proxy",
    path: "mitm",
    verdict: "proxy",
    when: is("rustls"),
    text: () => "rustls is not probed in this version",
    remedy: () => startThroughProxy,
  },
  {
    code: "no-native-boundary",
    path: "mitm",
    verdict: "proxy",
    when: (e) => is("jsse")(e) || e.runtime === "jvm",
    text: () => "Java's own TLS is written in Java, so there is no library function to probe",
    remedy: () => startThroughProxy,
  },
  {
    code: "tls-in-language",
    path: "mitm",
    verdict: "unknown",
    when: (e) => e.runtime === "erlang",
    text: () => "Erlang's TLS is written in Erlang, so no library shows whether it is used",
  },
  {
    code: "unreadable-file",
    path: "none",
    verdict: "unknown",
    when: (e) => e.problems.length > 0,
    text: (e) => e.problems[0] ?? "",
  },
  {
    code: "no-tls-yet",
    path: "none",
    verdict: "no-tls",
    when: (e) => lateRuntimes.has(e.runtime ?? ""),
    text: (e) => `${e.runtime ?? ""} has loaded no TLS library yet; it is looked at again when it does`,
  },
  {
    code: "no-tls-library",
    path: "none",
    verdict: "no-tls",
    when: () => true,
    text: () => "it maps no known TLS library, and its executable carries none",
  },
];

/** Always finds a rule: the last one holds for everything. */
export function judge(evidence: Evidence): Judgement {
  for (const { code, path, verdict, when, text, remedy } of rules) {
    if (!when(evidence)) continue;
    const reason = { code, text: text(evidence), ...(remedy && { remedy: remedy(evidence) }) };
    return { path, verdict, reason };
  }
  throw new Error("judge: the table of rules has no rule that always holds");
}
