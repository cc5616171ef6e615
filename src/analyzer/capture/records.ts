// Decodes a batch of the kernel's records. The layout comes from bpf/events.h (layout.ts is generated), the 8-byte
// header before each record from include/uapi/linux/bpf.h. What makes no sense is left out and counted.
import { decodeHello, decodeLifetime, type NetworkRecord } from "./network-records.ts";
import {
  dataLayout,
  freeLayout,
  headerLayout,
  processLayout,
  PS_DIRECTION_OUT,
  PS_RECORD_CLOSED,
  PS_RECORD_DATA,
  PS_RECORD_ELSEWHERE,
  PS_RECORD_EXEC,
  PS_RECORD_EXIT,
  PS_RECORD_FORK,
  PS_RECORD_FREE,
  PS_RECORD_HELLO,
  PS_RECORD_LIBRARY,
  PS_RECORD_OPEN,
  PS_RECORD_OWNER,
  PS_RECORD_SERVER_NAME,
  PS_RECORD_SOCKET,
  PS_SERVER_NAME_BYTES,
  serverNameLayout,
  socketLayout,
} from "./layout.ts";
import type { Direction } from "../../protocol/traffic.ts";
import { endpoint } from "../endpoint.ts";

/** One TLS object's life: the address is used again after it is freed, so the birth belongs to it. */
export interface TlsObject {
  pid: number;
  /** `pid:address:birth`, hex but for the pid. */
  key: string;
}

export type KernelRecord =
  | {
      type: "data";
      object: TlsObject;
      direction: Direction;
      /** Bytes of this direction before this record. */
      position: number;
      fromStart: boolean;
      /** A copy, free of the batch. */
      payload: Uint8Array;
      /** Bytes that should be here and could not be read from the process. */
      unreadableBytes: number;
      /** The plan whose probes told it (ProbePlan.file). */
      file: number;
      monotonicNs: bigint;
    }
  | { type: "free"; object: TlsObject; monotonicNs: bigint }
  | { type: "server-name"; object: TlsObject; name: string }
  /** Addresses as `address:port`, IPv6 in brackets. */
  | { type: "socket"; object: TlsObject; local: string; remote: string }
  | {
      type: "exec" | "exit" | "fork" | "library" | "elsewhere";
      pid: number;
      parentPid: number;
      command: string;
      monotonicNs: bigint;
    }
  | NetworkRecord;

const busyBit = 0x8000_0000;
const discardBit = 0x4000_0000;
const ringHeaderBytes = 8;

/** The records of a batch in the order of the ring, and how many bytes of it could not be understood. */
export function decodeRecords(batch: Buffer): { records: KernelRecord[]; undecodedBytes: number } {
  const records: KernelRecord[] = [];
  let undecodedBytes = 0;
  let at = 0;
  while (at + ringHeaderBytes <= batch.length) {
    const word = batch.readUInt32LE(at);
    const length = word & ~(busyBit | discardBit);
    const start = at + ringHeaderBytes;
    if ((word & busyBit) !== 0 || start + length > batch.length) break;
    if ((word & discardBit) === 0) {
      const record = decodeRecord(batch.subarray(start, start + length));
      if (record) records.push(record);
      else undecodedBytes += ringHeaderBytes + length;
    }
    at = start + ((length + 7) & ~7);
  }
  return { records, undecodedBytes: undecodedBytes + Math.max(0, batch.length - at) };
}

