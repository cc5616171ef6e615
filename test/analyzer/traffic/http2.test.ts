import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createHttp2Parser, looksLikeHttp2 } from "../../../src/analyzer/traffic/http2.ts";
import type { ParsedExchange } from "../../../src/analyzer/traffic/parsed.ts";
import { bytes, feed, frame, join, outcomes, parse, preface } from "./http2-fixture.ts";

const data = 0x0;
const headers = 0x1;
const priority = 0x2;
const rstStream = 0x3;
const settings = 0x4;
const pushPromise = 0x5;
const ping = 0x6;
const goAway = 0x7;
const windowUpdate = 0x8;
const continuation = 0x9;
const endStream = 0x1;
const endHeaders = 0x4;
const padded = 0x8;

/** GET https /, POST https /, and status 200 from the static table. */
const get = "828784";
const post = "838784";
const ok = "88";
const text = (value: string): Uint8Array => new Uint8Array(Buffer.from(value));
const hexOf = (value: string): string => Buffer.from(value).toString("hex");
/** A literal without indexing under a new name. */
const literal = (name: string, value: string): string =>
  [name, value].reduce((hex, part) => hex + part.length.toString(16).padStart(2, "0") + hexOf(part), "00");

const greeting = frame(settings, 0, 0);

type Sent = ["out" | "in", ...Uint8Array[]];
/** The outcomes of a connection seen from its start by its client, each write in a piece of its own. */
function outcomesOf(sent: Sent[], options: Parameters<typeof parse>[1] = {}): ParsedExchange[] {
  const all: Sent[] =
    options.fromStart === false ? sent : [["out", preface, greeting], ["in", greeting], ...sent];
  const pieces = all.map(([direction, ...parts], index) => ({
    direction,
    bytes: join(...parts),
    atMs: index,
  }));
  return outcomes(parse(pieces, options));
}

/** An exchange in one line: what most tests look at. */
function line({ state, request, response, problem }: ParsedExchange): string {
  const side = (body: { size: number; kept: Uint8Array; complete: boolean } | undefined): string =>
    body === undefined
      ? "-"
      : `${body.size}${body.complete ? "" : "…"} ${Buffer.from(body.kept).toString()}`.trim();
  return [
    state,
    request === null ? "-" : `${request.method ?? "?"} ${request.target ?? "?"}`,
    side(request?.body),
    String(response === null ? "-" : (response.status ?? "?")),
    side(response?.body),
    problem?.code ?? "",
  ].join(" | ");
}

