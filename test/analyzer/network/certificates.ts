// Certificates for tests, good and bad, made on the spot.
import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import { webcrypto } from "node:crypto";

export interface TestCertificate {
  /** PEM. */
  cert: string;
  /** PEM. */
  key: string;
  /** For a certificate signed by this one. */
  signer: { name: string; key: webcrypto.CryptoKey };
}

export interface CertificateWishes {
  commonName?: string;
  dnsNames?: string[];
  expired?: boolean;
  /** Self-signed without. */
  issuer?: TestCertificate;
}

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const hourMs = 3_600_000;

export async function certificate(wishes: CertificateWishes = {}): Promise<TestCertificate> {
  const { commonName = "localhost", dnsNames = ["localhost"], expired = false, issuer } = wishes;
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const name = `CN=${commonName}, O=A Shop`;
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: webcrypto
      .getRandomValues(new Uint8Array(4))
      .reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "01"),
    subject: name,
    issuer: issuer?.signer.name ?? name,
    notBefore: new Date(Date.now() - 48 * hourMs),
    notAfter: new Date(Date.now() + (expired ? -24 : 24) * hourMs),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: issuer?.signer.key ?? keys.privateKey,
    extensions: [
      new x509.BasicConstraintsExtension(issuer === undefined, undefined, true),
      new x509.SubjectAlternativeNameExtension(dnsNames.map((value) => ({ type: "dns", value }))),
    ],
  });
  const key = x509.PemConverter.encode(
    await webcrypto.subtle.exportKey("pkcs8", keys.privateKey),
    "PRIVATE KEY",
  );
  return { cert: made.toString("pem"), key, signer: { name, key: keys.privateKey } };
}
