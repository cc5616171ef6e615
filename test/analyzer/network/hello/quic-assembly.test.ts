import assert from "node:assert/strict";
import { test } from "node:test";
import { QuicAssembly } from "../../../../src/analyzer/network/hello/quic-assembly.ts";
import type { Assembled } from "../../../../src/analyzer/network/hello/record-assembly.ts";
import { block, largeHello, number } from "./hellos.ts";
import {
  acknowledgement,
  crypto,
  initial,
  padding,
  ping,
  varint,
  version1,
  version2,
} from "./quic-client.ts";
import {
  rfc9001ClientInitial,
  rfc9001ServerInitial,
  rfc9369ClientInitial,
  rfcClientHello,
  rfcDestinationId,
} from "./rfc-initials.ts";

/** The answer to the last of the datagrams, and that all before it were incomplete. */
function assembled(...datagrams: Uint8Array[]): Assembled {
  const assembly = new QuicAssembly();
  const answers = datagrams.map((datagram) => assembly.push(datagram));
  assert.deepStrictEqual(
    answers.slice(0, -1).filter(({ state }) => state !== "incomplete"),
    [],
  );
  return answers.at(-1) ?? { state: "incomplete" };
}

const incomplete: Assembled = { state: "incomplete" };
const hello = largeHello("quic.example.com");
const whole: Assembled = { state: "whole", handshake: new Uint8Array(hello) };
const tooLong: Assembled = {
  state: "problem",
  reason: { code: "hello-too-long", text: "the ClientHello is longer than 64 KiB or in too many pieces" },
};
const otherId = Buffer.from("a1b2c3d4e5f60718293a", "hex");

/** A CRYPTO frame with a part of the hello. */
const part = (start: number, end = hello.length) => crypto(start, hello.subarray(start, end));
const first = initial({ frames: [part(0, 1000), padding(100)] });
const second = initial({ frames: [part(1000), padding(600)], packetNumber: 1 });

test("quic: the client's Initial of RFC 9001 A.2 and of RFC 9369 A.2", () => {
  const handshake = new Uint8Array(rfcClientHello);
  assert.deepStrictEqual(assembled(rfc9001ClientInitial), { state: "whole", handshake });
  assert.deepStrictEqual(assembled(rfc9369ClientInitial), { state: "whole", handshake });
});

test("quic: a hello over two datagrams, in either order, and twice", () => {
  assert.deepStrictEqual(assembled(first, second), whole);
  assert.deepStrictEqual(assembled(second, first), whole);
  assert.deepStrictEqual(assembled(first, first, second), whole);
});

test("quic: shuffled and overlapping CRYPTO frames among PING, PADDING and ACK", () => {
  const frames = [
    [part(900, 1200), ping, padding(3), part(10, 40)],
    [padding(1), part(1100), acknowledgement, part(30, 901), ping],
    [ping, part(0, 12), padding(900)],
  ];
  const packets = frames.map((each, packetNumber) => initial({ frames: each, packetNumber }));
  assert.deepStrictEqual(assembled(...packets), whole);
  assert.deepStrictEqual(assembled(...packets.toReversed()), whole);
  assert.deepStrictEqual(assembled(Buffer.concat(packets)), whole);
});

test("quic: a hello cut in two at every byte", () => {
  for (let cut = 1; cut < hello.length; cut++) {
    const frames = [part(cut), part(0, cut)];
    assert.deepStrictEqual(assembled(initial({ frames })), whole, `cut at ${cut}`);
  }
});

test("quic: behind packets of other kinds in the same datagram", () => {
  const long = (type: number) =>
    Buffer.concat([
      Buffer.of(0xc0 | (type << 4)),
      number(4, version1),
      block(1, otherId),
      block(1),
      varint(300),
    ]);
  const zeroRtt = Buffer.concat([long(1), Buffer.alloc(300, 5)]);
  const handshake = Buffer.concat([long(2), Buffer.alloc(300, 6)]);
  const datagram = Buffer.concat([zeroRtt, handshake, first, zeroRtt, second, Buffer.alloc(40, 0x41)]);
  assert.deepStrictEqual(assembled(datagram), whole);
});

test("quic: later Initials go to the server's id with the keys of the first one's", () => {
  const later = { firstDestinationId: rfcDestinationId, destinationId: otherId, packetNumber: 1 };
  assert.deepStrictEqual(assembled(first, initial({ ...later, frames: [part(1000)] })), whole);
  assert.deepStrictEqual(assembled(initial({ ...later, frames: [part(1000)] })), incomplete);
});

test("quic: after a Retry the client begins anew, with a token and the keys of another id", () => {
  const retried = { destinationId: otherId, token: Buffer.alloc(70, 3) };
  const again = [
    initial({ ...retried, frames: [part(0, 900)], packetNumber: 1 }),
    initial({ ...retried, frames: [part(900)], packetNumber: 2 }),
  ];
  assert.deepStrictEqual(assembled(first, ...again), whole);
  const afterwards = { firstDestinationId: otherId, destinationId: Buffer.of(1, 2, 3, 4) };
  const [begun = first] = again;
  const rest = initial({ ...afterwards, frames: [part(900)], packetNumber: 2 });
  assert.deepStrictEqual(assembled(first, begun, rest), whole);
});

