import assert from "node:assert/strict";
import { test } from "node:test";
import { exchanges, feed, type Step, told } from "./wire.ts";

const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

const cases: [name: string, steps: Step[], expected: string[]][] = [
  [
    "reads a request and its response",
    [
      ["out", get],
      ["in", ok],
    ],
    ['GET /a -> 200 "ok"'],
  ],
  [
    "keeps a connection alive",
    [
      ["out", get],
      ["in", ok],
      ["out", get.replace("/a", "/b")],
      ["in", ok],
    ],
    ['GET /a -> 200 "ok"', 'GET /b -> 200 "ok"'],
  ],
  [
    "pairs pipelined requests in order",
    [
      ["out", get + get.replace("/a", "/b")],
      ["in", ok + ok.replace("200", "404")],
    ],
    ['GET /a -> 200 "ok"', 'GET /b -> 404 "ok"'],
  ],
  [
    "undoes chunks with extensions and reads trailers",
    [
      ["out", 'POST /a HTTP/1.1\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n3;a="b"\r\nabc\r\n0\r\n\r\n'],
      [
        "in",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nA ; x\r\n0123456789\r\n00\r\nT: v\r\n\r\n",
      ],
    ],
    ['POST /a "abc" -> 200 "0123456789"'],
  ],
  [
    "expects no body after HEAD, 204 and 304",
    [
      ["out", get.replace("GET", "HEAD") + get + get + get],
      ["in", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nHTTP/1.1 204 No\r\nContent-Length: 3\r\n\r\n"],
      ["in", "HTTP/1.1 304 Not\r\nTransfer-Encoding: chunked\r\n\r\n" + ok],
    ],
    ["HEAD /a -> 200", "GET /a -> 204", "GET /a -> 304", 'GET /a -> 200 "ok"'],
  ],
  [
    "passes over interim responses",
    [
      ["out", "PUT /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"],
      ["in", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"],
      ["out", "hi"],
      ["in", ok],
    ],
    ['PUT /a "hi" -> 200 "ok"'],
  ],
  [
    "reads a body that ends with the connection",
    [
      ["out", get],
      ["in", "HTTP/1.0 200 OK\r\n\r\nab"],
      ["in", "c"],
    ],
    ['GET /a -> 200 "abc"'],
  ],
  [
    "takes bare LF, empty lines before a request, and a status without a reason",
    [
      ["out", "\r\n\r\nGET /a HTTP/1.1\nHost: x\n\n"],
      ["in", "HTTP/1.1 200\nCONTENT-LENGTH:2\n\nok"],
    ],
    ['GET /a -> 200 "ok"'],
  ],
  [
    "waits for the rest of a request that was answered early",
    [
      ["out", "POST /a HTTP/1.1\r\nContent-Length: 4\r\n\r\nab"],
      ["in", "HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"],
      ["out", "cd" + get],
      ["in", ok],
    ],
    ['POST /a "abcd" -> 413', 'GET /a -> 200 "ok"'],
  ],
  [
    "lets a response wait for its request, as two threads may be recorded",
    [
      ["in", ok + ok],
      ["out", get + get],
    ],
    ['GET /a -> 200 "ok"', 'GET /a -> 200 "ok"'],
  ],
  [
    "takes equal lengths for one, and Transfer-Encoding before Content-Length",
    [
      ["out", "POST /a HTTP/1.1\r\nContent-Length: 2, 2\r\nContent-Length: 2\r\n\r\nhi"],
      ["in", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"],
    ],
    ['POST /a "hi" -> 200 "x"'],
  ],
  [
    "tells a response without a request at the end, such as a time-out's",
    [["in", "HTTP/1.1 408 Timeout\r\nContent-Length: 0\r\n\r\n"]],
    ["? -> 408 [incomplete: request-not-seen]"],
  ],
  [
    "gives up a response whose lengths contradict each other, and goes on",
    [
      ["out", get],
      ["in", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc"],
      ["out", get],
      ["in", ok],
    ],
    ['GET /a -> 200 "" cut [incomplete: invalid-framing]', 'GET /a -> 200 "ok"'],
  ],
  [
    "gives up a body whose chunks are none, and goes on",
    [
      ["out", get],
      ["in", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n"],
      ["out", get],
      ["in", ok],
    ],
    ['GET /a -> 200 "" cut [incomplete: bad-chunk]', 'GET /a -> 200 "ok"'],
  ],
  [
    "shows bytes that are no HTTP where a message was due, and goes on behind them",
    [
      ["out", get],
      ["in", ok],
      ["out", "own protocol\r\n"],
      ["in", "\x00\x01"],
      ["in", "\x02"],
      ["out", get],
      ["in", ok],
    ],
    [
      'GET /a -> 200 "ok"',
      'GET /a -> 200 "ok"',
      'out null 14 "own protocol\\r\\n"',
      'in null 2 "\\u0000\\u0001"',
      'in null 1 "\\u0002"',
    ],
  ],
  [
    "tells what was cut by a close",
    [
      ["out", get],
      ["in", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"],
    ],
    ['GET /a -> 200 "ab" cut [incomplete: connection-closed]'],
  ],
  [
    "leaves out lines of a head that are no fields, and says so",
    [
      ["out", "GET /a HTTP/1.1\r\nnonsense\r\nHost: x\r\n\r\n"],
      ["in", ok],
    ],
    ['GET /a -> 200 "ok" [complete: malformed-head]'],
  ],
];

for (const [name, steps, expected] of cases) {
  test(`http1: ${name}`, () => {
    assert.deepStrictEqual(told(feed(steps)), expected);
  });
}

test("http1: a server reads requests and writes responses", () => {
  const [exchange] = exchanges(
    feed([
      ["in", get],
      ["out", ok],
    ]),
  );
  assert.deepStrictEqual([exchange?.role, exchange?.protocol, exchange?.key], ["server", "http/1.1", 0]);
});

test("http1: an exchange is pending with its request's head, then complete, with the times of its first and last byte", () => {
  const events = feed([
    ["out", "POST /a HTTP/1.1\r\nContent-Length: 1\r\n"],
    ["out", "\r\n"],
    ["out", "x"],
    ["in", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"],
    ["in", "k"],
  ]);
  const states = events.map((event) => event.type === "exchange" && [event.state, event.response?.status]);
  const [exchange] = exchanges(events);
  assert.deepStrictEqual(states, [
    ["pending", undefined],
    ["pending", 200],
    ["complete", 200],
  ]);
  assert.deepStrictEqual([exchange?.startedMs, exchange?.endedMs], [0, 4]);
});

test("http1: headers stay as they were sent, folded lines are joined, and UTF-8 is read", () => {
  const name = Buffer.from("dépôt", "utf8").toString("latin1");
  const [exchange] = exchanges(
    feed([
      [
        "out",
        `GET /${name} HTTP/1.1\r\nHost: x\r\nX-Long: a\r\n\tb\r\n  c \r\nX-Name: ${name}\r\nX-Old: \xe9t\xe9\r\n\r\n`,
      ],
      ["in", ok],
    ]),
  );
  assert.deepStrictEqual(exchange?.request?.target, "/dépôt");
  assert.deepStrictEqual(exchange.request.headers, [
    ["Host", "x"],
    ["X-Long", "a b c"],
    ["X-Name", "dépôt"],
    ["X-Old", "été"],
  ]);
});

const authorities: [request: string, authority: string | null][] = [
  ["GET / HTTP/1.1\r\nHOST: a.example:8443\r\n\r\n", "a.example:8443"],
  ["GET http://b.example/x?y HTTP/1.1\r\nHost: a\r\n\r\n", "b.example"],
  ["CONNECT c.example:443 HTTP/1.1\r\nHost: a\r\n\r\n", "c.example:443"],
  ["GET / HTTP/1.0\r\n\r\n", null],
];
for (const [request, authority] of authorities) {
  test(`http1: the authority of ${request.split("\r\n", 1).join("")} is ${authority}`, () => {
    assert.equal(exchanges(feed([["out", request]]))[0]?.request?.authority, authority);
  });
}

test("http1: trailers are told with the half they belong to", () => {
  const chunked = "Transfer-Encoding: chunked\r\n\r\n0\r\n";
  const [exchange] = exchanges(
    feed([
      ["out", `POST / HTTP/1.1\r\n${chunked}A: 1\r\n\r\n`],
      ["in", `HTTP/1.1 200 OK\r\n${chunked}B: 2\r\n\r\n`],
    ]),
  );
  assert.deepStrictEqual(exchange?.request?.trailers, [["A", "1"]]);
  assert.deepStrictEqual(exchange.response?.trailers, [["B", "2"]]);
});

test("http1: sizes are exact and bytes kept are bounded, whatever the body limit", () => {
  const big = "x".repeat(300_000);
  for (const bodyLimit of [0, 1, 65_536]) {
    const [exchange] = exchanges(
      feed(
        [
          ["out", `POST / HTTP/1.1\r\nContent-Length: ${big.length}\r\n\r\n${big}`],
          ["in", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493E0\r\n${big}\r\n0\r\n\r\n`],
        ],
        { bodyLimit },
      ),
    );
    const sizes = [exchange?.request?.body, exchange?.response?.body].map((body) => [
      body?.size,
      body?.kept.length,
    ]);
    assert.deepStrictEqual(sizes, [
      [300_000, bodyLimit],
      [300_000, bodyLimit],
    ]);
  }
});

test("http1: a head larger than 256 KiB is given up, and the next exchange is read", () => {
  const lines = told(
    feed([
      ["out", get],
      ["in", "HTTP/1.1 200 OK\r\n" + "X-Filler: 0123456789\r\n".repeat(13_000) + "\r\n"],
      ["out", get],
      ["in", ok],
    ]),
  );
  assert.deepStrictEqual(lines, ["GET /a -> ? [incomplete: head-too-large]", 'GET /a -> 200 "ok"']);
});

test("http1: what is open when tracing ends says so", () => {
  assert.deepStrictEqual(
    told(
      feed(
        [
          ["out", get],
          ["in", "HTTP/1.0 200 OK\r\n\r\nab"],
        ],
        { end: "untraced" },
      ),
    ),
    ['GET /a -> 200 "ab" cut [incomplete: tracing-ended]'],
  );
});

const lossCases: [name: string, steps: Step[], expected: string[]][] = [
  [
    "inside a body of known length is counted, and the next exchange is read",
    [
      ["out", get],
      ["in", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"],
      ["in", { lost: 4 }],
      ["in", "hij" + ok],
      ["out", get],
    ],
    ['GET /a -> 200 "abc" of 10 cut [incomplete: bytes-lost]', 'GET /a -> 200 "ok"'],
  ],
  [
    "inside a chunk is counted",
    [
      ["out", get],
      ["in", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\na"],
      ["in", { lost: 4 }],
      ["in", "\r\n1\r\nb\r\n0\r\n\r\n"],
    ],
    ['GET /a -> 200 "a" of 6 cut [incomplete: bytes-lost]'],
  ],
  [
    "that goes beyond a body ends it, and the next head is found",
    [
      ["out", get],
      ["in", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"],
      ["in", { lost: 20 }],
      ["in", "rest of something\r\n"],
      ["out", get],
      ["in", ok],
    ],
    ['GET /a -> 200 "abc" cut [incomplete: bytes-lost]', 'GET /a -> 200 "ok"'],
  ],
  [
    "of a whole request makes its response one without a request",
    [
      ["out", get],
      ["in", ok],
      ["out", { lost: null }],
      ["in", ok.replace("200", "201")],
      ["out", get.replace("/a", "/c")],
      ["in", ok],
    ],
    ['GET /a -> 200 "ok"', '? -> 201 "ok" [incomplete: request-not-seen]', 'GET /c -> 200 "ok"'],
  ],
  [
    "of a request to HEAD does not take the next head for a body",
    [
      ["out", get],
      ["in", ok],
      ["out", { lost: null }],
      ["in", "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"],
      ["out", get],
      ["in", ok],
    ],
    ['GET /a -> 200 "ok"', "? -> 200 [incomplete: request-not-seen]", 'GET /a -> 200 "ok"'],
  ],
  [
    "on a pipelined connection ends pairing instead of guessing",
    [
      ["out", get + get],
      ["in", { lost: 50 }],
      ["in", ok],
      ["out", get],
      ["in", ok],
    ],
    [
      "GET /a -> ? [incomplete: bytes-lost]",
      "GET /a -> ? [incomplete: bytes-lost]",
      '? -> 200 "ok" [incomplete: request-not-seen]',
      "GET /a -> ? [incomplete: bytes-lost]",
      '? -> 200 "ok" [incomplete: request-not-seen]',
    ],
  ],
];
for (const [name, steps, expected] of lossCases) {
  test(`http1: a loss ${name}`, () => {
    assert.deepStrictEqual(told(feed(steps)), expected);
  });
}
