// A trust store for a JVM in the format that every JDK reads without a password: JKS, as the source of
// sun.security.provider.JavaKeyStore describes it.
import { createHash } from "node:crypto";

/** `changeit`, which the JDK's own store has; it protects nothing, a store of certificates has no secret. */
export const javaTrustStorePassword = "changeit";

const magic = 0xfeedfeed;
const version = 2;
const trustedCertificate = 2;

/** @param certificates DER */
export function javaTrustStore(certificates: readonly Buffer[]): Buffer {
  const content = Buffer.concat([
    u32(magic),
    u32(version),
    u32(certificates.length),
    ...certificates.flatMap((certificate, index) => [
      u32(trustedCertificate),
      text(`trusted-${index}`),
      Buffer.alloc(8), // when it was added: unknown
      text("X.509"),
      u32(certificate.length),
      certificate,
    ]),
  ]);
  const password = Buffer.from(javaTrustStorePassword, "utf16le").swap16();
  const digest = createHash("sha1").update(password).update("Mighty Aphrodite").update(content).digest();
  return Buffer.concat([content, digest]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** As java.io.DataOutput.writeUTF writes what is ASCII. */
function text(value: string): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value.length);
  return Buffer.concat([bytes, Buffer.from(value, "ascii")]);
}
