// The certificate and key of a local server, as the user gives them: what its clients meet in its place.
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createSecureContext, type SecureContext } from "node:tls";

export interface OwnCertificate {
  /** As X509Certificate gives it. */
  fingerprint: string;
  context: SecureContext;
}

/**
 * @param certificate PEM: the server's own, then those that it sends along
 * @param key PEM, without a passphrase
 * Throws, with what is wrong, when they are not that, or do not belong together.
 */
export function ownCertificate(certificate: string, key: string): OwnCertificate {
  const leaf = read("certificate", () => new X509Certificate(certificate));
  const privateKey = read("key", () => createPrivateKey(key));
  if (!leaf.checkPrivateKey(privateKey)) throw new Error("the certificate does not match its key");
  return { fingerprint: leaf.fingerprint256, context: createSecureContext({ cert: certificate, key }) };
}

function read<T>(what: string, reading: () => T): T {
  try {
    return reading();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`the ${what} is not one in PEM (${why})`, { cause: error });
  }
}
