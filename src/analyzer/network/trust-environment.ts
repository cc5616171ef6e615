// How a program is told, by its environment alone, to trust one more authority: which variables its runtime reads, and
// the files that they name. The system's trust store is not touched.
import { X509Certificate } from "node:crypto";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { javaTrustStore, javaTrustStorePassword } from "./java-trust-store.ts";

/**
 * Each names a file that stands in place of what its program trusts otherwise: that of the first of these variables that
 * is set, else the system's.
 */
const replacing: readonly [variable: string, ...otherwise: string[]][] = [
  ["SSL_CERT_FILE"], // OpenSSL, and so Python, Ruby, PHP and others; Go; rustls-native-certs; .NET
  ["CURL_CA_BUNDLE", "SSL_CERT_FILE"],
  ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"],
  ["PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"],
  ["HTTPLIB2_CA_CERTS"],
  ["GIT_SSL_CAINFO"],
  ["CARGO_HTTP_CAINFO"],
  ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"],
  ["BUNDLE_SSL_CA_CERT"],
  ["NIX_SSL_CERT_FILE", "SSL_CERT_FILE"],
  ["GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"],
  ["PERL_LWP_SSL_CA_FILE"],
];

/** Each names a file that is trusted beside what its program trusts otherwise. */
const adding = ["NODE_EXTRA_CA_CERTS", "DENO_CERT"] as const; // Node, Bun; Deno

/** Where distributions keep all roots in one file: Debian, Fedora, openSUSE, Alpine. */
const systemBundles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

export interface Trust {
  /** Variables to add to those of the command. */
  environment: Record<string, string>;
  /** PEM blocks of every root that some client of that environment trusts: what servers are verified by. */
  roots: string[];
}

/**
 * Writes the files below `folder`, named by their content, for a command may outlive the run that started it.
 * @param authority PEM
 * @param given the environment that the command would have: what it trusts there stays trusted
 */
export function trustFor(authority: string, given: NodeJS.ProcessEnv, folder: string): Trust {
  mkdirSync(folder, { recursive: true, mode: 0o755 }); // programs that change their user read it, too
  const system = systemBundles.map(readable).find((text) => text !== null) ?? rootCertificates.join("\n");
  const roots = new Set([...rootCertificates.flatMap(certificates), ...certificates(system)]);
  const environment: Record<string, string> = {};
  const name = (variable: string, path: string, otherwise: string) => {
    const own = path === "" ? otherwise : readable(path);
    if (own === null) return; // a folder, or nothing: what its program makes of it stays as it is
    if (path !== "") for (const root of certificates(own)) roots.add(root);
    environment[variable] = keep(folder, "pem", `${own.trimEnd()}\n${authority}`);
  };
  for (const variables of replacing) {
    const path = variables.map((variable) => given[variable] ?? "").find((value) => value !== "") ?? "";
    name(variables[0], path, system);
  }
  for (const variable of adding) name(variable, given[variable] ?? "", "");
  const { JAVA_TOOL_OPTIONS: java = "" } = given;
  if (!java.includes("-Djavax.net.ssl.trustStore=")) {
    const der = [...certificates(system), authority].map((text) => new X509Certificate(text).raw);
    const options = {
      trustStore: keep(folder, "jks", javaTrustStore(der)),
      trustStoreType: "JKS",
      trustStorePassword: javaTrustStorePassword,
    };
    const ours = Object.entries(options).map(([key, value]) => `-Djavax.net.ssl.${key}=${quoted(value)}`);
    environment.JAVA_TOOL_OPTIONS = [java, ...ours].filter((part) => part !== "").join(" ");
  }
  return { environment, roots: [...roots] };
}

/**
 * Whether a process with this environment trusts our authority, whatever its runtime. A variable that names no file was
 * left as it is, and so proves nothing.
 */
export function isTrusting(environment: NodeJS.ProcessEnv, folder: string): boolean {
  const isOurs = (path: string | undefined) => path?.startsWith(join(folder, "/")) ?? false;
  const others = replacing.map(([variable]) => environment[variable] ?? "");
  return (
    isOurs(environment.SSL_CERT_FILE) &&
    isOurs(environment.NODE_EXTRA_CA_CERTS) &&
    others.every((path) => isOurs(path) || readable(path) === null)
  );
}

function certificates(text: string): string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function readable(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

function keep(folder: string, suffix: string, content: string | Buffer): string {
  const digest = createHash("sha256").update(content).digest("hex").slice(0, 16);
  const path = join(folder, `${digest}.${suffix}`);
  if (!existsSync(path)) {
    writeFileSync(`${path}.${process.pid}`, content);
    renameSync(`${path}.${process.pid}`, path);
  }
  return path;
}

/** As the JVM splits JAVA_TOOL_OPTIONS: at spaces, unless quoted. */
function quoted(value: string): string {
  return /[\s"']/.test(value) ? `"${value}"` : value;
}
