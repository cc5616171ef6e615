// A whole ClientHello -> what it says of itself (RFC 8446 4.1.2). The structure is read here, because the library that
// knows the extensions, read-tls-client-hello, reads it from streams only; extensions and fingerprints are the
// library's, but for the texts a stranger chose, which are read byte by byte.
import {
  extensionParsers,
  getExtensionData,
  isGREASE,
  type TlsClientHelloMessage,
} from "read-tls-client-hello";
import type { Reason } from "../../../protocol/coverage.ts";
import { Cursor } from "./cursor.ts";
import { ja3, ja4 } from "./fingerprints.ts";

export interface HelloFacts {
  /** The name the client asks for, as on the wire; with encryptedClientHello it may be the outer one's. */
  serverName: string | null;
  /** In the client's order, GREASE (RFC 8701) left out; a protocol that is not printable as `0x` and its hex. */
  alpn: string[];
  /**
   * `1.3`, `1.2`, `1.1`, `1.0`, `ssl3`, or the number on the wire, `0x7f1c`: in the client's order, GREASE left out.
   * A client that does not list its versions names its highest alone.
   */
  versions: string[];
  ja3: string;
  ja4: string;
  /** An outer encrypted_client_hello is there. One that is made up (GREASE ECH) looks the same to an observer. */
  encryptedClientHello: boolean;
  /** What of it is not told, and why: the server name. */
  problem?: Reason;
}

const clientHelloType = 1;
const extension = {
  serverName: 0x0000,
  alpn: 0x0010,
  versions: 0x002b,
  encryptedClientHello: 0xfe0d,
} as const;

const malformed: Reason = {
  code: "hello-malformed",
  text: "the ClientHello is cut short or has more bytes than its lengths say",
};

/**
 * @param handshake the whole handshake message: type 1, 24-bit length, body (RFC 8446 4)
 * @returns the problem `hello-malformed` for what is no ClientHello, or one whose lengths contradict each other; an
 * extension that is malformed in itself counts as one that says nothing
 */
export function readClientHello(
  handshake: Uint8Array,
  transport: "tcp" | "quic",
): { facts: HelloFacts } | { problem: Reason } {
  const message = new Cursor(handshake);
  if (message.number(1) !== clientHelloType) return { problem: malformed };
  const body = new Cursor(message.block(3));
  const version = body.number(2);
  const random = body.take(32);
  const sessionId = body.block(1);
  const cipherSuites = numbersOfTwoBytes(body.block(2));
  const compressionMethods = [...body.block(1)];
  const extensions = readExtensions(body.left > 0 ? body.block(2) : new Uint8Array(0));
  const isWhole = !message.isShort && message.left === 0 && !body.isShort && body.left === 0;
  if (!isWhole || cipherSuites === null || extensions === null) return { problem: malformed };

  const hello: TlsClientHelloMessage = {
    version,
    random,
    sessionId,
    cipherSuites,
    compressionMethods,
    extensions: extensions.map(({ id, data }) => ({ id, data: parsed(id, data) })),
  };
  const dataOf = (id: number) => extensions.find((each) => each.id === id)?.data;
  const listed = getExtensionData(hello, extension.versions)?.versions;
  const offered = (listed ?? []).filter((id) => !isGREASE(id));
  const versions = offered.length > 0 ? offered : [version];
  const protocols = readProtocols(dataOf(extension.alpn));
  const name = dataOf(extension.serverName);
  return {
    facts: {
      ...readServerName(name),
      alpn: protocols.filter((protocol) => !isGreaseProtocol(protocol)).map(printable),
      versions: versions.map(versionName),
      ja3: ja3(hello),
      ja4: ja4(hello, {
        transport,
        versions,
        hasServerName: name !== undefined,
        firstProtocol: protocols[0] ?? null,
      }),
      encryptedClientHello:
        getExtensionData(hello, extension.encryptedClientHello)?.type === outerClientHello,
    },
  };
}

/**
 * The server name as the beginning of a hello says it, for who cannot wait for its rest.
 * @param stream from the head of its first TLS record on
 * @returns null where the name is not in it whole
 */
export function readEarlyServerName(stream: Uint8Array): string | null {
  const hello = new Cursor(stream);
  hello.take(recordHeadBytes + handshakeHeadBytes + versionAndRandomBytes);
  for (const lengthBytes of [1, 2, 1]) hello.block(lengthBytes); // session, cipher suites, compression methods
  hello.number(2);
  while (hello.left > 0) {
    const id = hello.number(2);
    if (id !== extension.serverName) {
      hello.block(2);
      continue;
    }
    hello.take(2 + 2 + 1); // the lengths of the extension and of its list, the kind of its first name
    const name = hello.block(2).toString("latin1");
    return hello.isShort ? null : name;
  }
  return null;
}

const recordHeadBytes = 5;
const handshakeHeadBytes = 4;
const versionAndRandomBytes = 2 + 32;

const outerClientHello = 0;

/** Null for an odd number of bytes. */
function numbersOfTwoBytes(bytes: Buffer): number[] | null {
  if (bytes.length % 2 !== 0) return null;
  return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16BE(index * 2));
}

interface Extension {
  id: number;
  data: Buffer;
}

/** Null when they do not end where they must. */
function readExtensions(bytes: Uint8Array): Extension[] | null {
  const cursor = new Cursor(bytes);
  const extensions: Extension[] = [];
  while (cursor.left > 0) extensions.push({ id: cursor.number(2), data: cursor.block(2) });
  return cursor.isShort ? null : extensions;
}

const parsers: Partial<Record<number, (data: Buffer) => Record<string, unknown> | null>> = extensionParsers;

/** What the library makes of an extension, which throws at what is malformed. */
function parsed(id: number, data: Buffer): Record<string, unknown> | null {
  try {
    return isGREASE(id) ? null : (parsers[id]?.(data) ?? null);
  } catch {
    return null;
  }
}

const hostNameType = 0;

/** RFC 6066 3: the first host name of the list. */
function readServerName(data: Buffer | undefined): Pick<HelloFacts, "serverName" | "problem"> {
  if (data === undefined) return { serverName: null };
  const names = new Cursor(new Cursor(data).block(2));
  while (names.left > 0) {
    const type = names.number(1);
    const name = names.block(2).toString("latin1");
    if (type !== hostNameType || names.isShort) continue;
    if (/^[\w.:-]{1,255}$/.test(name)) return { serverName: name };
  }
  return {
    serverName: null,
    problem: {
      code: "server-name-unreadable",
      text: "the server name in the ClientHello is not a host name",
    },
  };
}

/** RFC 7301 3.1; none when the list is malformed. */
function readProtocols(data: Buffer | undefined): Buffer[] {
  if (data === undefined) return [];
  const list = new Cursor(new Cursor(data).block(2));
  const protocols: Buffer[] = [];
  while (list.left > 0) protocols.push(list.block(1));
  return list.isShort ? [] : protocols;
}

const printable = (protocol: Buffer): string =>
  /^[\x21-\x7e]+$/.test(protocol.toString("latin1"))
    ? protocol.toString("latin1")
    : `0x${protocol.toString("hex")}`;

const isGreaseProtocol = (protocol: Buffer): boolean =>
  protocol.length === 2 && protocol[0] === protocol[1] && isGREASE(protocol.readUInt16BE(0));

const versionNames: Partial<Record<number, string>> = {
  0x0304: "1.3",
  0x0303: "1.2",
  0x0302: "1.1",
  0x0301: "1.0",
  0x0300: "ssl3",
};

const versionName = (version: number): string =>
  versionNames[version] ?? `0x${version.toString(16).padStart(4, "0")}`;