describe("http2: exchanges from frames", () => {
  const cases: { name: string; sent: Sent[]; lines: string[] }[] = [
    {
      name: "a request without a body",
      sent: [
        ["out", frame(headers, endStream | endHeaders, 1, get)],
        ["in", frame(headers, endHeaders, 1, ok), frame(data, endStream, 1, text("hello"))],
      ],
      lines: ["complete | GET / | 0 | 200 | 5 hello | "],
    },
    {
      name: "bodies in several frames, padded and empty ones among them",
      sent: [
        ["out", frame(headers, endHeaders, 1, post), frame(data, 0, 1, text("ab"))],
        ["out", frame(data, padded, 1, `03${hexOf("cd")}000000`), frame(data, padded, 1, "00")],
        ["out", frame(data, endStream, 1)],
        ["in", frame(headers, endHeaders, 1, ok), frame(data, endStream | padded, 1, `01${hexOf("x")}00`)],
      ],
      lines: ["complete | POST / | 4 abcd | 200 | 1 x | "],
    },
    {
      name: "responses without a body: HEAD, 204 and 304",
      sent: [
        ["out", frame(headers, endStream | endHeaders, 1, `${literal(":method", "HEAD")}8784`)],
        [
          "out",
          frame(headers, endStream | endHeaders, 3, get),
          frame(headers, endStream | endHeaders, 5, get),
        ],
        [
          "in",
          frame(headers, endStream | endHeaders, 5, "8b"),
          frame(headers, endStream | endHeaders, 3, "89"),
        ],
        ["in", frame(headers, endStream | endHeaders, 1, `${ok}${literal("content-length", "9")}`)],
      ],
      lines: [
        "complete | HEAD / | 0 | 200 | 0 | ",
        "complete | GET / | 0 | 204 | 0 | ",
        "complete | GET / | 0 | 304 | 0 | ",
      ],
    },
    {
      name: "padding and priority in HEADERS, and a block over CONTINUATION frames",
      sent: [
        [
          "out",
          frame(headers, endStream | padded | 0x20, 1, "0200000000ff820000"),
          frame(continuation, 0, 1, "87"),
        ],
        ["out", frame(continuation, 0, 1), frame(continuation, endHeaders, 1, "84")],
        ["in", frame(headers, endStream | endHeaders, 1, ok)],
      ],
      lines: ["complete | GET / | 0 | 200 | 0 | "],
    },
    {
      name: "informational responses are not the response",
      sent: [
        ["out", frame(headers, endHeaders, 1, post)],
        ["in", frame(headers, endHeaders, 1, literal(":status", "100"))],
        ["out", frame(data, endStream, 1, text("body"))],
        ["in", frame(headers, endHeaders, 1, literal(":status", "103") + literal("link", "</a>"))],
        ["in", frame(headers, endHeaders, 1, ok), frame(data, endStream, 1, text("done"))],
      ],
      lines: ["complete | POST / | 4 body | 200 | 4 done | "],
    },
    {
      name: "frames that carry no message",
      sent: [
        [
          "in",
          frame(settings, 1, 0),
          frame(windowUpdate, 0, 0, "00010000"),
          frame(ping, 0, 0, "0011223344556677"),
        ],
        [
          "out",
          frame(settings, 1, 0),
          frame(ping, 1, 0, "0011223344556677"),
          frame(priority, 0, 1, "0000000010"),
        ],
        [
          "out",
          frame(headers, endStream | endHeaders, 1, get),
          frame(0x10, 0, 0, hexOf("u=1")),
          frame(0xee, 0xff, 1),
        ],
        ["in", frame(windowUpdate, 0, 1, "00000001"), frame(headers, endStream | endHeaders, 1, ok)],
      ],
      lines: ["complete | GET / | 0 | 200 | 0 | "],
    },
    {
      name: "a response that ends before its request",
      sent: [
        ["out", frame(headers, endHeaders, 1, post), frame(data, 0, 1, text("part"))],
        ["in", frame(headers, endStream | endHeaders, 1, "8d"), frame(rstStream, 0, 1, "00000000")],
        ["out", frame(data, endStream, 1, text("rest"))],
      ],
      lines: ["complete | POST / | 4… part | 404 | 0 | "],
    },
    {
      name: "a pushed response",
      sent: [
        ["out", frame(headers, endStream | endHeaders, 1, get)],
        ["in", frame(pushPromise, endHeaders, 1, `00000002828785`)],
        ["in", frame(headers, endStream | endHeaders, 1, ok)],
        ["in", frame(headers, endHeaders, 2, ok), frame(data, endStream, 2, text("pushed"))],
      ],
      lines: ["complete | GET / | 0 | 200 | 0 | ", "complete | GET /index.html | 0 | 200 | 6 pushed | "],
    },
    {
      name: "a tunnel's bytes are the bodies of CONNECT",
      sent: [
        [
          "out",
          frame(headers, endHeaders, 1, literal(":method", "CONNECT") + literal(":authority", "db:5432")),
        ],
        ["in", frame(headers, endHeaders, 1, ok), frame(data, 0, 1, text("pong"))],
        ["out", frame(data, 0, 1, text("ping"))],
        ["in", frame(data, endStream, 1)],
      ],
      lines: ["complete | CONNECT db:5432 | 4… ping | 200 | 4 pong | "],
    },
    {
      name: "a reset by either side",
      sent: [
        [
          "out",
          frame(headers, endStream | endHeaders, 1, get),
          frame(headers, endStream | endHeaders, 3, get),
        ],
        [
          "in",
          frame(headers, endHeaders, 1, ok),
          frame(data, 0, 1, text("be")),
          frame(rstStream, 0, 1, "00000002"),
        ],
        ["out", frame(rstStream, 0, 3, "00000008")],
        ["in", frame(headers, endHeaders, 3, ok), frame(data, endStream, 3, text("too late"))],
      ],
      lines: [
        "incomplete | GET / | 0 | 200 | 2… be | stream-reset",
        "incomplete | GET / | 0 | - | - | stream-reset",
      ],
    },
    {
      name: "a GOAWAY refuses the streams after its last one",
      sent: [
        [
          "out",
          frame(headers, endStream | endHeaders, 1, get),
          frame(headers, endStream | endHeaders, 3, get),
        ],
        ["in", frame(goAway, 0, 0, "0000000100000000"), frame(headers, endStream | endHeaders, 1, ok)],
      ],
      lines: ["complete | GET / | 0 | 200 | 0 | ", "incomplete | GET / | 0 | - | - | going-away"],
    },
    {
      name: "a block that is interrupted",
      sent: [
        ["out", frame(headers, endStream, 1, get), frame(headers, endStream | endHeaders, 3, get)],
        ["in", frame(headers, endStream | endHeaders, 1, ok), frame(headers, endStream | endHeaders, 3, ok)],
      ],
      lines: ["incomplete | ? ? | 0 | 200 | 0 | headers-not-readable", "complete | GET / | 0 | 200 | 0 | "],
    },
    {
      name: "a block with a fault",
      sent: [
        ["out", frame(headers, endStream | endHeaders, 1, `${get}ff`)],
        ["in", frame(headers, endStream | endHeaders, 1, ok)],
      ],
      lines: ["incomplete | GET / | 0 | 200 | 0 | headers-not-readable"],
    },
    {
      name: "padding longer than the frame",
      sent: [
        ["out", frame(headers, endHeaders, 1, post), frame(data, padded | endStream, 1, `ff${hexOf("abc")}`)],
        ["in", frame(headers, endStream | endHeaders | padded, 1, `05${ok}`)],
      ],
      lines: ["incomplete | POST / | 0 | ? | 0 | headers-not-readable"],
    },
  ];
  for (const { name, sent, lines } of cases) {
    test(`http2: ${name}`, () => {
      assert.deepStrictEqual(outcomesOf(sent).map(line), lines);
    });
  }

  test("http2: an exchange is pending at its heads, and over once", () => {
    const parser = createHttp2Parser({ bodyLimit: 10, fromStart: true, role: "server" });
    const states = (...parts: Parameters<typeof feed>): string[] => feed(...parts).map(line);
    assert.deepStrictEqual(states(parser, "in", preface, greeting, frame(headers, endHeaders, 1, post)), [
      "pending | POST / | 0… | - | - | ",
    ]);
    assert.deepStrictEqual(states(parser, "out", greeting, frame(headers, endHeaders, 1, ok)), [
      "pending | POST / | 0… | 200 | 0… | ",
    ]);
    assert.deepStrictEqual(states(parser, "in", frame(data, endStream, 1, text("ab"))), []);
    assert.deepStrictEqual(states(parser, "out", frame(data, endStream, 1, text("cd"))), [
      "complete | POST / | 2 ab | 200 | 2 cd | ",
    ]);
    assert.deepStrictEqual(parser.end("closed", 1), []);
  });

  test("http2: heads without their pseudo-header fields, trailers apart, times of the first and the last byte", () => {
    const pieces = [
      join(
        preface,
        greeting,
        frame(headers, endHeaders, 1, post + literal("host", "a.test")).subarray(0, 20),
      ),
      frame(headers, endHeaders, 1, post + literal("host", "a.test")).subarray(20),
      frame(headers, endHeaders | endStream, 1, literal("checksum", "1")),
    ].map((part, atMs) => ({ direction: "in" as const, bytes: part, atMs: atMs + 0.5 }));
    const answer = [
      join(greeting, frame(headers, endHeaders, 1, ok + literal("content-type", "application/grpc"))),
      frame(headers, endHeaders | endStream, 1, literal("grpc-status", "0")),
    ].map((part, atMs) => ({ direction: "out" as const, bytes: part, atMs: atMs + 10.5 }));
    assert.deepStrictEqual(outcomes(parse([...pieces, ...answer], { role: null })), [
      {
        type: "exchange",
        key: 0,
        protocol: "h2",
        role: "server",
        state: "complete",
        request: {
          method: "POST",
          target: "/",
          authority: "a.test",
          headers: [["host", "a.test"]],
          trailers: [["checksum", "1"]],
          body: { size: 0, kept: new Uint8Array(0), complete: true },
        },
        response: {
          status: 200,
          reason: null,
          headers: [["content-type", "application/grpc"]],
          trailers: [["grpc-status", "0"]],
          body: { size: 0, kept: new Uint8Array(0), complete: true },
        },
        problem: null,
        startedMs: 0.5,
        endedMs: 11.5,
      },
    ]);
  });

  test("http2: keeps a body up to the limit and counts all of it", () => {
    const [exchange] = outcomesOf(
      [
        ["out", frame(headers, endStream | endHeaders, 1, get)],
        [
          "in",
          frame(headers, endHeaders, 1, ok),
          frame(data, 0, 1, text("12345678")),
          frame(data, 1, 1, text("9")),
        ],
      ],
      { bodyLimit: 5 },
    );
    assert.equal(exchange && line(exchange), "complete | GET / | 0 | 200 | 9 12345 | ");
  });

  test("http2: tells why the end cut an exchange short", () => {
    const run = (cause: "closed" | "untraced", ...last: Uint8Array[]): string | undefined => {
      const parser = createHttp2Parser({ bodyLimit: 10, fromStart: true, role: "client" });
      feed(parser, "out", preface, greeting, frame(headers, endStream | endHeaders, 1, get));
      feed(parser, "in", greeting, ...last);
      const [exchange] = parser.end(cause, 9);
      return exchange?.type === "exchange"
        ? `${exchange.problem?.code ?? ""}: ${exchange.problem?.text ?? ""}`
        : "";
    };
    assert.equal(run("closed"), "connection-closed: the connection was closed before the end");
    assert.equal(run("untraced"), "tracing-ended: tracing ended before the exchange");
    assert.equal(
      run("closed", frame(goAway, 0, 0, "000000010000000b")),
      "connection-closed: the connection was closed before the end: ENHANCE_YOUR_CALM",
    );
  });

  test("http2: names who reset a stream, and why", () => {
    const texts = ["00000008", "00000007", "deadbeef"].map((code) => {
      const [exchange] = outcomesOf([
        ["out", frame(headers, endStream | endHeaders, 1, get)],
        ["in", frame(rstStream, 0, 1, code)],
      ]);
      return exchange?.problem?.text;
    });
    assert.deepStrictEqual(texts, [
      "the server reset the stream: CANCEL",
      "the server reset the stream: REFUSED_STREAM",
      "the server reset the stream: 0xdeadbeef",
    ]);
  });

  test("http2: follows no more than 10000 streams, and says so of the oldest", () => {
    const requests = Array.from({ length: 10_002 }, (_, at) =>
      frame(headers, endStream | endHeaders, 2 * at + 1, get),
    );
    const answers = [1, 3, 5].map((streamId) => frame(headers, endStream | endHeaders, streamId, ok));
    const all = outcomesOf([
      ["out", ...requests],
      ["in", ...answers],
    ]);
    assert.equal(all.length, 10_002);
    assert.deepStrictEqual(all.slice(0, 4).map(line), [
      "incomplete | GET / | 0 | - | - | too-many-streams",
      "incomplete | GET / | 0 | - | - | too-many-streams",
      "complete | GET / | 0 | 200 | 0 | ",
      "incomplete | GET / | 0 | - | - | connection-closed",
    ]);
  });
});

