import assert from "node:assert/strict";
import { once } from "node:events";
import http2 from "node:http2";
import { before, describe, test } from "node:test";
import fc from "fast-check";
import type { Direction, Header } from "../../../src/protocol/traffic.ts";
import { createHttp2Parser, looksLikeHttp2 } from "../../../src/analyzer/traffic/http2.ts";
import type { ParsedExchange } from "../../../src/analyzer/traffic/parsed.ts";
import {
  exchanges,
  join,
  outcomes,
  parse,
  type Piece,
  preface,
  record,
  splitFrames,
} from "./http2-fixture.ts";

/** What a client sent and got of one exchange, as Node tells it. */
interface Truth {
  sent: http2.OutgoingHttpHeaders;
  body: Buffer;
  status: number | undefined;
  received: http2.IncomingHttpHeaders;
  answer: Buffer;
  trailers: http2.IncomingHttpHeaders;
}

async function exchange(
  client: http2.ClientHttp2Session,
  sent: http2.OutgoingHttpHeaders,
  body?: Buffer,
): Promise<Truth> {
  const stream = client.request(sent, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("trailers", (got: http2.IncomingHttpHeaders) => (trailers = got));
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  const closed = once(stream, "close");
  const [received] = (await once(stream, "response")) as [http2.IncomingHttpHeaders & { ":status"?: number }];
  await closed;
  return {
    sent,
    body: body ?? Buffer.alloc(0),
    status: received[":status"],
    received,
    answer: Buffer.concat(chunks),
    trailers,
  };
}

const megabyte = Buffer.from(Uint8Array.from({ length: 1 << 20 }, (_, at) => (at * at + 3 * at) >> 5));
/** Every byte that a header value may hold, and enough of one letter that Huffman coding is worth it. */
const everyByte =
  "e".repeat(4000) +
  Array.from({ length: 224 }, (_, at) => String.fromCharCode(at + 32))
    .join("")
    .replace("\x7f", "")
    .trim();

function answer(server: http2.Http2Server): void {
  server.on("stream", (stream, headers) => {
    const path = String(headers[":path"]);
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", () => undefined);
    stream.on("end", () => {
      if (stream.aborted) return;
      const body = Buffer.concat(chunks);
      if (path.startsWith("/echo")) {
        stream.respond({ ":status": 201, "content-type": "application/octet-stream", "x-path": path });
        stream.end(body);
      } else if (path === "/grpc") {
        stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => {
          stream.sendTrailers({ "grpc-status": "5", "grpc-message": "not found" });
        });
        stream.end(body);
      } else if (path === "/push") {
        stream.pushStream({ ":path": "/style.css" }, (error, pushed) => {
          assert.equal(error, null);
          pushed.respond({ ":status": 200, "content-type": "text/css" });
          pushed.end("body {}");
          stream.respond({ ":status": 200 });
          stream.end("page");
        });
      } else if (path === "/reset") {
        stream.respond({ ":status": 200 });
        stream.write("begun", () => {
          stream.destroy(new Error("out of order"));
        });
      } else if (path === "/early") {
        stream.additionalHeaders({ ":status": 103, link: "</style.css>" });
        stream.respond({ ":status": 204 }, { endStream: true });
      } else {
        stream.respond({ ":status": 200, "x-bytes": headers["x-bytes"], "content-length": 4 });
        stream.end(headers[":method"] === "HEAD" ? undefined : "fine");
      }
    });
  });
}

