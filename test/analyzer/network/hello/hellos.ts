// ClientHellos for tests, made of what they are to say, and TLS records around them.

/** The 24-bit length and all: a number in network order. */
export const number = (bytes: number, value: number): Buffer =>
  Buffer.from(Array.from({ length: bytes }, (_, index) => (value / 2 ** (8 * (bytes - 1 - index))) & 0xff));

/** Bytes with their length before them. */
export const block = (lengthBytes: number, ...parts: Uint8Array[]): Buffer => {
  const bytes = Buffer.concat(parts);
  return Buffer.concat([number(lengthBytes, bytes.length), bytes]);
};

export const numbers = (values: number[]): Buffer => Buffer.concat(values.map((value) => number(2, value)));

/** Hex numbers with commas between, as JA4 writes them. */
export const ids = (text: string): number[] => text.split(",").map((id) => Number.parseInt(id, 16));

export type Extension = [id: number, data: Uint8Array];

export const serverName = (name: string | Uint8Array): Extension => [
  0x0000,
  block(2, number(1, 0), block(2, Buffer.from(name))),
];
export const alpn = (...protocols: (string | Uint8Array)[]): Extension => [
  0x0010,
  block(2, ...protocols.map((protocol) => block(1, Buffer.from(protocol)))),
];
export const versions = (...values: number[]): Extension => [0x002b, block(1, numbers(values))];
export const signatures = (...values: number[]): Extension => [0x000d, block(2, numbers(values))];

export interface Wishes {
  version?: number;
  cipherSuites?: number[];
  /** None: without the length that even no extension has. */
  extensions?: Extension[];
}

/** A whole handshake message. */
export function clientHello({
  version = 0x0303,
  cipherSuites = [0x1301],
  extensions = [],
}: Wishes = {}): Buffer {
  const all = extensions.map(([id, data]) => Buffer.concat([number(2, id), block(2, data)]));
  const body = [
    number(2, version),
    Buffer.alloc(32, 7),
    block(1, Buffer.alloc(32, 8)),
    block(2, numbers(cipherSuites)),
    block(1, Buffer.of(0)),
    ...(all.length === 0 ? [] : [block(2, ...all)]),
  ];
  return Buffer.concat([Buffer.of(1), block(3, ...body)]);
}

/** A hello as large as those with a post-quantum key share are. */
export const largeHello = (name = "api.example.com", keyShareBytes = 1216): Buffer =>
  clientHello({ extensions: [keyShare(keyShareBytes), serverName(name), ...others] });

/** The same with the name before all else, as Go says it. */
export const nameFirstHello = (name = "api.example.com", keyShareBytes = 1216): Buffer =>
  clientHello({ extensions: [serverName(name), ...others, keyShare(keyShareBytes)] });

const keyShare = (bytes: number): Extension => [
  0x0033,
  block(2, number(2, 0x11ec), block(2, Buffer.alloc(bytes, 9))),
];
const others = [alpn("h2", "http/1.1"), versions(0x0304, 0x0303)];

/** Handshake bytes in records of at most so many bytes. */
export function records(handshake: Uint8Array, fragmentBytes = 2 ** 14): Buffer {
  const made: Buffer[] = [];
  for (let at = 0; at < handshake.length; at += fragmentBytes) {
    made.push(Buffer.of(22, 3, 1), block(2, handshake.subarray(at, at + fragmentBytes)));
  }
  return Buffer.concat(made);
}
