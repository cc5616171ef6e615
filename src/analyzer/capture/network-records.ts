// Decodes the records of the network path: packets with parts of ClientHellos, and whose connections are.
import type { Direction } from "../../protocol/traffic.ts";
import { endpoint } from "../endpoint.ts";
import { endsLayout, helloLayout, lifetimeLayout, PS_DIRECTION_OUT } from "./layout.ts";

/** A connection as one end sees it: `address:port`, IPv6 in brackets. */
export interface Ends {
  transport: "tcp" | "quic";
  local: string;
  remote: string;
}

export type NetworkRecord =
  | {
      type: "hello-part";
      ends: Ends;
      /** Tells connections of the same ends apart; null where it is of no socket of this host. */
      socket: string | null;
      /** Null where it is not known yet, or of no process here. */
      owner: number | null;
      command: string;
      interfaceIndex: number;
      direction: Direction;
      /** What the kernel does with it where names are blocked; `none` where they are not. */
      verdict: "none" | "held" | "allowed" | "blocked";
      /** Hex of struct ps_ends, to answer a held one. */
      rawEnds: string;
      /** Sequence number of the hello's first byte; of QUIC a number that tells connections of the same ends apart. */
      start: number;
      /** Bytes from there to these. */
      offset: number;
      /** A copy, free of the batch. */
      payload: Uint8Array;
      monotonicNs: bigint;
    }
  | {
      type: "owner" | "closed" | "open";
      ends: Ends;
      socket: string;
      owner: number | null;
      command: string;
      establishedNs: bigint;
      bytesOut: number;
      bytesIn: number;
      /** What its client has said behind the hello. */
      said: "unknown" | "handshake" | "data";
      monotonicNs: bigint;
    };

/** AF_INET of include/linux/socket.h, IPPROTO_UDP of include/linux/in.h. */
const inet = 2;
const udp = 17;

/** By enum ps_verdict. */
const verdicts = ["none", "held", "allowed", "blocked"] as const;

/** By enum ps_said. */
const said = ["unknown", "handshake", "data"] as const;

export function decodeHello(bytes: Buffer, pid: number, monotonicNs: bigint): NetworkRecord | null {
  if (bytes.length < helloLayout.bytes) return null;
  const payloadBytes = bytes.readUInt32LE(helloLayout.payloadBytes);
  if (helloLayout.bytes + payloadBytes > bytes.length) return null;
  const socket = bytes.readBigUInt64LE(helloLayout.socket);
  return {
    type: "hello-part",
    ends: decodeEnds(bytes, helloLayout.ends),
    socket: socket === 0n ? null : socket.toString(16),
    owner: pid === 0 ? null : pid,
    command: decodeCommand(bytes, helloLayout.command),
    interfaceIndex: bytes.readUInt32LE(helloLayout.interface),
    direction: bytes.readUInt8(helloLayout.direction) === PS_DIRECTION_OUT ? "out" : "in",
    verdict: verdicts[bytes.readUInt8(helloLayout.verdict)] ?? "none",
    rawEnds: bytes.toString("hex", helloLayout.ends, helloLayout.ends + endsLayout.bytes),
    start: bytes.readUInt32LE(helloLayout.start),
    offset: bytes.readUInt32LE(helloLayout.offset),
    payload: Uint8Array.prototype.slice.call(bytes, helloLayout.bytes, helloLayout.bytes + payloadBytes),
    monotonicNs,
  };
}

export function decodeLifetime(
  type: "owner" | "closed" | "open",
  bytes: Buffer,
  pid: number,
  monotonicNs: bigint,
): NetworkRecord | null {
  if (bytes.length < lifetimeLayout.bytes) return null;
  return {
    type,
    ends: decodeEnds(bytes, lifetimeLayout.ends),
    socket: bytes.readBigUInt64LE(lifetimeLayout.socket).toString(16),
    owner: pid === 0 ? null : pid,
    command: decodeCommand(bytes, lifetimeLayout.command),
    establishedNs: bytes.readBigUInt64LE(lifetimeLayout.establishedNs),
    bytesOut: Number(bytes.readBigUInt64LE(lifetimeLayout.bytesOut)),
    bytesIn: Number(bytes.readBigUInt64LE(lifetimeLayout.bytesIn)),
    said: said[bytes.readUInt8(lifetimeLayout.said)] ?? "unknown",
    monotonicNs,
  };
}

function decodeEnds(bytes: Buffer, at: number): Ends {
  const addressBytes = bytes.readUInt16LE(at + endsLayout.family) === inet ? 4 : 16;
  const end = (address: number, port: number) =>
    endpoint(bytes.subarray(at + address, at + address + addressBytes), bytes.readUInt16LE(at + port));
  return {
    transport: bytes.readUInt16LE(at + endsLayout.protocol) === udp ? "quic" : "tcp",
    local: end(endsLayout.local, endsLayout.localPort),
    remote: end(endsLayout.remote, endsLayout.remotePort),
  };
}

function decodeCommand(bytes: Buffer, at: number): string {
  return bytes.toString("utf8", at, at + 16).replace(/\0.*$/s, "");
}
