// A client's QUIC packets for tests, protected as RFC 9001 5 says, with the frames they are given.
import { createCipheriv } from "node:crypto";
import { type ClientKeys, clientKeys } from "../../../../src/analyzer/network/hello/quic-packet.ts";
import { block, number } from "./hellos.ts";
import { rfcDestinationId } from "./rfc-initials.ts";

export const version1 = 0x00000001;
export const version2 = 0x6b3343cf;

/** A number of RFC 9000 16, in as few bytes as it needs. */
export function varint(value: number): Buffer {
  if (value < 2 ** 6) return number(1, value);
  if (value < 2 ** 14) return number(2, value + 2 ** 14);
  if (value < 2 ** 30) return number(4, value + 2 ** 31);
  return number(8, value + 3 * 2 ** 62);
}

export const crypto = (offset: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.of(6), varint(offset), varint(bytes.length), bytes]);
export const padding = (bytes: number): Buffer => Buffer.alloc(bytes);
export const ping = Buffer.of(1);
/** With a second range, and marks of ECN. */
export const acknowledgement = Buffer.from("030a0001000102030405", "hex");

export interface InitialWishes {
  frames: Uint8Array[];
  version?: number;
  /** Whose keys protect it. */
  firstDestinationId?: Uint8Array;
  destinationId?: Uint8Array;
  sourceId?: Uint8Array;
  token?: Uint8Array;
  packetNumber?: number;
  numberBytes?: 1 | 2 | 3 | 4;
}

export function initial(wishes: InitialWishes): Buffer {
  const { version = version1, destinationId = rfcDestinationId, packetNumber = 0, numberBytes = 1 } = wishes;
  const { firstDestinationId = destinationId, sourceId = Buffer.alloc(0), token = Buffer.alloc(0) } = wishes;
  const payload = Buffer.concat(wishes.frames);
  const type = version === version2 ? 1 : 0;
  const ending = number(numberBytes, packetNumber % 2 ** (8 * numberBytes));
  const header = Buffer.concat([
    Buffer.of(0xc0 | (type << 4) | (numberBytes - 1)),
    number(4, version),
    block(1, destinationId),
    block(1, sourceId),
    varint(token.length),
    token,
    varint(numberBytes + payload.length + 16),
    ending,
  ]);
  const keys = clientKeys(version, firstDestinationId);
  if (keys === null) throw new Error(`no keys for version ${version}`);
  return protect(keys, header, payload, packetNumber, numberBytes);
}

function protect(
  keys: ClientKeys,
  header: Buffer,
  payload: Buffer,
  packetNumber: number,
  numberBytes: number,
): Buffer {
  const nonce = Buffer.from(keys.iv);
  number(8, packetNumber).forEach((byte, index) => {
    nonce.writeUInt8(nonce.readUInt8(index + 4) ^ byte, index + 4);
  });
  const sealing = createCipheriv("aes-128-gcm", keys.key, nonce, { authTagLength: 16 }).setAAD(header);
  const sealed = Buffer.concat([sealing.update(payload), sealing.final(), sealing.getAuthTag()]);
  const packet = Buffer.concat([header, sealed]);
  const numberAt = header.length - numberBytes;
  const mask = createCipheriv("aes-128-ecb", keys.headerKey, null).update(
    packet.subarray(numberAt + 4, numberAt + 20),
  );
  packet.writeUInt8(packet.readUInt8(0) ^ (mask.readUInt8(0) & 0x0f), 0);
  for (let index = 0; index < numberBytes; index++) {
    packet.writeUInt8(packet.readUInt8(numberAt + index) ^ mask.readUInt8(index + 1), numberAt + index);
  }
  return packet;
}