describe("http2: attached in mid-connection", () => {
  const attached = { fromStart: false };

  test("http2: a request and its response that both come after it are complete", () => {
    const all = outcomesOf(
      [
        ["out", frame(headers, endStream | endHeaders, 7, get)],
        ["in", frame(headers, endHeaders, 7, `${ok}be`), frame(data, endStream, 7, text("x"))],
      ],
      attached,
    );
    assert.deepStrictEqual(all.map(line), ["complete | GET / | 0 | 200 | 1 x | "]);
    assert.deepStrictEqual(all[0]?.response?.headers, [[null, null]]);
  });

  test("http2: a response alone has no request, and what came in its middle is not told", () => {
    const all = outcomesOf(
      [
        ["in", frame(data, 0, 5, text("middle")), frame(data, endStream, 5, text("end"))],
        ["in", frame(headers, endStream | endHeaders, 3, literal("grpc-status", "0"))],
        ["in", frame(headers, endStream | endHeaders, 9, "be")],
        ["in", frame(headers, endHeaders, 7, ok), frame(data, endStream, 7, text("x"))],
      ],
      attached,
    );
    assert.deepStrictEqual(all.map(line), ["incomplete | - | - | 200 | 1 x | request-not-seen"]);
  });

  test("http2: finds the frames after the rest of one that began before", () => {
    const rest = Uint8Array.from({ length: 5000 }, (_, at) => (at * 7919) % 251);
    const all = outcomesOf(
      [
        ["out", frame(headers, endStream | endHeaders, 7, get)],
        ["in", rest, frame(headers, endHeaders, 7, ok), frame(data, endStream, 7, text("x"))],
      ],
      attached,
    );
    assert.deepStrictEqual(all.map(line), ["complete | GET / | 0 | 200 | 1 x | "]);
  });

  test("http2: counts the bytes of frames whose beginning it missed", () => {
    const parser = createHttp2Parser({ bodyLimit: 10, fromStart: false, role: "client" });
    feed(parser, "in", text("the rest of "), text("a body"), frame(headers, 5, 7, ok));
    feed(parser, "in", frame(headers, 5, 9, ok));
    assert.equal(parser.skippedBytes, 18);
    parser.lost("in", null, 0);
    feed(parser, "in", frame(data, 0, 9, text("cut")).subarray(0, 11));
    parser.lost("in", null, 0);
    assert.equal(parser.skippedBytes, 29);
  });

  test("http2: learns its role from the fields", () => {
    const sent: Sent[] = [
      ["in", frame(headers, endStream | endHeaders, 7, get)],
      ["out", frame(headers, endStream | endHeaders, 7, ok)],
    ];
    const [exchange] = outcomesOf(sent, { fromStart: false, role: null });
    assert.equal(exchange?.role, "server");
    assert.equal(line(exchange), "complete | GET / | 0 | 200 | 0 | ");
  });

  test("http2: tells which unknown fields are headers", () => {
    const cases: [block: string, headers: [string | null, string | null][]][] = [
      // Method and scheme known, one unknown must be the path; the next may be the authority or a header.
      ["8287bebf", [[null, null]]],
      // An unknown field before a known pseudo-header field is one itself; after a header it is none.
      [
        `8287be84${literal("a", "b")}bf`,
        [
          ["a", "b"],
          [null, null],
        ],
      ],
      [`${get}${literal("a", "b")}`, [["a", "b"]]],
    ];
    for (const [block, expected] of cases) {
      const [exchange] = outcomesOf([["out", frame(headers, endStream | endHeaders, 7, block)]], attached);
      assert.deepStrictEqual(exchange?.request?.headers, expected, block);
    }
  });

  test("http2: takes no Host header for an authority that is unknown", () => {
    const block = `${get}be${literal("host", "inner.test")}`;
    const [exchange] = outcomesOf([["out", frame(headers, endStream | endHeaders, 7, block)]], attached);
    assert.equal(exchange?.request?.authority, null);
  });
});

