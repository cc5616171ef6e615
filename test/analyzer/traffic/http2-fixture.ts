// HTTP/2 bytes for tests: frames and header blocks written by hand, and real connections between Node's own client and
// server, recorded in memory.
import { Buffer } from "node:buffer";
import { once } from "node:events";
import http2 from "node:http2";
import { Duplex } from "node:stream";
import { staticTable } from "../../../src/analyzer/traffic/hpack-static.ts";
import type { ConnectionParser, ParsedEvent, ParsedExchange } from "../../../src/analyzer/traffic/parsed.ts";
import { createHttp2Parser } from "../../../src/analyzer/traffic/http2.ts";
import type { Direction } from "../../../src/protocol/traffic.ts";

export function bytes(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex.replace(/\s/g, ""), "hex"));
}

export function join(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

export const preface = new Uint8Array(Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));

/** One frame; the payload in hex or as bytes. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: string | Uint8Array = "",
): Uint8Array {
  const body = typeof payload === "string" ? bytes(payload) : payload;
  const header = Buffer.alloc(9);
  header.writeUIntBE(body.length, 0, 3);
  header[3] = type;
  header[4] = flags;
  header.writeUInt32BE(streamId, 5);
  return join(header, body);
}

export interface EncodedField {
  field: [name: string, value: string];
  /** `indexed` where the table has the field, else it is inserted. */
  form: "indexed" | "inserted" | "plain" | "never";
}

/** A plain HPACK encoder with a table of its own. */
export class HpackEncoder {
  #maxSize: number;
  #entries: [string, string][] = [];
  #updates: number[] = [];

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** Tells the new size at the next block's start. */
  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#updates.push(maxSize);
    this.#evict();
  }

  encode(fields: readonly EncodedField[]): Uint8Array {
    const parts = this.#updates.map((size) => integer(0x20, 5, size));
    this.#updates = [];
    for (const { field, form } of fields) parts.push(...this.#encodeField(field, form));
    return join(...parts);
  }

  #encodeField(field: [string, string], form: EncodedField["form"]): Uint8Array[] {
    const [name, value] = field;
    const all = [...staticTable, ...this.#entries];
    const index = all.findIndex((entry) => entry[0] === name && entry[1] === value) + 1;
    if (form === "indexed" && index > 0) return [integer(0x80, 7, index)];
    const nameIndex = all.findLastIndex((entry) => entry[0] === name) + 1;
    const isInserted = form === "indexed" || form === "inserted";
    if (isInserted) {
      this.#entries.unshift(field);
      this.#evict();
    }
    const start = isInserted
      ? integer(0x40, 6, nameIndex)
      : integer(form === "never" ? 0x10 : 0, 4, nameIndex);
    return nameIndex > 0 ? [start, string(value)] : [start, string(name), string(value)];
  }

  #evict(): void {
    const size = (): number =>
      this.#entries.reduce((sum, [name, value]) => sum + 32 + name.length + value.length, 0);
    while (size() > this.#maxSize) this.#entries.pop();
  }
}

function integer(pattern: number, prefixBits: number, value: number): Uint8Array {
  const prefixMax = 2 ** prefixBits - 1;
  if (value < prefixMax) return Uint8Array.of(pattern | value);
  const out = [pattern | prefixMax];
  let rest = value - prefixMax;
  for (; rest >= 128; rest = Math.floor(rest / 128)) out.push(0x80 | (rest % 128));
  return Uint8Array.from([...out, rest]);
}

function string(text: string): Uint8Array {
  const raw = Buffer.from(text, "latin1");
  return join(integer(0, 7, raw.length), raw);
}

/** Bytes that one side wrote; `atMs` counts the pieces of the connection. */
export interface Piece {
  direction: Direction;
  bytes: Uint8Array;
  atMs: number;
}

/** What a parser makes of these pieces and the connection's close. */
export function parse(
  pieces: readonly Piece[],
  options: Partial<Parameters<typeof createHttp2Parser>[0]> = {},
): ParsedExchange[] {
  const parser = createHttp2Parser({ bodyLimit: 1 << 20, fromStart: true, role: "client", ...options });
  const events = pieces.flatMap((piece) => parser.data(piece.direction, piece.bytes, piece.atMs));
  events.push(...parser.end("closed", pieces.length));
  return exchanges(events);
}

export function exchanges(events: readonly ParsedEvent[]): ParsedExchange[] {
  return events.filter((event): event is ParsedExchange => event.type === "exchange");
}

/** The last state of each exchange, by key. */
export function outcomes(all: readonly ParsedExchange[]): ParsedExchange[] {
  return [...new Map(all.map((exchange) => [exchange.key, exchange])).values()].sort((a, b) => a.key - b.key);
}

export function feed(
  parser: ConnectionParser,
  direction: Direction,
  ...parts: Uint8Array[]
): ParsedExchange[] {
  return exchanges(parts.flatMap((part) => parser.data(direction, part, 0)));
}

/** Runs a client against a server in memory; gives all that the client wrote (`out`) and read (`in`), in order. */
export async function record(
  serve: (server: http2.Http2Server) => void,
  use: (client: http2.ClientHttp2Session) => Promise<void>,
  settings: http2.Settings = {},
): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const note = (direction: Direction) => (chunk: Buffer) => {
    pieces.push({ direction, bytes: new Uint8Array(chunk), atMs: pieces.length });
  };
  const [clientEnd, serverEnd] = duplexPair(note("out"), note("in"));
  const server = http2.createServer({ settings });
  serve(server);
  server.emit("connection", serverEnd);
  const client = http2.connect("http://service.test", { createConnection: () => clientEnd, settings });
  await use(client);
  client.close();
  await once(client, "close");
  return pieces;
}

function duplexPair(
  noteFirst: (chunk: Buffer) => void,
  noteSecond: (chunk: Buffer) => void,
): [Duplex, Duplex] {
  const end = (note: (chunk: Buffer) => void, other: () => Duplex): Duplex =>
    new Duplex({
      read() {
        /* the other end pushes */
      },
      write(chunk: Buffer, _encoding, done) {
        note(chunk);
        other().push(chunk);
        done();
      },
      final(done) {
        other().push(null);
        done();
      },
    });
  const first: Duplex = end(noteFirst, () => second);
  const second: Duplex = end(noteSecond, () => first);
  return [first, second];
}

/** Cuts a direction's bytes into whole frames, the client's preface among them, and what is left. */
export function splitFrames(stream: Uint8Array): { frames: Uint8Array[]; rest: Uint8Array } {
  const frames: Uint8Array[] = [];
  for (let offset = 0; ;) {
    const start = Buffer.from(stream.subarray(offset, offset + 3));
    const isPreface = start.toString() === "PRI";
    const size = isPreface ? preface.length : start.length < 3 ? Infinity : 9 + start.readUIntBE(0, 3);
    if (offset + size > stream.length) return { frames, rest: stream.subarray(offset) };
    frames.push(stream.subarray(offset, offset + size));
    offset += size;
  }
}
