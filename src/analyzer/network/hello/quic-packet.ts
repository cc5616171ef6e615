// QUIC datagrams -> long-header packets, and a client's Initial packet without its protection, whose keys anybody can
// derive from the packet itself (RFC 9000 17.2, RFC 9001 5, RFC 9369 3). Frames are quic-assembly.ts's.
import { createCipheriv, createDecipheriv, createHmac } from "node:crypto";
import { Cursor } from "./cursor.ts";

interface Version {
  initialType: number;
  retryType: number;
  salt: Buffer;
  /** What the labels of its keys begin with. */
  label: string;
}

const versions = new Map<number, Version>([
  [
    0x00000001,
    {
      initialType: 0,
      retryType: 3,
      salt: Buffer.from("38762cf7f55934b34d179ae6a4c80cadccbb7f0a", "hex"),
      label: "quic",
    },
  ],
  [
    0x6b3343cf,
    {
      initialType: 1,
      retryType: 0,
      salt: Buffer.from("0dede3def700a6db819381be6e269dcbf9bd2ed9", "hex"),
      label: "quicv2",
    },
  ],
]);

export interface InitialPacket {
  version: number;
  destinationId: Buffer;
  /** From the first byte to the end of the payload, still protected. */
  bytes: Buffer;
  /** Where the packet number begins. */
  numberAt: number;
}

const longHeader = 0x80;
const maximumIdBytes = 20;

/** The Initial packets of a datagram, in order, whoever sent them. What is not QUIC, or of another version, gives none. */
export function initialPackets(datagram: Uint8Array): InitialPacket[] {
  const packets: InitialPacket[] = [];
  for (let rest = datagram; rest.length > 0;) {
    const cursor = new Cursor(rest);
    const first = cursor.number(1);
    const version = cursor.number(4);
    const known = versions.get(version);
    if ((first & longHeader) === 0 || known === undefined) break;
    const type = (first >> 4) & 3;
    if (type === known.retryType) break;
    const destinationId = cursor.block(1);
    const sourceId = cursor.block(1);
    if (destinationId.length > maximumIdBytes || sourceId.length > maximumIdBytes) break;
    if (type === known.initialType) cursor.take(cursor.varint());
    const length = cursor.varint();
    const numberAt = cursor.at;
    cursor.take(length);
    if (cursor.isShort) break;
    const end = cursor.at;
    if (type === known.initialType) {
      const bytes = Buffer.from(rest.buffer, rest.byteOffset, end);
      packets.push({ version, destinationId, bytes, numberAt });
    }
    rest = rest.subarray(end);
  }
  return packets;
}

export interface ClientKeys {
  key: Buffer;
  iv: Buffer;
  headerKey: Buffer;
}

/** RFC 9001 5.2: what protects the Initials of a client whose first one goes to this connection id. */
export function clientKeys(version: number, destinationId: Uint8Array): ClientKeys | null {
  const known = versions.get(version);
  if (known === undefined) return null;
  const initial = createHmac("sha256", known.salt).update(destinationId).digest();
  const client = expandLabel(initial, "client in", 32);
  return {
    key: expandLabel(client, `${known.label} key`, 16),
    iv: expandLabel(client, `${known.label} iv`, 12),
    headerKey: expandLabel(client, `${known.label} hp`, 16),
  };
}

/** HKDF-Expand-Label of RFC 8446 7.1, without context, of at most one block of SHA-256. */
function expandLabel(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0])]);
  return createHmac("sha256", secret)
    .update(info)
    .update(Buffer.from([1]))
    .digest()
    .subarray(0, length);
}

const tagBytes = 16;
const sampleBytes = 16;
const longestNumberBytes = 4;

/**
 * Takes the protection off (RFC 9001 5.3 and 5.4).
 * @param expectedNumber one more than the highest packet number so far
 * @returns null when the packet was not protected with these keys, or was changed
 */
export function openInitial(
  { bytes, numberAt }: InitialPacket,
  keys: ClientKeys,
  expectedNumber: number,
): { number: number; payload: Buffer } | null {
  const sampleAt = numberAt + longestNumberBytes;
  if (bytes.length < sampleAt + sampleBytes) return null;
  const mask = createCipheriv("aes-128-ecb", keys.headerKey, null).update(
    bytes.subarray(sampleAt, sampleAt + sampleBytes),
  );
  const first = bytes.readUInt8(0) ^ (mask.readUInt8(0) & 0x0f);
  const numberBytes = (first & 3) + 1;
  const payloadAt = numberAt + numberBytes;
  const header = Buffer.from(bytes.subarray(0, payloadAt));
  header.writeUInt8(first, 0);
  for (let index = 0; index < numberBytes; index += 1) {
    header.writeUInt8(header.readUInt8(numberAt + index) ^ mask.readUInt8(index + 1), numberAt + index);
  }
  const number = wholeNumber(header.readUIntBE(numberAt, numberBytes), numberBytes, expectedNumber);

  const nonce = Buffer.from(keys.iv);
  const ivTail = nonce.readUIntBE(6, 6);
  nonce.writeUIntBE(Number(BigInt.asUintN(48, BigInt(ivTail) ^ BigInt(number))), 6, 6);
  const opening = createDecipheriv("aes-128-gcm", keys.key, nonce, { authTagLength: tagBytes });
  opening.setAAD(header).setAuthTag(bytes.subarray(bytes.length - tagBytes));
  try {
    const payload = opening.update(bytes.subarray(payloadAt, bytes.length - tagBytes));
    opening.final();
    return { number, payload };
  } catch {
    return null;
  }
}

/** RFC 9000 A.3: the packet number nearest to the expected one that ends so. */
function wholeNumber(ending: number, numberBytes: number, expected: number): number {
  const window = 2 ** (8 * numberBytes);
  const candidate = Math.floor(expected / window) * window + ending;
  if (candidate <= expected - window / 2) return candidate + window;
  if (candidate > expected + window / 2 && candidate >= window) return candidate - window;
  return candidate;
}