describe("http2: lost bytes", () => {
  /** Loses `lost` bytes of the response after its first `sent`. */
  const run = (response: Uint8Array, sent: number, lost: number | null, skip: number): string[] => {
    const parser = createHttp2Parser({ bodyLimit: 100, fromStart: true, role: "client" });
    const all = feed(
      parser,
      "out",
      join(preface, greeting, frame(headers, endStream | endHeaders, 1, get), frame(headers, 5, 3, get)),
    );
    all.push(...feed(parser, "in", greeting, response.subarray(0, sent)));
    for (const event of parser.lost("in", lost, 1)) if (event.type === "exchange") all.push(event);
    all.push(...feed(parser, "in", response.subarray(sent + skip)));
    for (const event of parser.end("closed", 2)) if (event.type === "exchange") all.push(event);
    return outcomes(all).map(line);
  };
  const first = join(frame(headers, endHeaders, 1, ok), frame(data, endStream, 1, text("0123456789")));
  const second = join(
    frame(headers, endHeaders, 3, `${ok}4001610162be`),
    frame(data, endStream, 3, text("ok")),
  );
  const bodyStart = 10 + 9;
  const secondWhole = "complete | GET / | 0 | 200 | 2 ok | ";

  test("http2: inside a DATA frame leave the size exact and all else untouched", () => {
    assert.deepStrictEqual(run(join(first, second), bodyStart + 3, 4, 4), [
      "incomplete | GET / | 0 | 200 | 10… 012 | bytes-lost",
      secondWhole,
    ]);
  });

  test("http2: up to the end of a DATA frame still end the stream", () => {
    assert.deepStrictEqual(run(join(first, second), bodyStart + 3, 7, 7), [
      "incomplete | GET / | 0 | 200 | 10… 012 | bytes-lost",
      secondWhole,
    ]);
  });

  test("http2: of an unknown number lead to the next frames", () => {
    assert.deepStrictEqual(run(join(first, second), bodyStart + 3, null, 7), [
      "incomplete | GET / | 0 | 200 | 3… 012 | bytes-lost",
      secondWhole,
    ]);
  });

  test("http2: over a whole response leave its exchange to the connection's end", () => {
    assert.deepStrictEqual(run(join(first, second), 0, first.length, first.length), [
      "incomplete | GET / | 0 | - | - | bytes-lost",
      secondWhole,
    ]);
  });

  test("http2: over a response's head leave its body", () => {
    const head = 10;
    assert.deepStrictEqual(run(join(first, second), 0, head, head), [
      "incomplete | GET / | 0 | ? | 10 0123456789 | bytes-lost",
      secondWhole,
    ]);
  });

  test("http2: inside a header block make that block unknown and keep the frames", () => {
    assert.deepStrictEqual(run(join(first, second), first.length + 11, 2, 2), [
      "complete | GET / | 0 | 200 | 10 0123456789 | ",
      "incomplete | GET / | 0 | ? | 2 ok | headers-not-readable",
    ]);
  });

  test("http2: make the dynamic table of that direction unknown", () => {
    const parser = createHttp2Parser({ bodyLimit: 100, fromStart: true, role: "client" });
    feed(parser, "out", preface, greeting, frame(headers, 5, 1, get), frame(headers, 5, 3, get));
    feed(parser, "in", greeting, frame(headers, 5, 1, `${ok}4001610162`));
    parser.lost("in", null, 0);
    const [exchange] = outcomes(feed(parser, "in", frame(headers, 5, 3, `${ok}be`)));
    assert.deepStrictEqual(exchange?.response?.headers, [[null, null]]);
  });

  test("http2: give a stream up when it stays silent for long", () => {
    const parser = createHttp2Parser({ bodyLimit: 100, fromStart: true, role: "client" });
    feed(parser, "out", preface, greeting, frame(headers, 5, 1, get));
    feed(parser, "in", greeting);
    parser.lost("in", null, 1000);
    const pinged = (atMs: number): string[] =>
      parser
        .data("out", frame(ping, 0, 0, "0011223344556677"), atMs)
        .flatMap((event) => (event.type === "exchange" ? [line(event)] : []));
    assert.deepStrictEqual(pinged(30_999), []);
    assert.deepStrictEqual(pinged(31_000), ["incomplete | GET / | 0 | - | - | bytes-lost"]);
  });
});