/** Compares one exchange with what Node told of it; headers as sets, for Node joins and reorders some. */
function assertTold(told: ParsedExchange | undefined, truth: Truth): void {
  assert.ok(told?.request && told.response);
  assert.equal(told.state, "complete");
  assert.deepStrictEqual(
    [told.request.method, told.request.target],
    [truth.sent[":method"], truth.sent[":path"]],
  );
  assert.equal(told.request.authority, "service.test:80");
  const expected = (headers: object): Header[] =>
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith(":") ? [] : [[name, String(value)] as Header],
    );
  assert.deepStrictEqual(new Set(told.request.headers), new Set(expected(truth.sent)));
  assert.equal(told.response.status, truth.status);
  assert.deepStrictEqual(new Set(told.response.headers), new Set(expected(truth.received)));
  assert.deepStrictEqual(new Set(told.response.trailers), new Set(expected(truth.trailers)));
  assert.ok(truth.body.equals(told.request.body.kept) && told.request.body.complete);
  assert.ok(truth.answer.equals(told.response.body.kept) && told.response.body.complete);
}

describe("http2: Node's client and server", () => {
  const truths: Truth[] = [];
  let pieces: Piece[] = [];

  before(async () => {
    pieces = await record(
      answer,
      async (client) => {
        const post = (path: string, body: Buffer): Promise<Truth> =>
          exchange(client, { ":method": "POST", ":path": path, "x-request": path }, body);
        truths.push(await exchange(client, { ":method": "GET", ":path": "/", "x-bytes": everyByte }));
        truths.push(await post("/echo/empty", Buffer.alloc(0)), await post("/echo/large", megabyte));
        truths.push(
          ...(await Promise.all(
            Array.from({ length: 12 }, (_, at) => post(`/echo/${at}`, Buffer.alloc(at * 9000, at))),
          )),
        );
        truths.push(await post("/grpc", Buffer.from([0, 0, 0, 0, 1, 8])));
        truths.push(await exchange(client, { ":method": "HEAD", ":path": "/" }));
        truths.push(await exchange(client, { ":method": "GET", ":path": "/early", cookie: "a=1; b=2" }));
      },
      { headerTableSize: 300 },
    );
  });

  test("http2: every exchange is told as it was, byte for byte", () => {
    const told = outcomes(parse(pieces));
    assert.equal(told.length, truths.length);
    truths.forEach((truth, index) => {
      assertTold(told[index], truth);
    });
  });

  test("http2: seen from the server it is the same, but for the role", () => {
    const mirrored = pieces.map((piece): Piece => ({
      ...piece,
      direction: piece.direction === "in" ? "out" : "in",
    }));
    const told = outcomes(parse(mirrored, { role: null }));
    assert.deepStrictEqual(
      told,
      outcomes(parse(pieces)).map((one): ParsedExchange => ({ ...one, role: "server" })),
    );
  });

  test("http2: one byte at a time tells the same", () => {
    const parser = createHttp2Parser({ bodyLimit: 1 << 20, fromStart: true, role: "client" });
    const told: ParsedExchange[] = [];
    for (const { direction, bytes, atMs } of pieces) {
      for (let at = 0; at < bytes.length; at++) {
        told.push(...exchanges(parser.data(direction, bytes.subarray(at, at + 1), atMs)));
      }
    }
    assert.deepStrictEqual(outcomes(told), outcomes(parse(pieces)));
  });

  test("http2: both sides' first bytes look like HTTP/2", () => {
    for (const direction of ["in", "out"]) {
      const first = pieces.find((piece) => piece.direction === direction);
      assert.ok(first && looksLikeHttp2(first.bytes));
    }
  });

  test("http2: pushed, reset and refused streams", async () => {
    const recorded = await record(answer, async (client) => {
      client.on("stream", (pushed) => pushed.resume());
      const page = await exchange(client, { ":method": "GET", ":path": "/push" });
      assert.equal(page.answer.toString(), "page");
      const reset = client.request({ ":method": "GET", ":path": "/reset" }).resume();
      await once(reset, "error");
      const cancel = new AbortController();
      const cancelled = client.request(
        { ":method": "POST", ":path": "/echo/never" },
        { signal: cancel.signal },
      );
      await new Promise((done) => cancelled.write("part", done));
      const failed = once(cancelled, "error");
      cancel.abort();
      await failed;
    });
    const told = outcomes(parse(recorded)).map(({ state, request, response, problem }) => [
      state,
      request?.target,
      response?.status,
      Buffer.from(response?.body.kept ?? []).toString(),
      problem?.text,
    ]);
    assert.deepStrictEqual(told, [
      ["complete", "/push", 200, "page", undefined],
      ["complete", "/style.css", 200, "body {}", undefined],
      ["incomplete", "/reset", 200, "begun", "the server reset the stream: INTERNAL_ERROR"],
      ["incomplete", "/echo/never", undefined, "", "the client reset the stream: CANCEL"],
    ]);
  });
});

