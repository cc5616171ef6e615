// What a stranger may send: no input makes the parsers throw, hold more than they may, or take long. PLAINSIGHT_FUZZ_RUNS
// says how many inputs each property is tried with.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readClientHello } from "../../../../src/analyzer/network/hello/client-hello.ts";
import { HelloFlows } from "../../../../src/analyzer/network/hello/flows.ts";
import { QuicAssembly } from "../../../../src/analyzer/network/hello/quic-assembly.ts";
import { RecordAssembly } from "../../../../src/analyzer/network/hello/record-assembly.ts";
import { alpn, block, clientHello, type Extension, largeHello, number, numbers, records } from "./hellos.ts";
import { serverName, signatures, versions } from "./hellos.ts";
import { acknowledgement, crypto, initial, padding, ping, version1, version2 } from "./quic-client.ts";
import { rfc9001ClientInitial, rfc9369ClientInitial, rfcClientHello } from "./rfc-initials.ts";

const wished = process.env.PLAINSIGHT_FUZZ_RUNS;
const runs = (ordinary: number) => ({ numRuns: wished === undefined ? ordinary : Number(wished) });

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

const everyExtension: Extension[] = [
  serverName("api.example.com"),
  alpn("h2", "http/1.1"),
  versions(0x2a2a, 0x0304, 0x0303),
  signatures(0x0403, 0x0804),
  [0x000a, block(2, numbers([0x11ec, 29, 23]))],
  [0x000b, block(1, Buffer.of(0))],
  [0x0029, block(2, block(2, Buffer.alloc(9)), Buffer.alloc(4))],
  [0x0033, block(2, number(2, 29), block(2, Buffer.alloc(32)))],
  [0xfe0d, Buffer.concat([Buffer.alloc(6), block(2, Buffer.alloc(32)), block(2, Buffer.alloc(99))])],
];
const real = [
  rfcClientHello,
  largeHello(),
  clientHello({ version: 0x0301, cipherSuites: [0x2f, 0x35] }),
  clientHello({ cipherSuites: [0x0a0a, 0x1301], extensions: everyExtension }),
];

/** Bytes with some of them changed, cut or repeated. */
const mutated = (originals: readonly Uint8Array[], wishes: { changes: number }): fc.Arbitrary<Buffer> =>
  fc
    .record({
      original: fc.constantFrom(...originals),
      changes: fc.array(
        fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 0, max: 255 })),
        {
          maxLength: wishes.changes,
        },
      ),
      cut: fc.option(fc.tuple(fc.nat(2000), fc.nat(2000)), { freq: 3 }),
    })
    .map(({ original, changes, cut }) => {
      const made = Buffer.from(original);
      for (const [where, value] of changes) made[Math.floor(where * (made.length - 1))] = value;
      if (cut === null) return made;
      const [from, to] = cut;
      return Buffer.concat([made.subarray(0, from % made.length), made.subarray(to % made.length)]);
    });

/** Whether it was understood. */
function assertSound(handshake: Uint8Array): boolean {
  const read = readClientHello(handshake, "quic");
  if (!("facts" in read)) {
    assert.equal(read.problem.code, "hello-malformed");
    return false;
  }
  const { facts } = read;
  assert.match(facts.ja3, /^[0-9a-f]{32}$/);
  assert.match(facts.ja4, /^q[0-9s][0-9][di]\d{4}[0-9A-Za-z]{2}_[0-9a-f]{12}_[0-9a-f]{12}$/);
  assert.match([facts.serverName ?? "", ...facts.alpn, ...facts.versions].join(""), /^[\x21-\x7e]*$/);
  return true;
}

test("hello property: random bytes, and real hellos changed anywhere, give facts or a problem", () => {
  const random = bytes(300).map((body) => Buffer.concat([Buffer.of(1), block(3, body)]));
  const extensions = fc
    .array(fc.tuple(fc.constantFrom(...everyExtension.map(([id]) => id), 0x2a2a, 0x1234), bytes(40)), {
      maxLength: 12,
    })
    .map((list) => clientHello({ extensions: list }));
  let understood = 0;
  const inputs = fc.oneof(bytes(200), random, extensions, mutated(real, { changes: 4 }));
  fc.assert(
    fc.property(inputs, (handshake) => {
      if (assertSound(handshake)) understood += 1;
    }),
    runs(3000),
  );
  assert.ok(understood > 0);
});

/** Pieces that cover the stream, and some more, in any order. */
const pieces = (stream: Uint8Array): fc.Arbitrary<[offset: number, bytes: Uint8Array][]> =>
  fc
    .tuple(
      fc.array(fc.nat(stream.length), { maxLength: 20 }),
      fc.array(fc.tuple(fc.nat(stream.length), fc.nat(400)), { maxLength: 10 }),
      fc.array(fc.nat(), { minLength: 31, maxLength: 31 }),
    )
    .map(([cuts, again, order]) => {
      const at = [0, ...cuts.toSorted((a, b) => a - b), stream.length];
      const spans = at.slice(1).map((end, index) => [at[index] ?? 0, end] as const);
      const all = [...spans, ...again.map(([start, length]) => [start, start + length] as const)];
      return all
        .map(([start, end], index) => ({ start, end, rank: order[index] ?? 0 }))
        .sort((a, b) => a.rank - b.rank)
        .map(({ start, end }) => [start, stream.subarray(start, end)]);
    });

