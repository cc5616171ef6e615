import assert from "node:assert/strict";
import { test } from "node:test";
import { type FlowOutcome, HelloFlows, type Piece } from "../../../../src/analyzer/network/hello/flows.ts";
import { clientHello, largeHello, records, serverName } from "./hellos.ts";
import { crypto, initial } from "./quic-client.ts";
import { rfc9001ServerInitial } from "./rfc-initials.ts";

const stream = records(largeHello());
const piece = (key: string, offset: number, bytes: Uint8Array, atMs = 0): Piece<null> => ({
  key,
  transport: "tcp",
  offset,
  bytes,
  atMs,
  context: null,
});
const start = (key: string, atMs = 0) => piece(key, 0, stream.subarray(0, 1000), atMs);
const rest = (key: string, atMs = 0) => piece(key, 1000, stream.subarray(1000), atMs);

/** What of an outcome tells it apart. */
const told = (outcome: FlowOutcome<null> | null) =>
  outcome && [outcome.key, "facts" in outcome ? outcome.facts.serverName : outcome.problem.code];

test("flows: a hello in pieces is told with the piece that makes it whole", () => {
  const flows = new HelloFlows<null>();
  assert.equal(flows.push(rest("a")), null);
  const outcome = flows.push(start("a"));
  assert.ok(outcome && "facts" in outcome);
  const { ja3, ja4, ...facts } = outcome.facts;
  assert.deepStrictEqual(facts, {
    serverName: "api.example.com",
    alpn: ["h2", "http/1.1"],
    versions: ["1.3", "1.2"],
    encryptedClientHello: false,
  });
  assert.match(`${ja3} ${ja4}`, /^[0-9a-f]{32} t13d0104h2_[0-9a-f]{12}_[0-9a-f]{12}$/);
  assert.equal(flows.heldBytes, 0);
});

test("flows: QUIC and TCP, interleaved, each with its own", () => {
  const flows = new HelloFlows<null>();
  const hello = largeHello("quic.example.com");
  const datagrams = [crypto(900, hello.subarray(900)), crypto(0, hello.subarray(0, 900))].map(
    (frame, packetNumber) => initial({ frames: [frame], packetNumber }),
  );
  const outcomes = [
    start("tcp"),
    ...datagrams.map((bytes): Piece<null> => ({
      key: "quic",
      transport: "quic",
      offset: 0,
      bytes,
      atMs: 0,
      context: null,
    })),
    rest("tcp"),
  ].map((each) => told(flows.push(each)));
  assert.deepStrictEqual(outcomes, [null, null, ["quic", "quic.example.com"], ["tcp", "api.example.com"]]);
});

test("flows: a key is told once, also when its packets come again, from elsewhere or late", () => {
  const flows = new HelloFlows<null>();
  const outcomes = [start("a"), start("a"), rest("a"), start("a"), rest("a"), start("b")].map((each) =>
    told(flows.push(each)),
  );
  assert.deepStrictEqual(outcomes, [null, null, ["a", "api.example.com"], null, null, null]);
  assert.deepStrictEqual(flows.expire(10_001).map(told), [["b", "hello-incomplete"]]);
  assert.equal(flows.push(rest("b", 10_002)), null);
  assert.deepStrictEqual(flows.end(), []);
});

test("flows: as many keys are remembered as wished, the oldest is forgotten first", () => {
  const flows = new HelloFlows<null>({ flows: 10, ageMs: 10, remembered: 2 });
  const name = (key: string) => told(flows.push(piece(key, 0, stream)))?.[1] ?? null;
  const named = "api.example.com";
  assert.deepStrictEqual(["a", "b", "b", "c", "b", "c", "a"].map(name), [
    named,
    named,
    null,
    named,
    null,
    null,
    named,
  ]);
});

test("flows: one whose rest never comes is told when it was silent long enough", () => {
  const flows = new HelloFlows<null>({ flows: 10, ageMs: 100, remembered: 10 });
  for (const each of [start("a", 0), start("b", 60), start("a", 90)]) assert.equal(flows.push(each), null);
  assert.deepStrictEqual(flows.expire(160), []);
  assert.deepStrictEqual(flows.expire(161).map(told), [["b", "hello-incomplete"]]);
  assert.deepStrictEqual(flows.expire(191).map(told), [["a", "hello-incomplete"]]);
  assert.equal(flows.heldBytes, 0);
});