describe("http2: looksLikeHttp2", () => {
  const cases: { name: string; bytes: Uint8Array; expected: boolean }[] = [
    { name: "the preface", bytes: preface, expected: true },
    { name: "the preface's first line", bytes: preface.subarray(0, 16), expected: true },
    { name: "less than that", bytes: preface.subarray(0, 15), expected: false },
    { name: "a server's SETTINGS", bytes: frame(settings, 0, 0, "000300000064"), expected: true },
    { name: "a request's HEADERS alone", bytes: frame(headers, 5, 13, get), expected: true },
    {
      name: "two frames after the rest of another",
      bytes: join(
        text("…rest of a body"),
        frame(data, 1, 3, text("x")),
        frame(windowUpdate, 0, 0, "00000010"),
      ),
      expected: true,
    },
    {
      name: "a DATA frame cut short",
      bytes: frame(data, 0, 1, text("cut")).subarray(0, 11),
      expected: false,
    },
    { name: "nothing", bytes: new Uint8Array(0), expected: false },
    { name: "an HTTP/1 request", bytes: text("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"), expected: false },
    {
      name: "an HTTP/1 response",
      bytes: text("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"),
      expected: false,
    },
    { name: "a WebSocket frame", bytes: bytes("8105 48656c6c6f 8104 00000401 8200"), expected: false },
    { name: "a masked WebSocket frame", bytes: bytes("818537fa213d7f9f4d5158"), expected: false },
    { name: "zeros", bytes: new Uint8Array(5000), expected: false },
    { name: "ones", bytes: new Uint8Array(5000).fill(1), expected: false },
    { name: "small integers, big-endian", bytes: integers((value) => [0, 0, 0, value]), expected: false },
    { name: "small integers, little-endian", bytes: integers((value) => [value, 0, 0, 0]), expected: false },
    { name: "short integers", bytes: integers((value) => [0, value]), expected: false },
    {
      name: "a frame on a stream of the wrong kind",
      bytes: frame(ping, 0, 1, "0011223344556677"),
      expected: false,
    },
    { name: "a frame of a wrong length", bytes: frame(rstStream, 0, 1, "0000000000"), expected: false },
    { name: "SMTP", bytes: text("220 mail.test ESMTP ready\r\nEHLO client.test\r\n"), expected: false },
    { name: "PostgreSQL", bytes: bytes("51000000 0d73656c65637420313b00 5800000004"), expected: false },
    { name: "MySQL", bytes: bytes("0e000000 0373656c6563742031 07000001 0000000200"), expected: false },
  ];
  for (const { name, bytes: given, expected } of cases) {
    test(`http2: ${expected ? "takes" : "does not take"} ${name} for HTTP/2`, () => {
      assert.equal(looksLikeHttp2(given), expected);
    });
  }

  function integers(encode: (value: number) => number[]): Uint8Array {
    return Uint8Array.from(Array.from({ length: 2000 }, (_, at) => encode(at % 12)).flat());
  }
});
