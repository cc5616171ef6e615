// Reads how a connection begins, without taking it: a whole TLS ClientHello, something else, or nothing because the
// other side has to speak first. What was read is given along, to be sent on or to be read again.
import type { Socket } from "node:net";
import { Readable } from "node:stream";
import { getExtensionData, readTlsClientHello } from "read-tls-client-hello";
import { RecordAssembly } from "./hello/record-assembly.ts";

export interface ClientHello {
  serverName: string | null;
  /** In the client's order; empty when it names none. */
  protocols: string[];
  /** Highest version offered, as on the wire: 0x0303 is TLS 1.2. */
  highestVersion: number;
}

export type Beginning =
  | { kind: "tls"; bytes: Buffer; hello: ClientHello }
  | { kind: "other"; bytes: Buffer }
  /** Ended before it said anything that can be told apart. */
  | { kind: "ended"; bytes: Buffer };

/** Names of RFC 8701, which mean nothing, are not of this kind. */
const isName = (protocol: string): boolean => /^[\x21-\x7e]+$/.test(protocol);

/** The library reads one record alone, which here may be longer than those on the wire. */
function oneRecord(handshake: Uint8Array): Buffer {
  const head = Buffer.from([0x16, 3, 1, 0, 0]);
  head.writeUInt16BE(Math.min(handshake.length, 0xffff), 3);
  return Buffer.concat([head, handshake]);
}

/** Leaves the socket paused. Aborting gives `other` with what has come by then. */
export function readBeginning(socket: Socket, signal: AbortSignal): Promise<Beginning> {
  return new Promise((resolve) => {
    const records = new RecordAssembly();
    let bytes = Buffer.alloc(0);
    const finish = (beginning: Beginning | Promise<Beginning>) => {
      socket.off("data", onData).off("end", onEnd).off("close", onEnd);
      signal.removeEventListener("abort", onAbort);
      socket.pause();
      resolve(beginning);
    };
    const onData = (chunk: Buffer) => {
      const assembled = records.push(bytes.length, chunk);
      bytes = Buffer.concat([bytes, chunk]);
      if (assembled.state === "whole") finish(parsed(bytes, assembled.handshake));
      else if (assembled.state !== "incomplete") finish({ kind: "other", bytes });
    };
    const onEnd = () => {
      finish({ kind: "ended", bytes });
    };
    const onAbort = () => {
      finish({ kind: "other", bytes });
    };
    socket.on("data", onData).once("end", onEnd).once("close", onEnd);
    signal.addEventListener("abort", onAbort);
    socket.resume();
  });
}

/**
 * A hello that makes no sense is not TLS that we can open.
 * @param handshake the message, out of however many records
 */
async function parsed(bytes: Buffer, handshake: Uint8Array): Promise<Beginning> {
  const stream = new Readable({ read: () => undefined });
  stream.push(oneRecord(handshake));
  try {
    const message = await readTlsClientHello(stream);
    const versions = getExtensionData(message, "supported_versions")?.versions ?? [message.version];
    const hello: ClientHello = {
      serverName: getExtensionData(message, "sni")?.serverName ?? null,
      protocols: (getExtensionData(message, "alpn")?.protocols ?? []).filter(isName),
      highestVersion: Math.max(0, ...versions.filter((version) => version >> 8 === 3)),
    };
    return { kind: "tls", bytes, hello };
  } catch {
    return { kind: "other", bytes };
  } finally {
    stream.destroy();
  }
}