test("flows: what is not TLS, or whose beginning never came, vanishes", () => {
  const flows = new HelloFlows<null>();
  const request = Buffer.from("GET / HTTP/1.1\r\n\r\n");
  for (const each of [piece("http", 0, request), piece("http", 18, request), rest("late")]) {
    assert.equal(flows.push(each), null);
  }
  const noise: Piece<null> = {
    key: "dns",
    transport: "quic",
    offset: 0,
    bytes: request,
    atMs: 0,
    context: null,
  };
  assert.equal(flows.push(noise), null);
  assert.deepStrictEqual(flows.end(), []);
  assert.equal(flows.heldBytes, 0);
});

test("flows: a problem of the hello is told, and only once", () => {
  const flows = new HelloFlows<null>();
  const malformed = records(Buffer.of(1, 0, 0, 2, 3, 3));
  assert.deepStrictEqual(told(flows.push(piece("a", 0, malformed))), ["a", "hello-malformed"]);
  assert.equal(flows.push(piece("a", 0, malformed)), null);
  const unnamed = records(clientHello({ extensions: [serverName("\u0007")] }));
  const outcome = flows.push(piece("b", 0, unnamed));
  assert.ok(outcome && "facts" in outcome);
  assert.deepStrictEqual(
    [outcome.facts.serverName, outcome.facts.problem?.code],
    [null, "server-name-unreadable"],
  );
});

test("flows: when there are too many, the one silent longest is given up, and told later", () => {
  const flows = new HelloFlows<null>({ flows: 3, ageMs: 100, remembered: 100 });
  for (const each of [start("a"), start("b"), start("c"), start("a"), start("d")]) {
    assert.equal(flows.push(each), null);
  }
  assert.equal(flows.push(piece("at once", 0, stream))?.key, "at once");
  assert.deepStrictEqual(told(flows.push(rest("a"))), ["a", "api.example.com"]);
  assert.equal(flows.push(rest("b")), null);
  assert.deepStrictEqual(flows.expire(0).map(told), [["b", "too-many-hellos"]]);
  assert.deepStrictEqual(flows.end().map(told), [
    ["c", "hello-incomplete"],
    ["d", "hello-incomplete"],
  ]);
});

test("flows: datagrams that are no client's Initial crowd nobody out", () => {
  const flows = new HelloFlows<null>({ flows: 2, ageMs: 100, remembered: 100 });
  assert.equal(flows.push(start("a")), null);
  for (let index = 0; index < 10; index++) {
    assert.equal(flows.push({ ...piece(`udp ${index}`, 0, rfc9001ServerInitial), transport: "quic" }), null);
  }
  assert.deepStrictEqual(told(flows.push(rest("a"))), ["a", "api.example.com"]);
});

test("flows: of a flood each hello is told, whole or not, while memory stays within bounds", () => {
  const flows = new HelloFlows<null>({ flows: 100, ageMs: 10, remembered: 100_000 });
  const outcomes: FlowOutcome<null>[] = [];
  for (let index = 0; index < 1000; index++) {
    const outcome = flows.push(start(String(index)));
    if (outcome) outcomes.push(outcome);
    assert.ok(flows.heldBytes <= 100 * 1000);
  }
  outcomes.push(...flows.end());
  assert.deepStrictEqual(
    new Set(outcomes.map(({ key }) => key)),
    new Set(Array.from({ length: 1000 }, (_, index) => String(index))),
  );
  assert.equal(outcomes.length, 1000);
});

test("flows: large hellos that never end hold no more than 64 MiB together", () => {
  const flows = new HelloFlows<null>();
  const large = records(largeHello("a.example", 60_000)).subarray(0, 60_000);
  for (let index = 0; index < 2000; index++) {
    assert.equal(flows.push(piece(String(index), 0, large)), null);
    assert.ok(flows.heldBytes <= 64 * 2 ** 20);
  }
  assert.equal(flows.end().length, 2000);
});

test("flows: the same hello at both ends is told of each, and the next one is another", () => {
  const flows = new HelloFlows<null>();
  const push = (key: string, name: string) => told(flows.push(piece(key, 0, records(largeHello(name)))));
  assert.deepStrictEqual(
    [push("out", "one.example"), push("in", "one.example"), push("out again", "two.example")],
    [
      ["out", "one.example"],
      ["in", "one.example"],
      ["out again", "two.example"],
    ],
  );
});
