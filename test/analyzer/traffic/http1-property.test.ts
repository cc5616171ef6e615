import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { createConnectionParser } from "../../../src/analyzer/traffic/connection-parser.ts";
import type { ParsedExchange } from "../../../src/analyzer/traffic/parsed.ts";
import type { Direction } from "../../../src/protocol/traffic.ts";
import { exchanges, feed, type Step } from "./wire.ts";

interface Body {
  bytes: Buffer;
  chunked: boolean;
}

interface Talk {
  method: string;
  request: Body;
  status: number;
  response: Body;
  interim: number;
}

/** Bytes without pattern; with `heads` some look like messages, as bodies may. */
function filler(size: number, seed: number, heads: boolean): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed | 1;
  for (let at = 0; at < size; at++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    bytes[at] = state >> 16;
  }
  if (heads && seed % 3 === 0)
    bytes.write("\r\nHTTP/1.1 200 OK\r\n\r\nGET / HTTP/1.1\r\n\r\n", Math.floor(size / 2));
  return bytes;
}

const bodyOf = (maxSize: number, heads: boolean): fc.Arbitrary<Body> =>
  fc.record({
    bytes: fc.tuple(fc.nat(maxSize), fc.nat(1000)).map(([size, seed]) => filler(size, seed, heads)),
    chunked: fc.boolean(),
  });

const talkOf = (maxSize: number, heads: boolean): fc.Arbitrary<Talk> =>
  fc.record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "patch", "X-OWN"),
    request: bodyOf(maxSize, heads),
    status: fc.constantFrom(200, 201, 204, 304, 404, 500),
    response: bodyOf(maxSize, heads),
    interim: fc.nat(2),
  });

const hasResponseBody = ({ method, status }: Talk) => method !== "HEAD" && status !== 204 && status !== 304;

function wireBody({ bytes, chunked }: Body): [field: string, wire: Buffer] {
  if (!chunked) return [`Content-Length: ${bytes.length}\r\n`, bytes];
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 9000) {
    const part = bytes.subarray(at, at + 9000);
    parts.push(Buffer.from(`${part.length.toString(16)};x=y\r\n`), part, Buffer.from("\r\n"));
  }
  return ["Transfer-Encoding: chunked\r\n", Buffer.concat([...parts, Buffer.from("0\r\nT: 1\r\n\r\n")])];
}

function wireRequest(talk: Talk, index: number): Buffer {
  const [field, body] = wireBody(talk.request);
  return Buffer.concat([Buffer.from(`${talk.method} /${index} HTTP/1.1\r\nHost: x\r\n${field}\r\n`), body]);
}

function wireResponse(talk: Talk): Buffer {
  const [field, body] = wireBody(talk.response);
  const head =
    "HTTP/1.1 100 Continue\r\n\r\n".repeat(talk.interim) + `HTTP/1.1 ${talk.status} Fine\r\n${field}\r\n`;
  return Buffer.concat([Buffer.from(head), hasResponseBody(talk) ? body : Buffer.alloc(0)]);
}

/** What must be told of exchange `index`, and what was. */
const expected = (talk: Talk, index: number) => ({
  request: [talk.method, `/${index}`, talk.request.bytes.toString("latin1")],
  response: [talk.status, hasResponseBody(talk) ? talk.response.bytes.toString("latin1") : ""],
});
const found = ({ request, response }: ParsedExchange) => ({
  request: [request?.method, request?.target, Buffer.from(request?.body.kept ?? []).toString("latin1")],
  response: [response?.status, Buffer.from(response?.body.kept ?? []).toString("latin1")],
});

/** Cuts bytes at fractions of their length. */
function cut(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const places = fractions.map((fraction) => Math.floor(fraction * bytes.length)).sort((a, b) => a - b);
  return [0, ...places].map((from, index) => bytes.subarray(from, places[index] ?? bytes.length));
}

