// One client's datagrams -> its ClientHello: the CRYPTO frames of its Initial packets, put together (RFC 9000 19.6).
// What protects the packets is quic-packet.ts's.
import { type Assembled, FirstMessage, maximumHelloBytes, tooLong } from "./assembled.ts";
import { Cursor } from "./cursor.ts";
import { OrderedBytes } from "./ordered-bytes.ts";
import {
  type ClientKeys,
  clientKeys,
  type InitialPacket,
  initialPackets,
  openInitial,
} from "./quic-packet.ts";

/** An attempt of the client's: a Retry or another version makes it begin anew, with other keys. */
interface Attempt {
  version: number;
  keys: ClientKeys;
  highestNumber: number;
  crypto: OrderedBytes;
  message: FirstMessage;
}

/** A client gets at most one Retry and one other version; the rest is room for its port to be used again. */
const maximumAttempts = 4;

/**
 * Holds for each attempt its hello and at most 64 pieces of the 64 KiB behind it, and nothing once it has told that the
 * hello is whole, no hello, or a problem (`hello-too-long`). Every later push gives the same.
 */
export class QuicAssembly {
  #attempts: Attempt[] = [];
  #isBegun = false;
  #result: Assembled = { state: "incomplete" };

  /** Whether an Initial packet of the client's with a part of its handshake has come. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  get heldBytes(): number {
    return this.#attempts.reduce((sum, { crypto, message }) => sum + crypto.heldBytes + message.heldBytes, 0);
  }

  /** One datagram, client -> server; one without a client's Initial (a server's, later packets, noise) changes nothing. */
  push(datagram: Uint8Array): Assembled {
    if (this.#result.state !== "incomplete") return this.#result;
    for (const packet of initialPackets(datagram)) {
      this.#result = this.#read(packet);
      if (this.#result.state !== "incomplete") break;
    }
    if (this.#result.state !== "incomplete") this.#attempts = [];
    return this.#result;
  }

  #read(packet: InitialPacket): Assembled {
    const opened = this.#open(packet);
    if (opened === null) return { state: "incomplete" };
    const { crypto, message } = opened.attempt;
    for (const { offset, bytes } of cryptoFrames(opened.payload)) {
      this.#isBegun = true;
      for (const part of crypto.push(offset, bytes)) {
        const assembled = message.push(part);
        if (assembled.state !== "incomplete") return assembled;
      }
    }
    return crypto.isExhausted ? tooLong : { state: "incomplete" };
  }

  /** With the keys of an earlier attempt, else with the packet's own, which begin a new one; null when none fit. */
  #open(packet: InitialPacket): { attempt: Attempt; payload: Uint8Array } | null {
    const { version, destinationId } = packet;
    for (const attempt of this.#attempts) {
      if (attempt.version !== version) continue;
      const opened = openInitial(packet, attempt.keys, attempt.highestNumber + 1);
      if (opened === null) continue;
      attempt.highestNumber = Math.max(attempt.highestNumber, opened.number);
      return { attempt, payload: opened.payload };
    }
    const keys = clientKeys(version, destinationId);
    if (keys === null) return null;
    const opened = openInitial(packet, keys, 0);
    if (opened === null) return null;
    const crypto = new OrderedBytes(maximumHelloBytes);
    const attempt = { version, keys, highestNumber: opened.number, crypto, message: new FirstMessage() };
    this.#attempts = [...this.#attempts.slice(1 - maximumAttempts), attempt];
    return { attempt, payload: opened.payload };
  }
}

const frame = { padding: 0x00, ping: 0x01, ack: 0x02, ackWithEcn: 0x03, crypto: 0x06 };

/** Up to the first frame that is malformed, or that a client does not need to say in an Initial (RFC 9000 12.4). */
function cryptoFrames(payload: Uint8Array): { offset: number; bytes: Uint8Array }[] {
  const cursor = new Cursor(payload);
  const frames = [];
  while (cursor.left > 0) {
    const type = cursor.varint();
    if (type === frame.crypto) {
      const offset = cursor.varint();
      const bytes = cursor.take(cursor.varint());
      if (!cursor.isShort) frames.push({ offset, bytes });
    } else if (type === frame.ack || type === frame.ackWithEcn) skipAcknowledged(cursor, type);
    else if (type !== frame.padding && type !== frame.ping) break;
  }
  return frames;
}

/** RFC 9000 19.3: largest, delay, then a first range and pairs of gap and range; ECN counts three kinds of mark. */
function skipAcknowledged(cursor: Cursor, type: number): void {
  cursor.varint();
  cursor.varint();
  const ranges = cursor.varint();
  cursor.varint();
  for (let range = 0; range < ranges && !cursor.isShort; range += 1) {
    cursor.varint();
    cursor.varint();
  }
  for (let count = 0; type === frame.ackWithEcn && count < 3; count += 1) cursor.varint();
}