function decodeRecord(bytes: Buffer): KernelRecord | null {
  if (bytes.length < headerLayout.bytes) return null;
  const kind = bytes.readUInt32LE(headerLayout.record);
  const pid = bytes.readUInt32LE(headerLayout.pid);
  const monotonicNs = bytes.readBigUInt64LE(headerLayout.monotonicNs);
  switch (kind) {
    case PS_RECORD_DATA:
      return decodeData(bytes, pid, monotonicNs);
    case PS_RECORD_FREE:
      return bytes.length < freeLayout.bytes
        ? null
        : { type: "free", object: objectOf(bytes, pid), monotonicNs };
    case PS_RECORD_SERVER_NAME: {
      if (bytes.length < serverNameLayout.bytes) return null;
      const nameBytes = Math.min(bytes.readUInt32LE(serverNameLayout.nameBytes), PS_SERVER_NAME_BYTES);
      const name = bytes.toString("utf8", serverNameLayout.name, serverNameLayout.name + nameBytes);
      return { type: "server-name", object: objectOf(bytes, pid), name };
    }
    case PS_RECORD_SOCKET:
      return bytes.length < socketLayout.bytes ? null : decodeSocket(bytes, pid);
    case PS_RECORD_EXEC:
      return decodeProcess("exec", bytes, pid, monotonicNs);
    case PS_RECORD_EXIT:
      return decodeProcess("exit", bytes, pid, monotonicNs);
    case PS_RECORD_FORK:
      return decodeProcess("fork", bytes, pid, monotonicNs);
    case PS_RECORD_LIBRARY:
      return decodeProcess("library", bytes, pid, monotonicNs);
    case PS_RECORD_ELSEWHERE:
      return decodeProcess("elsewhere", bytes, pid, monotonicNs);
    case PS_RECORD_HELLO:
      return decodeHello(bytes, pid, monotonicNs);
    case PS_RECORD_OWNER:
      return decodeLifetime("owner", bytes, pid, monotonicNs);
    case PS_RECORD_CLOSED:
      return decodeLifetime("closed", bytes, pid, monotonicNs);
    case PS_RECORD_OPEN:
      return decodeLifetime("open", bytes, pid, monotonicNs);
    default:
      return null;
  }
}

/** All records about a TLS object have its address and birth at the same place. */
function objectOf(bytes: Buffer, pid: number): TlsObject {
  const address = bytes.readBigUInt64LE(dataLayout.tls).toString(16);
  const birth = bytes.readBigUInt64LE(dataLayout.birthNs).toString(16);
  return { pid, key: `${pid}:${address}:${birth}` };
}

function decodeData(bytes: Buffer, pid: number, monotonicNs: bigint): KernelRecord | null {
  if (bytes.length < dataLayout.bytes) return null;
  const payloadBytes = bytes.readUInt32LE(dataLayout.payloadBytes);
  if (dataLayout.bytes + payloadBytes > bytes.length) return null;
  return {
    type: "data",
    object: objectOf(bytes, pid),
    direction: bytes.readUInt8(dataLayout.direction) === PS_DIRECTION_OUT ? "out" : "in",
    position: Number(bytes.readBigUInt64LE(dataLayout.position)),
    fromStart: bytes.readUInt8(dataLayout.fromStart) !== 0,
    payload: Uint8Array.prototype.slice.call(bytes, dataLayout.bytes, dataLayout.bytes + payloadBytes),
    unreadableBytes: bytes.readUInt32LE(dataLayout.unreadableBytes),
    file: bytes.readUInt32LE(dataLayout.file),
    monotonicNs,
  };
}

const inet = 2;

function decodeSocket(bytes: Buffer, pid: number): KernelRecord {
  const family = bytes.readUInt16LE(socketLayout.family);
  const end = (addressAt: number, portAt: number) =>
    endpoint(bytes.subarray(addressAt, addressAt + (family === inet ? 4 : 16)), bytes.readUInt16LE(portAt));
  return {
    type: "socket",
    object: objectOf(bytes, pid),
    local: end(socketLayout.local, socketLayout.localPort),
    remote: end(socketLayout.remote, socketLayout.remotePort),
  };
}

function decodeProcess(
  type: "exec" | "exit" | "fork" | "library" | "elsewhere",
  bytes: Buffer,
  pid: number,
  monotonicNs: bigint,
): KernelRecord | null {
  if (bytes.length < processLayout.bytes) return null;
  const command = bytes
    .toString("utf8", processLayout.command, processLayout.command + 16)
    .replace(/\0.*$/s, "");
  return { type, pid, parentPid: bytes.readUInt32LE(processLayout.parentPid), command, monotonicNs };
}