describe("http2: Node's client and server, seen in part", () => {
  let frames: Piece[] = [];
  let truth = new Map<string, ParsedExchange>();

  /** Requests and responses whose fields come and go in small dynamic tables; a key in each that is never indexed. */
  before(async () => {
    const pieces = await record(
      (server) => {
        server.on("stream", (stream, headers) => {
          const key = String(headers["x-key"]);
          const extra = { [`x-answer-${key.length}`]: `value ${Number(key) % 7}`, "x-long": key.repeat(30) };
          stream.respond(
            {
              ":status": Number(key) % 5 === 0 ? 418 : 200,
              ...extra,
              "x-key": key,
              [http2.sensitiveHeaders]: ["x-key"],
            },
            { waitForTrailers: true },
          );
          stream.on("wantTrailers", () => {
            stream.sendTrailers({ "grpc-status": String(Number(key) % 3) });
          });
          stream.resume().on("end", () => stream.end(`answer ${key}`));
        });
      },
      async (client) => {
        for (let round = 0; round < 8; round++) {
          const keys = Array.from({ length: 6 }, (_, at) => String(round * 6 + at));
          await Promise.all(
            keys.map((key) =>
              exchange(
                client,
                {
                  ":method": ["GET", "POST", "PATCH"][Number(key) % 3] ?? "GET",
                  ":path": `/item/${Number(key) % 5}`,
                  "x-mood": `mood ${Number(key) % 4}`,
                  "x-long": key.repeat(25),
                  "x-key": key,
                  [http2.sensitiveHeaders]: ["x-key"],
                },
                Number(key) % 3 === 0 ? undefined : Buffer.from(`body ${key}`),
              ),
            ),
          );
        }
      },
      { headerTableSize: 400 },
    );
    frames = inFrames(pieces);
    const told = outcomes(parse(frames));
    truth = new Map(told.map((one) => [keyOf(one), one]));
    assert.equal(truth.size, 48);
    assert.ok(told.every((one) => one.state === "complete" && !JSON.stringify(one.request).includes("null")));
  });

  test("http2: attached at any frame, no field is wrong, and what began since is complete", () => {
    let unknown = 0;
    for (let cut = 1; cut < frames.length; cut++) {
      const role = cut % 2 === 0 ? "client" : null;
      const told = outcomes(parse(frames.slice(cut), { fromStart: false, role }));
      for (const one of told) unknown += assertNeverWrong(one, truth);
      const complete = new Set(told.filter((one) => one.state === "complete").map(keyOf));
      for (const [key, { startedMs }] of truth) if (startedMs >= cut + 8) assert.ok(complete.has(key), key);
    }
    assert.ok(unknown > 0);
  });

  test("http2: with frames lost anywhere, no field is wrong and nothing incomplete is called complete", () => {
    for (const direction of ["in", "out"] as const) {
      for (let cut = 0; cut < frames.length; cut++) {
        const parser = createHttp2Parser({ bodyLimit: 1000, fromStart: true, role: "client" });
        const told: ParsedExchange[] = [];
        let left = cut % 3 === 0 ? 4 : 1;
        frames.forEach((piece, index) => {
          const isLost = index >= cut && piece.direction === direction && left > 0;
          if (isLost) left--;
          const events = isLost
            ? parser.lost(direction, index % 2 === 0 ? null : piece.bytes.length, index)
            : parser.data(piece.direction, piece.bytes, index);
          told.push(...exchanges(events));
        });
        told.push(...exchanges(parser.end("closed", frames.length)));
        for (const one of outcomes(told)) assertNeverWrong(one, truth);
      }
    }
  });

  test("http2: any split of the bytes tells the same", () => {
    const whole = parse(untimed(frames), { bodyLimit: 100 });
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        (sizes, known) => {
          const role = known ? "client" : null;
          assert.deepStrictEqual(parse(resplit(untimed(frames), sizes), { bodyLimit: 100, role }), whole);
        },
      ),
      { numRuns: 30 },
    );
  });

  test("http2: attached at any byte, any split of the rest tells the same", () => {
    const whole = untimed(frames);
    fc.assert(
      fc.property(
        fc.nat({ max: frames.length - 1 }),
        fc.nat({ max: 300 }),
        fc.array(fc.nat({ max: 400 }), { minLength: 1, maxLength: 30 }),
        (cut, skip, sizes) => {
          const [first, ...others] = whole.slice(cut);
          assert.ok(first);
          const rest = [{ ...first, bytes: first.bytes.subarray(skip % first.bytes.length) }, ...others];
          const told = outcomes(parse(rest, { fromStart: false, bodyLimit: 1000 }));
          for (const one of told) assertNeverWrong(one, truth);
          assert.deepStrictEqual(
            outcomes(parse(resplit(rest, sizes), { fromStart: false, bodyLimit: 1000 }))
              .map(keyOf)
              .sort(),
            told.map(keyOf).sort(),
          );
        },
      ),
      { numRuns: 60 },
    );
  });

  test("http2: flipped bits and lost bytes anywhere never throw", () => {
    const change = fc.record({
      at: fc.nat({ max: frames.length - 1 }),
      byte: fc.nat({ max: 300 }),
      bit: fc.nat({ max: 8 }),
    });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const parser = createHttp2Parser({ bodyLimit: 100, fromStart: true, role: null });
        const told: ParsedExchange[] = [];
        frames.forEach(({ direction, bytes }, index) => {
          const damaged = bytes.slice();
          for (const { at, byte, bit } of changes) {
            if (at !== index) continue;
            const offset = byte % bytes.length;
            if (bit === 8) told.push(...exchanges(parser.lost(direction, byte, index)));
            else damaged[offset] = (damaged[offset] ?? 0) ^ (1 << bit);
          }
          told.push(...exchanges(parser.data(direction, damaged, index)));
        });
        told.push(...exchanges(parser.end("untraced", frames.length)));
        assertToldOnce(told);
      }),
      { numRuns: 100 },
    );
  });
});

