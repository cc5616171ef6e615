// The fingerprints of a ClientHello. Their hashes are read-tls-client-hello's; what a person reads of a JA4 is put
// together here, since the library knows TCP alone and leaves JA4's rare cases (below) out.
import { calculateJa3, calculateJa4, isGREASE, type TlsClientHelloMessage } from "read-tls-client-hello";

export const ja3 = calculateJa3;

/** What the readable part of a JA4 tells, beside the numbers of cipher suites and extensions. */
export interface Ja4Facts {
  transport: "tcp" | "quic";
  /** On the wire, without GREASE: of supported_versions, else the hello's own. */
  versions: number[];
  hasServerName: boolean;
  /** The first of ALPN, as on the wire; null when there is none. */
  firstProtocol: Buffer | null;
}

const versionNames: Partial<Record<number, string>> = {
  0x0304: "13",
  0x0303: "12",
  0x0302: "11",
  0x0301: "10",
  0x0300: "s3",
  0x0002: "s2",
};

const hashesLength = "_8daaf6152771_e5627efa2ab1".length;
const serverNameExtension = 0x0000;
const alpnExtension = 0x0010;
const inNoHash = new Set([serverNameExtension, alpnExtension]);

/**
 * JA4 as technical_details/JA4.md of FoxIO's repository defines it. Beside the library's: `q` for QUIC, the highest
 * version really offered, counts of at most 99, the hex of a protocol that is not alphanumeric, zeros for no extension.
 */
export function ja4(hello: TlsClientHelloMessage, facts: Ja4Facts): string {
  const extensions = hello.extensions.filter(({ id }) => !isGREASE(id));
  const readable = [
    facts.transport === "quic" ? "q" : "t",
    versionNames[Math.max(...facts.versions)] ?? "00",
    facts.hasServerName ? "d" : "i",
    twoDigits(hello.cipherSuites.filter((id) => !isGREASE(id)).length),
    twoDigits(extensions.length),
    protocolEnds(facts.firstProtocol),
  ].join("");
  const hashes = calculateJa4(hello).slice(-hashesLength);
  const isHashed = extensions.some(({ id }) => !inNoHash.has(id));
  return readable + (isHashed ? hashes : `${hashes.slice(0, -12)}000000000000`);
}

const twoDigits = (count: number): string => String(Math.min(99, count)).padStart(2, "0");

/** Its first and last character, or those of its hex when one of the two is not alphanumeric. */
function protocolEnds(protocol: Buffer | null): string {
  if (protocol === null || protocol.length === 0) return "00";
  const ends = (text: string) => text.slice(0, 1) + text.slice(-1);
  const ofText = ends(protocol.toString("latin1"));
  return /^[0-9A-Za-z]{2}$/.test(ofText) ? ofText : ends(protocol.toString("hex"));
}
