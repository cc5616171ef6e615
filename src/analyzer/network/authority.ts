// The certificate authority of this user's proxy: made on first use, its key readable by the user alone, trusted only
// by programs that are started with it in their environment. It signs short-lived copies of real certificates.
import "reflect-metadata"; // which @peculiar/x509 asks for, before it
import * as x509 from "@peculiar/x509";
import { randomBytes, webcrypto } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from "node:fs";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";

export interface IssuedCertificate {
  /** PEM: the leaf, then the authority. */
  chain: string;
  /** PEM. */
  key: string;
  expiresMs: number;
}

export interface Authority {
  /** PEM. */
  certificate: string;
  /**
   * A certificate with the subject and the alternative names of this one, so that a client which checks names comes to
   * the result it would come to without us.
   * @param real DER of the certificate that the server showed
   */
  issue(real: Buffer): Promise<IssuedCertificate>;
}

const dayMs = 24 * 60 * 60 * 1000;
const authorityDays = 365;
/** An authority that ends sooner is made anew, so that no run outlives it. */
const leastRemainingMs = 30 * dayMs;
/** Clocks of clients that are behind. */
const clockSlackMs = 60 * 60 * 1000;

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const subjectAlternativeName = "2.5.29.17";

/** @param folder made when it is not there; only its key is a secret. Throws when the key may be read by others. */
export async function openAuthority(folder: string): Promise<Authority> {
  mkdirSync(folder, { recursive: true, mode: 0o755 });
  const path = join(folder, "authority.pem");
  const text = read(path) ?? (await makeAuthority(path));
  const certificate = new x509.X509Certificate(block(text, "CERTIFICATE", path));
  if (certificate.notAfter.getTime() - Date.now() < leastRemainingMs) {
    unlinkSync(path);
    return openAuthority(folder);
  }
  const key = await importKey(block(text, "PRIVATE KEY", path));
  const leafKeys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const leafKey = pem("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", leafKeys.privateKey));
  const certificatePem = `${certificate.toString("pem")}\n`;
  return {
    certificate: certificatePem,
    issue: async (real) => {
      const leaf = await copyOf(new x509.X509Certificate(real), certificate, key, leafKeys.publicKey);
      return {
        chain: `${leaf.toString("pem")}\n${certificatePem}`,
        key: leafKey,
        expiresMs: leaf.notAfter.getTime(),
      };
    },
  };
}

/** The file of key and certificate, or null when there is none yet. */
function read(path: string): string | null {
  let mode: number;
  try {
    ({ mode } = statSync(path));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  if ((mode & 0o077) !== 0) {
    const rights = (mode & 0o777).toString(8);
    throw new Error(`open ${path}: others may read this key (mode ${rights}): delete it, a new one is made`);
  }
  return readFileSync(path, "utf8");
}

/** Two first uses at once end with one file: the link fails for the second. */
async function makeAuthority(path: string): Promise<string> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: [
      { CN: [`Plainsight for ${userInfo().username} at ${hostname()}`.slice(0, 64)] },
      { O: ["Plainsight"] },
    ],
    notBefore: new Date(Date.now() - clockSlackMs),
    notAfter: new Date(Date.now() + authorityDays * dayMs),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const key = pem("PRIVATE KEY", await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  const mine = `${path}.${randomBytes(6).toString("hex")}`;
  writeFileSync(mine, `${key}${certificate.toString("pem")}\n`, { mode: 0o600, flag: "wx" });
  try {
    linkSync(mine, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    unlinkSync(mine);
  }
  return readFileSync(path, "utf8");
}

async function copyOf(
  real: x509.X509Certificate,
  authority: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
  publicKey: webcrypto.CryptoKey,
): Promise<x509.X509Certificate> {
  const names = real.getExtension(subjectAlternativeName);
  return x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: real.subjectName,
    issuer: authority.subjectName,
    notBefore: new Date(Date.now() - clockSlackMs),
    notAfter: new Date(Math.min(Date.now() + dayMs, real.notAfter.getTime())),
    signingAlgorithm: algorithm,
    publicKey,
    signingKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      ...(names ? [new x509.Extension(names.type, names.critical, names.value)] : []),
    ],
  });
}

/** 127 random bits: positive, and without a zero in front (RFC 5280, 4.1.2.2). */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes.toString("hex");
}

function importKey(text: string): Promise<webcrypto.CryptoKey> {
  const der = x509.PemConverter.decodeFirst(text);
  return webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
}

function pem(label: string, der: ArrayBuffer): string {
  return `${x509.PemConverter.encode(der, label)}\n`;
}

function block(text: string, label: string, path: string): string {
  const found = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text)?.[0];
  if (found === undefined)
    throw new Error(`open ${path}: it has no ${label.toLowerCase()}: delete it, a new one is made`);
  return found;
}