test("http2: random bytes never throw, and what is told is told in order", () => {
  const frameLike = fc
    .tuple(
      fc.nat({ max: 30 }),
      fc.nat({ max: 11 }),
      fc.nat({ max: 255 }),
      fc.nat({ max: 9 }),
      fc.uint8Array({ maxLength: 30 }),
    )
    .map(([length, type, flags, streamId, rest]) =>
      join(Uint8Array.of(0, 0, length, type, flags, 0, 0, 0, streamId), rest),
    );
  const step = fc.record({
    direction: fc.constantFrom<Direction>("in", "out"),
    bytes: fc.oneof(fc.uint8Array({ maxLength: 100 }), frameLike, fc.constant(preface)),
    lost: fc.option(fc.option(fc.nat({ max: 40 })), { freq: 8, nil: undefined }),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 40 }),
      fc.boolean(),
      fc.constantFrom("client", null),
      (steps, fromStart, role) => {
        const parser = createHttp2Parser({ bodyLimit: 20, fromStart, role });
        const told: ParsedExchange[] = [];
        steps.forEach(({ direction, bytes, lost }, index) => {
          if (lost !== undefined) told.push(...exchanges(parser.lost(direction, lost, index)));
          told.push(...exchanges(parser.data(direction, bytes, index)));
          looksLikeHttp2(bytes);
        });
        told.push(...exchanges(parser.end("closed", steps.length)));
        assertToldOnce(told);
      },
    ),
    { numRuns: 1000 },
  );
});