/** Both directions in any order: `turns` says whose chunk comes next. */
function interleave(out: Buffer[], into: Buffer[], turns: readonly boolean[]): Step[] {
  const queues = { out: [...out], in: [...into] };
  const steps: Step[] = [];
  for (let turn = 0; queues.out.length + queues.in.length > 0; turn++) {
    const first: Direction = turns[turn % Math.max(1, turns.length)] === true ? "in" : "out";
    const direction: Direction = queues[first].length > 0 ? first : first === "in" ? "out" : "in";
    const chunk = queues[direction].shift();
    if (chunk !== undefined) steps.push([direction, chunk]);
  }
  return steps;
}

const fractions = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });
const turns = fc.array(fc.boolean(), { minLength: 1, maxLength: 30 });

test("http1: generated exchanges come out as they went in, pipelined, however the bytes are cut and interleaved", () => {
  fc.assert(
    fc.property(
      fc.array(talkOf(100_000, true), { minLength: 1, maxLength: 4 }),
      fractions,
      fractions,
      turns,
      (talks, outCuts, inCuts, order) => {
        const out = cut(Buffer.concat(talks.map(wireRequest)), outCuts);
        const into = cut(Buffer.concat(talks.map(wireResponse)), inCuts);
        const got = exchanges(feed(interleave(out, into, order)));
        assert.deepStrictEqual(got.map(found), talks.map(expected));
        assert.ok(got.every(({ state, problem }) => state === "complete" && problem === null));
      },
    ),
    { numRuns: 60 },
  );
});

test("http1: bytes fed one at a time give the same exchanges", () => {
  fc.assert(
    fc.property(fc.array(talkOf(300, true), { minLength: 1, maxLength: 4 }), turns, (talks, order) => {
      const bytewise = (bytes: Buffer) => Array.from(bytes, (byte) => Buffer.from([byte]));
      const out = bytewise(Buffer.concat(talks.map(wireRequest)));
      const into = bytewise(Buffer.concat(talks.map(wireResponse)));
      const got = exchanges(feed(interleave(out, into, order)));
      assert.deepStrictEqual(got.map(found), talks.map(expected));
    }),
    { numRuns: 60 },
  );
});

// Where bytes are missing, a body that holds a head cannot be told from a head: these bodies hold none.

/** The connection as its client sees it: a request, its response, the next; or all requests first. */
function conversation(talks: Talk[], pipelined: boolean, chunkSize: number): [Direction, Buffer][] {
  const chunks = (direction: Direction, bytes: Buffer): [Direction, Buffer][] =>
    Array.from({ length: Math.ceil(bytes.length / chunkSize) }, (_, index) => [
      direction,
      bytes.subarray(index * chunkSize, (index + 1) * chunkSize),
    ]);
  const asked = talks.map((talk, index) => chunks("out", wireRequest(talk, index)));
  const answered = talks.map((talk) => chunks("in", wireResponse(talk)));
  return pipelined
    ? [...asked.flat(), ...answered.flat()]
    : talks.flatMap((_, index) => [...(asked[index] ?? []), ...(answered[index] ?? [])]);
}

test("http1: after a loss anywhere, an exchange that is called complete is exactly what was sent", () => {
  fc.assert(
    fc.property(
      fc.array(talkOf(3000, false), { minLength: 1, maxLength: 5 }),
      fc.boolean(),
      fc.integer({ min: 5, max: 4000 }),
      fc.array(fc.nat(200), { minLength: 1, maxLength: 2 }),
      fc.boolean(),
      (talks, pipelined, chunkSize, places, known) => {
        const steps = conversation(talks, pipelined, chunkSize);
        const lost = new Set(places.map((place) => place % steps.length));
        const got = exchanges(
          feed(
            steps.map(([direction, bytes], index): Step =>
              lost.has(index) ? [direction, { lost: known ? bytes.length : null }] : [direction, bytes],
            ),
          ),
        );
        for (const exchange of got.filter(({ state }) => state === "complete")) {
          const index = Number(exchange.request?.target?.slice(1));
          const talk = talks[index];
          assert.ok(talk !== undefined);
          assert.deepStrictEqual(found(exchange), expected(talk, index));
        }
      },
    ),
    { numRuns: 400 },
  );
});