test("records property: any order, overlap and size of records gives the same hello", () => {
  const streams = fc
    .tuple(fc.constantFrom(...real), fc.integer({ min: 1, max: 600 }))
    .chain(([hello, fragmentBytes]) => fc.tuple(fc.constant(hello), pieces(records(hello, fragmentBytes))));
  fc.assert(
    fc.property(streams, ([hello, segments]) => {
      const assembly = new RecordAssembly();
      let answer = assembly.push(0, Buffer.alloc(0));
      for (const [offset, part] of segments) answer = assembly.push(offset, part);
      assert.ok(answer.state === "whole");
      assert.ok(hello.equals(answer.handshake));
    }),
    runs(600),
  );
});

test("records property: anything at any offset is answered, and holds no more than it may", () => {
  const offsets = fc.oneof(fc.constant(0), fc.nat(3000), fc.integer(), fc.double(), fc.nat(2 ** 18));
  const contents = fc.oneof(
    bytes(60),
    mutated(
      real.map((hello) => records(hello)),
      { changes: 3 },
    ),
  );
  let whole = 0;
  fc.assert(
    fc.property(fc.array(fc.tuple(offsets, contents), { maxLength: 12 }), (segments) => {
      const assembly = new RecordAssembly();
      for (const [offset, part] of segments) {
        const answer = assembly.push(offset, part);
        if (answer.state === "whole" && assertSound(answer.handshake)) whole += 1;
        assert.ok(assembly.heldBytes <= 2 ** 18);
      }
    }),
    runs(600),
  );
  assert.ok(whole > 0);
});

test("quic property: any order and overlap of CRYPTO frames, over any packets, gives the same hello", () => {
  const datagrams = fc.tuple(
    fc.constantFrom(...real).chain((hello) => fc.tuple(fc.constant(hello), pieces(hello))),
    fc.constantFrom(version1, version2),
    fc.uint8Array({ maxLength: 20 }),
    fc.integer({ min: 1, max: 5 }),
  );
  fc.assert(
    fc.property(datagrams, ([[hello, parts], version, destinationId, framesAPacket]) => {
      const assembly = new QuicAssembly();
      let answer = assembly.push(Buffer.alloc(0));
      for (let at = 0; at < parts.length; at += framesAPacket) {
        const frames = parts
          .slice(at, at + framesAPacket)
          .flatMap(([offset, part]) => [crypto(offset, part), ping]);
        const wishes = { frames: [...frames, padding(2)], version, destinationId, packetNumber: at };
        answer = assembly.push(initial({ ...wishes, numberBytes: 2 }));
      }
      assert.ok(answer.state === "whole");
      assert.ok(hello.equals(answer.handshake));
    }),
    runs(150),
  );
});

test("quic property: random datagrams, changed Initials and random frames are answered, and nothing more", () => {
  const initials = [
    rfc9001ClientInitial,
    rfc9369ClientInitial,
    initial({ frames: [crypto(0, largeHello()), acknowledgement, padding(9)], token: Buffer.alloc(60) }),
  ];
  const headers = fc
    .tuple(fc.constantFrom(0xc0, 0xd0, 0xe0, 0xc3, 0xf1), fc.constantFrom(version1, version2), bytes(120))
    .map(([first, version, rest]) => Buffer.concat([Buffer.of(first), number(4, version), rest]));
  const frames = fc
    .array(
      fc.oneof(
        bytes(30),
        bytes(9).map((rest) => Buffer.concat([Buffer.of(6), rest])),
      ),
      { maxLength: 6 },
    )
    .map((list) => initial({ frames: [...list, padding(4)] }));
  const datagram = fc.oneof(bytes(80), headers, frames, mutated(initials, { changes: 2 }));
  let whole = 0;
  fc.assert(
    fc.property(fc.array(datagram, { minLength: 1, maxLength: 3 }), (datagrams) => {
      const assembly = new QuicAssembly();
      for (const each of datagrams) {
        const answer = assembly.push(each);
        if (answer.state === "whole" && assertSound(answer.handshake)) whole += 1;
        assert.ok(assembly.heldBytes <= 2 ** 19);
      }
    }),
    runs(600),
  );
  assert.ok(whole > 0);
});

test("flows property: anything of anybody is told at most once, and holds no more than it may", () => {
  const limits = { flows: 4, ageMs: 50, remembered: 1000 };
  const piece = fc.record({
    key: fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h"),
    transport: fc.constantFrom("tcp" as const, "quic" as const),
    offset: fc.oneof(fc.constant(0), fc.constant(700), fc.nat(3000)),
    bytes: fc.constantFrom(
      records(largeHello()).subarray(0, 700),
      records(largeHello()).subarray(700),
      records(clientHello()),
      rfc9001ClientInitial,
      initial({ frames: [crypto(0, largeHello().subarray(0, 900))] }),
      Buffer.from("GET / HTTP/1.1\r\n"),
    ),
    atMs: fc.nat(200),
    context: fc.constant(null),
  });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 30 }), (list) => {
      const flows = new HelloFlows<null>(limits);
      const told: string[] = [];
      for (const each of list) {
        const outcome = flows.push(each);
        const outcomes = [...(outcome ? [outcome] : []), ...(each.atMs > 180 ? flows.expire(each.atMs) : [])];
        told.push(...outcomes.map(({ key }) => key));
        assert.ok(flows.heldBytes <= 4 * 2 ** 12);
      }
      told.push(...flows.end().map(({ key }) => key));
      assert.equal(new Set(told).size, told.length);
      assert.equal(flows.heldBytes, 0);
    }),
    runs(200),
  );
});