/** No exchange goes on after its end, all have ended, and the keys are ordinals. */
function assertToldOnce(told: readonly ParsedExchange[]): void {
  const ended = new Set<number>();
  for (const { key, state } of told) {
    assert.ok(!ended.has(key));
    if (state !== "pending") ended.add(key);
  }
  assert.deepStrictEqual(
    outcomes(told).map(({ key }) => key),
    [...ended].sort((a, b) => a - b),
  );
}

/** One piece a frame, timed by its ordinal. */
function inFrames(pieces: readonly Piece[]): Piece[] {
  const frames: Piece[] = [];
  const waiting: Record<Direction, Uint8Array> = { in: new Uint8Array(0), out: new Uint8Array(0) };
  for (const { direction, bytes } of pieces) {
    const { frames: whole, rest } = splitFrames(join(waiting[direction], bytes));
    waiting[direction] = join(rest);
    for (const one of whole) frames.push({ direction, bytes: one, atMs: frames.length });
  }
  return frames;
}

function untimed(pieces: readonly Piece[]): Piece[] {
  return pieces.map((piece) => ({ ...piece, atMs: 0 }));
}

/** The same bytes in the same order of directions, cut at these sizes over and over; 0 joins two pieces. */
function resplit(pieces: readonly Piece[], sizes: readonly number[]): Piece[] {
  let turn = 0;
  const joined: Piece[] = [];
  for (const piece of pieces) {
    const last = joined.at(-1);
    const isJoined = last?.direction === piece.direction && sizes[turn++ % sizes.length] !== 1;
    if (last && isJoined) last.bytes = join(last.bytes, piece.bytes);
    else joined.push({ ...piece });
  }
  return joined.flatMap((piece) => {
    const parts: Piece[] = [];
    for (let at = 0; at < piece.bytes.length;) {
      const size = (sizes[turn++ % sizes.length] ?? 0) + 1;
      parts.push({ ...piece, bytes: piece.bytes.subarray(at, at + size) });
      at += size;
    }
    return parts;
  });
}

function keyOf({ request, response }: ParsedExchange): string {
  const headers = [...(request?.headers ?? []), ...(response?.headers ?? [])];
  return headers.find(([name]) => name === "x-key")?.[1] ?? "none";
}

/** Checks all that is told of one exchange against the truth; gives the number of fields that are unknown. */
function assertNeverWrong(told: ParsedExchange, truth: ReadonlyMap<string, ParsedExchange>): number {
  const whole = truth.get(keyOf(told));
  if (whole === undefined) {
    // Its heads were lost.
    assert.notEqual(told.state, "complete");
    assert.deepStrictEqual(told.request?.headers ?? told.response?.headers ?? [], []);
    return 0;
  }
  const parts = (one: ParsedExchange): (string | number | null | undefined)[] => [
    one.request?.method,
    one.request?.target,
    one.request?.authority,
    one.response?.status,
  ];
  let unknown = 0;
  parts(told).forEach((part, index) => {
    if (part == null) unknown++;
    else assert.equal(part, parts(whole)[index]);
  });
  for (const side of ["request", "response"] as const) {
    for (const list of ["headers", "trailers"] as const) {
      // From the end: an unknown field at the start may be a pseudo-header field.
      const expected = whole[side]?.[list].toReversed() ?? [];
      told[side]?.[list].toReversed().forEach((field, index) => {
        if (field.includes(null)) unknown++;
        assert.deepStrictEqual(
          field.map((part, at) => part ?? expected[index]?.[at] ?? null),
          expected[index] ?? [null, null],
        );
      });
      if (told.state === "complete") assert.ok((told[side]?.[list].length ?? 0) >= expected.length);
    }
    if (told.state === "complete") assert.deepStrictEqual(told[side]?.body, whole[side]?.body);
  }
  return unknown;
}