test("http1: attached anywhere in a conversation, what is called complete is exactly what was sent, and the last is", () => {
  fc.assert(
    fc.property(
      fc.array(talkOf(3000, false), { minLength: 2, maxLength: 4 }),
      talkOf(3000, false),
      fc.integer({ min: 50, max: 4000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (talks, last, chunkSize, place) => {
        const before = conversation(talks, false, chunkSize);
        const steps: Step[] = [...before.slice(Math.floor(place * before.length))];
        steps.push(["out", wireRequest(last, talks.length)], ["in", wireResponse(last)]);
        const got = exchanges(feed(steps, { fromStart: false }));
        const all = [...talks, last];
        for (const exchange of got.filter(({ state }) => state === "complete")) {
          const index = Number(exchange.request?.target?.slice(1));
          assert.deepStrictEqual(all[index] && expected(all[index], index), found(exchange));
        }
        assert.equal(got.at(-1)?.state, "complete");
        assert.equal(got.at(-1)?.request?.target, `/${talks.length}`);
      },
    ),
    { numRuns: 200 },
  );
});

const httpWords = fc.constantFrom(
  "GET / HTTP/1.1\r\n",
  "HTTP/1.1 200 OK\r\n",
  "HTTP/1.1 101 Up\r\n",
  "\r\n",
  "\r\n\r\n",
  "Content-Length: 7\r\n",
  "Transfer-Encoding: chunked\r\n",
  "5\r\n",
  "0\r\n\r\n",
  "CONNECT a:1 HTTP/1.1\r\n\r\n",
  "Upgrade: websocket\r\n",
  " folded\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "\0\0\0\x04\0\0\0\0\0",
  "\x81\xfe\0\x05",
  "HEAD ",
  "HTTP/1.",
);
const noise = fc.array(
  fc.tuple(
    fc.constantFrom<Direction>("in", "out"),
    fc.oneof(
      httpWords.map((text) => Buffer.from(text, "latin1")),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      fc.option(fc.nat(50)).map((lost) => ({ lost })),
    ),
  ),
  { maxLength: 60 },
);

test("traffic: no bytes whatever make a parser throw, and every exchange ends once", () => {
  fc.assert(
    fc.property(noise, fc.boolean(), (steps, fromStart) => {
      const keys = exchanges(feed(steps as Step[], { fromStart })).map(({ key }) => key);
      assert.equal(new Set(keys).size, keys.length);
    }),
    { numRuns: 1500 },
  );
});

const floods: [name: string, chunk: string][] = [
  ["a head without end", "X: y\r\n".repeat(2000)],
  ["a line without end", "y".repeat(16_000)],
  ["responses without requests", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx".repeat(100)],
  ["binary bytes", Buffer.from(filler(16_000, 1, false)).toString("latin1")],
  ["chunk extensions without end", "5;" + "e".repeat(16_000)],
];
setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Bytes that live on, after what can be collected was. */
async function livingBytes(): Promise<number> {
  for (let round = 0; round < 3; round++) {
    collectGarbage();
    await setImmediate();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

for (const [name, text] of floods) {
  for (const fromStart of [true, false]) {
    test(`traffic: ${name} do not fill the memory (${fromStart ? "from the start" : "in mid-connection"})`, async () => {
      const parser = createConnectionParser({ bodyLimit: 1000, fromStart });
      parser.data("out", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0);
      parser.data("in", Buffer.from("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"), 0);
      const before = await livingBytes();
      for (let count = 0; count < 1500; count++) parser.data("in", Buffer.from(text, "latin1"), count);
      const grown = (await livingBytes()) - before;
      parser.end("closed", 1500);
      assert.ok(grown < 4 * 1024 * 1024, `${grown} bytes more`);
    });
  }
}
