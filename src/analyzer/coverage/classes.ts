// Chooses the stack that stands for a process, and names the process's class by it.
import { basename } from "node:path";
import type { ProcessClass, StackName } from "../../protocol/coverage.ts";
import type { ProcessFacts } from "../process-facts.ts";
import type { MappedFile, StackFinding } from "../stacks/finding.ts";

/** True when plaintext can be taken in both directions at functions that were found. */
export function isCapturable({ functions }: StackFinding): boolean {
  const roles = functions.map(({ role }) => role);
  const does = (plain: string): boolean =>
    roles.some((role) => [plain, `${plain}-ex`, `${plain}-known`, `go-${plain}`].includes(role));
  return does("read") && does("write");
}

/**
 * The most telling stack first: one linked into the program itself was meant for it, and one of which nothing can be
 * taken says less than one that is open. A stack inside a module serves that module alone. Beside an OpenSSL, GnuTLS and
 * the like are mostly there for a library's sake (LDAP, RTMP), as they all are in a JVM to which nothing hands them;
 * measuring tells for sure.
 */
export function byWeight(
  findings: readonly StackFinding[],
  { executable, files }: Pick<ProcessFacts, "executable" | "files">,
): StackFinding[] {
  const isJvm = findings.some(({ stack }) => stack === "jsse");
  const hasJavaBinding = files.some(isJavaBinding);
  const isForLibrary = ({ linkage, file }: StackFinding): boolean =>
    isJvm && !(isJavaBinding(file) || (linkage === "dynamic" && hasJavaBinding));
  const weight = (finding: StackFinding): number => {
    const capturable = isCapturable(finding);
    if (finding.linkage === "static" && finding.file.path === executable) return capturable ? 0 : 1;
    if (capturable && !isForLibrary(finding)) return isOpenSslKin(finding) ? 2 : 3;
    if (finding.linkage === "managed") return 4;
    return finding.linkage === "dynamic" ? 5 : 6;
  };
  return [...findings].sort((a, b) => weight(a) - weight(b));
}

/** Libraries that give a native stack to Java: netty's and Tomcat's, Conscrypt, WildFly's; shaded ones are named longer. */
const javaBinding = /tcnative|conscrypt|libwfssl|netty_quiche/;
const isJavaBinding = ({ path }: MappedFile): boolean => javaBinding.test(basename(path));

const isOpenSslKin = ({ stack }: StackFinding): boolean =>
  stack === "openssl" || stack === "boringssl" || stack === "libressl";

type Named = Exclude<StackName, "openssl" | "libressl" | "boringssl" | "jsse">;
const named: Readonly<Record<Named, ProcessClass>> = {
  gnutls: "gnutls",
  nss: "nss",
  mbedtls: "mbedtls",
  wolfssl: "wolfssl",
  go: "go",
  rustls: "rustls",
};

/** `node` and `jvm` are named as such, whatever they link. Without a stack, the verdict tells no-tls from unknown. */
export function classOf(
  primary: Pick<StackFinding, "stack" | "linkage"> | null,
  runtime: string | null,
): ProcessClass | null {
  if (runtime === "jvm") return "jvm";
  if (runtime === "node" && primary !== null) return "node";
  if (primary === null) return null;
  const linkage = primary.linkage === "dynamic" ? "dynamic" : "static";
  switch (primary.stack) {
    case "openssl":
    case "libressl":
      return `${linkage}-openssl`;
    case "boringssl":
      return `${linkage}-boringssl`;
    case "jsse":
      return "jvm";
    default:
      return named[primary.stack];
  }
}