test("quic: hellos of two connections on one port are not mixed", () => {
  const other = largeHello("another.example.com");
  const theirs = [crypto(0, other.subarray(0, 800)), crypto(800, other.subarray(800))];
  const [begun, rest] = theirs.map((frame, packetNumber) =>
    initial({ frames: [frame], destinationId: otherId, packetNumber }),
  );
  assert.ok(begun && rest);
  assert.deepStrictEqual(assembled(begun, second, first), whole);
  assert.deepStrictEqual(assembled(first, begun, rest), { state: "whole", handshake: new Uint8Array(other) });
});

test("quic: ids of 0 to 20 bytes, packet numbers of every length, cut ones counted on", () => {
  for (const length of [0, 1, 8, 20]) {
    const ids = { destinationId: Buffer.alloc(length, 4), sourceId: Buffer.alloc(20 - length, 5) };
    assert.deepStrictEqual(assembled(initial({ ...ids, frames: [part(0)] })), whole, `${length} bytes`);
  }
  for (const numberBytes of [1, 2, 3, 4] as const) {
    const start = 2 ** 31 - 2;
    const begun = initial({ frames: [part(0, 1000)], packetNumber: start, numberBytes: 4 });
    const rest = initial({ frames: [part(1000)], packetNumber: start + 100, numberBytes });
    assert.deepStrictEqual(assembled(begun, rest), whole, `${numberBytes} bytes`);
  }
  const tiny = initial({ frames: [part(0), ping], version: version2, numberBytes: 3 });
  assert.deepStrictEqual(assembled(tiny), whole);
});

test("quic: what is not a client's Initial changes nothing", () => {
  const changed = Buffer.from(first);
  changed.writeUInt8(changed.readUInt8(600) ^ 1, 600);
  const noise: Record<string, Buffer> = {
    nothing: Buffer.alloc(0),
    "a server's Initial": rfc9001ServerInitial,
    "a packet with a short header": Buffer.alloc(1200, 0x41),
    "a changed packet": changed,
    "a cut packet": first.subarray(0, first.length - 1),
    "a cut header": first.subarray(0, 12),
    "another version": Buffer.concat([first.subarray(0, 1), number(4, 0xff00001d), first.subarray(5)]),
    "a version negotiation": Buffer.concat([Buffer.of(0xc0), number(4, 0), first.subarray(5)]),
    "a Retry": Buffer.concat([Buffer.of(0xf0), first.subarray(1)]),
    "an id of 21 bytes": initial({ frames: [part(0)], destinationId: Buffer.alloc(21) }),
    "no frame but PADDING": initial({ frames: [padding(3)] }),
    "a packet that only acknowledges": initial({ frames: [acknowledgement, padding(30)], packetNumber: 1 }),
    DNS: Buffer.from("c3a50100000100000000000003777777076578616d706c6503636f6d0000010001", "hex"),
  };
  for (const [what, datagram] of Object.entries(noise)) {
    const assembly = new QuicAssembly();
    assert.deepStrictEqual(assembly.push(datagram), incomplete, what);
    assert.equal(assembly.isBegun, false, what);
    assert.deepStrictEqual(
      [assembly.push(first), assembly.push(datagram), assembly.push(second)].at(-1),
      whole,
      what,
    );
  }
});

test("quic: a handshake that does not begin with a ClientHello is none", () => {
  assert.deepStrictEqual(assembled(initial({ frames: [crypto(0, Buffer.alloc(50, 2))] })), {
    state: "not-tls",
  });
});

test("quic: an endless hello, or one in too many pieces, is a problem", () => {
  const endless = Buffer.concat([Buffer.of(1), number(3, 65_533)]);
  assert.deepStrictEqual(assembled(initial({ frames: [crypto(0, endless), padding(20)] })), tooLong);
  const apart = Array.from({ length: 65 }, (_, index) => crypto(2 * index + 1, Buffer.of(index)));
  assert.deepStrictEqual(assembled(initial({ frames: apart })), tooLong);
  const far = initial({ frames: [crypto(2 ** 40, Buffer.alloc(99)), crypto(65_530, Buffer.alloc(99))] });
  assert.deepStrictEqual(assembled(far, Buffer.concat([first, second])), whole);
});

test("quic: packet numbers as far as they go are read, and never an error", () => {
  const assembly = new QuicAssembly();
  for (let packetNumber = 0; packetNumber < 2 ** 38; packetNumber += 2 ** 31 - 1) {
    const datagram = initial({ frames: [part(1000)], packetNumber, numberBytes: 4 });
    assert.deepStrictEqual(assembly.push(datagram), incomplete);
  }
  assert.equal(assembly.heldBytes, hello.length - 1000);
});
