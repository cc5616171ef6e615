// Makes what the kernel's ring buffer would hold, by the generated layout.
import {
  dataLayout,
  freeLayout,
  headerLayout,
  processLayout,
  PS_RECORD_DATA,
  PS_RECORD_FREE,
  PS_RECORD_SERVER_NAME,
  PS_RECORD_SOCKET,
  serverNameLayout,
  socketLayout,
} from "../../../src/analyzer/capture/layout.ts";

/** One TLS object: pid 7, address 0xabc, born at 0x10. */
export const key = "7:abc:10";

function record(kind: number, bytes: number): Buffer {
  const made = Buffer.alloc(bytes);
  made.writeUInt32LE(kind, headerLayout.record);
  made.writeUInt32LE(7, headerLayout.pid);
  made.writeUInt32LE(8, headerLayout.tid);
  made.writeBigUInt64LE(5_000_000n, headerLayout.monotonicNs);
  return made;
}

function ofObject(kind: number, bytes: number): Buffer {
  const made = record(kind, bytes);
  made.writeBigUInt64LE(0xabcn, dataLayout.tls);
  made.writeBigUInt64LE(0x10n, dataLayout.birthNs);
  return made;
}

export interface DataFields {
  text: string;
  direction?: 0 | 1;
  position?: number;
  fromStart?: boolean;
  unreadableBytes?: number;
}

export function data({
  text,
  direction = 0,
  position = 0,
  fromStart = true,
  unreadableBytes = 0,
}: DataFields): Buffer {
  const head = ofObject(PS_RECORD_DATA, dataLayout.bytes);
  head.writeBigUInt64LE(BigInt(position), dataLayout.position);
  head.writeUInt32LE(text.length, dataLayout.payloadBytes);
  head.writeUInt32LE(unreadableBytes, dataLayout.unreadableBytes);
  head.writeUInt32LE(5, dataLayout.file);
  head.writeUInt8(direction, dataLayout.direction);
  head.writeUInt8(fromStart ? 1 : 0, dataLayout.fromStart);
  return Buffer.concat([head, Buffer.from(text)]);
}

export const free = (): Buffer => ofObject(PS_RECORD_FREE, freeLayout.bytes);

export function serverName(name: string): Buffer {
  const made = ofObject(PS_RECORD_SERVER_NAME, serverNameLayout.bytes);
  made.writeUInt32LE(name.length, serverNameLayout.nameBytes);
  made.write(name, serverNameLayout.name);
  return made;
}

export interface SocketFields {
  family: number;
  local: [address: number[], port: number];
  remote: [address: number[], port: number];
}

export function socket({ family, local, remote }: SocketFields): Buffer {
  const made = ofObject(PS_RECORD_SOCKET, socketLayout.bytes);
  made.writeUInt16LE(family, socketLayout.family);
  made.writeUInt16LE(local[1], socketLayout.localPort);
  made.writeUInt16LE(remote[1], socketLayout.remotePort);
  made.set(local[0], socketLayout.local);
  made.set(remote[0], socketLayout.remote);
  return made;
}

export function process(kind: number, command: string, parentPid: number): Buffer {
  const made = record(kind, processLayout.bytes);
  made.writeUInt32LE(parentPid, processLayout.parentPid);
  made.write(`${command}\0left over`.slice(0, 16), processLayout.command);
  return made;
}

/** Records with the ring's headers and padding; `flags` are BPF_RINGBUF_* bits of the length. */
export function ring(...records: (Buffer | { record: Buffer; flags: number })[]): Buffer {
  return Buffer.concat(
    records.map((given) => {
      const { record, flags } = Buffer.isBuffer(given) ? { record: given, flags: 0 } : given;
      const whole = Buffer.alloc(8 + Math.ceil(record.length / 8) * 8);
      whole.writeUInt32LE((record.length | flags) >>> 0, 0);
      record.copy(whole, 8);
      return whole;
    }),
  );
}
