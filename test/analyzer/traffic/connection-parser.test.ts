import assert from "node:assert/strict";
import { test } from "node:test";
import { createConnectionParser } from "../../../src/analyzer/traffic/connection-parser.ts";
import { bytesOf, exchanges, feed, type Step, told } from "./wire.ts";

const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";
const ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const upgrade = (to: string) => `GET /a HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: ${to}\r\n\r\n`;
const switching = (to: string) => `HTTP/1.1 101 Switching\r\nUpgrade: ${to}\r\n\r\n`;

const fromStart: [name: string, steps: Step[], expected: string[]][] = [
  [
    "shows a text protocol as messages at once, whoever speaks first",
    [
      ["in", "220 mail.example ESMTP\r\n"],
      ["out", "EHLO x\r\n"],
    ],
    ['in null 24 "220 mail.example ESMTP\\r\\n"', 'out null 8 "EHLO x\\r\\n"'],
  ],
  ["shows binary bytes as messages", [["out", "\x01\x02\x03"]], ['out null 3 "\\u0001\\u0002\\u0003"']],
  [
    "waits for a request line that comes in pieces",
    [
      ["out", "G"],
      ["out", "ET /a HTTP/1.1\r\n\r\n"],
      ["in", ok],
    ],
    ['GET /a -> 200 "ok"'],
  ],
  ["shows at the end what never became clear", [["out", "GET /a"]], ['out null 6 "GET /a"']],
  [
    "knows a method in lower case",
    [
      ["out", "pa"],
      ["out", "tch /a HTTP/1.1\r\n\r\n"],
      ["in", ok],
    ],
    ['patch /a -> 200 "ok"'],
  ],
  [
    "takes a request line of another version for no HTTP/1",
    [["out", "GET /a\r\n"]],
    ['out null 8 "GET /a\\r\\n"'],
  ],
  [
    "reads a request line of 100 KB",
    [
      ["out", `GET /${"a".repeat(50_000)}`],
      ["out", `${"a".repeat(50_000)} HTTP/1.1\r\n\r\n`],
      ["in", ok],
    ],
    [`GET /${"a".repeat(100_000)} -> 200 "ok"`],
  ],
  [
    "follows a WebSocket upgrade, with a message for each frame, unmasked",
    [
      ["out", upgrade("WebSocket")],
      ["in", switching("websocket") + "\x81\x05hello\x89\x00"],
      ["out", "\x81\x82\x01\x02\x03\x04ikx"],
    ],
    [
      "GET /a -> 101",
      'in websocket 5 "hello"',
      'in websocket 0 ""',
      'out websocket 2 "hi"',
      'out null 1 "x"',
    ],
  ],
  [
    "hands over what the client sent before the switch was answered",
    [
      ["out", upgrade("own/1") + "early"],
      ["in", switching("own/1") + "late"],
    ],
    ["GET /a -> 101", 'out own/1 5 "early"', 'in own/1 4 "late"'],
  ],
  [
    "goes on with HTTP where an upgrade was not granted",
    [
      ["out", upgrade("websocket") + get],
      ["in", ok + ok],
    ],
    ['GET /a -> 200 "ok"', 'GET /a -> 200 "ok"'],
  ],
  [
    "shows what a tunnel carries as messages",
    [
      ["out", "CONNECT b:443 HTTP/1.1\r\n\r\n"],
      ["in", "HTTP/1.1 200 OK\r\n\r\n"],
      ["out", "\x16\x03\x01"],
    ],
    ["CONNECT b:443 -> 200", 'out null 3 "\\u0016\\u0003\\u0001"'],
  ],
  [
    "reads HTTP inside a tunnel",
    [
      ["out", "CONNECT b:80 HTTP/1.1\r\n\r\n"],
      ["in", "HTTP/1.1 200 OK\r\n\r\n"],
      ["out", get],
      ["in", ok],
    ],
    ["CONNECT b:80 -> 200", 'GET /a -> 200 "ok"'],
  ],
  [
    "goes on with HTTP where a tunnel was refused",
    [
      ["out", "CONNECT b:443 HTTP/1.1\r\n\r\n"],
      ["in", "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"],
      ["out", get],
      ["in", ok],
    ],
    ["CONNECT b:443 -> 407", 'GET /a -> 200 "ok"'],
  ],
];

const midway: [name: string, steps: Step[], expected: string[]][] = [
  [
    "does not show the rest of a body once a request tells that it is HTTP",
    [
      ["in", "rest of a body"],
      ["in", "\x00\x01\x02 and more"],
      ["out", get],
      ["in", ok],
    ],
    ['GET /a -> 200 "ok"'],
  ],
  [
    "finds a response right behind the rest of a body, whose request was not seen",
    [
      ["in", `body}${ok}`],
      ["out", get],
      ["in", ok],
    ],
    ['? -> 200 "ok" [incomplete: request-not-seen]', 'GET /a -> 200 "ok"'],
  ],
  [
    "finds a request right behind the rest of a body",
    [
      ["out", `{"a":1}POST /b HTTP/1.1\r\nContent-Length: 1\r\n\r\nx`],
      ["in", ok],
    ],
    ['POST /b "x" -> 200 "ok"'],
  ],
  [
    "takes no status line in a text for a response",
    [
      ["in", "it said HTTP/1.1 200 OK\r\nand nothing else of a head\r\n\r\n"],
      ["out", get],
      ["in", ok],
    ],
    ['GET /a -> 200 "ok"'],
  ],
  [
    "shows messages where both sides speak something else",
    [
      ["in", "\x01\x02\x03\x04"],
      ["out", "\x05\x06\x07\x08"],
    ],
    [
      'in null 4 "\\u0001\\u0002\\u0003\\u0004"',
      'out null 4 "\\u0005\\u0006\\u0007\\u0008"'.replaceAll("\\u0008", "\\b"),
    ],
  ],
  [
    "recognises a head also after it showed messages",
    [
      ["in", "\x01\x02\x03\x04"],
      ["out", "\x05\x06\x07\x07"],
      ["out", get],
      ["in", ok],
    ],
    [
      'GET /a -> 200 "ok"',
      'in null 4 "\\u0001\\u0002\\u0003\\u0004"',
      'out null 4 "\\u0005\\u0006\\u0007\\u0007"',
    ],
  ],
];

for (const [name, steps, expected] of fromStart) {
  test(`connection: ${name}`, () => {
    assert.deepStrictEqual(told(feed(steps)), expected);
  });
}
for (const [name, steps, expected] of midway) {
  test(`connection: in mid-stream, ${name}`, () => {
    assert.deepStrictEqual(told(feed(steps, { fromStart: false })), expected);
  });
}

test("connection: after bytes were lost at its beginning, it is read as in mid-stream", () => {
  const steps: Step[] = [
    ["out", { lost: 10 }],
    ["in", ok],
    ["out", `rest\r\n${get}`],
    ["in", ok],
  ];
  assert.deepStrictEqual(told(feed(steps)), [
    '? -> 200 "ok" [incomplete: request-not-seen]',
    'GET /a -> 200 "ok"',
  ]);
});

test("connection: a message is told with the chunk that brought it, and one that waited two seconds is let go", () => {
  const parser = createConnectionParser({ bodyLimit: 10, fromStart: false });
  const counts = [0, 100, 2200].map((atMs) => parser.data("in", bytesOf("no head in here"), atMs).length);
  assert.deepStrictEqual(counts, [0, 0, 3]);
});

test("connection: exchanges and messages are numbered in one row", () => {
  const events = feed([
    ["out", upgrade("websocket")],
    ["in", switching("websocket") + "\x81\x01a\x81\x01b"],
  ]);
  assert.deepStrictEqual(
    events.map(({ type, key }) => [type, key]),
    [
      ["exchange", 0],
      ["exchange", 0],
      ["message", 1],
      ["message", 2],
    ],
  );
});

test("connection: a preview keeps 256 bytes and the size is exact", () => {
  const [message] = feed([["out", "\x01".repeat(1000)]]);
  assert.ok(message?.type === "message");
  assert.deepStrictEqual([message.size, message.preview.length], [1000, 256]);
});

const frame = (type: number, flags: number, stream: number, payload: string) =>
  String.fromCharCode(0, payload.length >> 8, payload.length & 255, type, flags, 0, 0, 0, stream) + payload;
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const settings = frame(4, 0, 0, "\x00\x03\x00\x00\x00\x64");
// HEADERS: :method GET, :path /, :scheme https; and :status 204.
const h2Steps = (asks: "in" | "out"): ["in" | "out", string][] => [
  [asks, preface + settings + frame(1, 5, 1, "\x82\x84\x87")],
  [asks === "in" ? "out" : "in", settings + frame(1, 5, 1, "\x89")],
];

const h2Cases: [name: string, steps: Step[], fromStart: boolean, role: string][] = [
  ["by its client's preface", h2Steps("out"), true, "client"],
  ["by its client's preface, on a server", h2Steps("in"), true, "server"],
  ["by its server's settings, when they come first", [["out", settings], ...h2Steps("in")], true, "server"],
  [
    "a byte at a time",
    h2Steps("out").flatMap(([side, bytes]) =>
      Array.from(bytesOf(bytes), (byte): Step => [side, Uint8Array.of(byte)]),
    ),
    true,
    "client",
  ],
  [
    "in mid-connection",
    [
      ["out", frame(1, 5, 7, "\x82\x84\x87")],
      ["in", frame(1, 5, 7, "\x89")],
    ],
    false,
    "client",
  ],
];
for (const [name, steps, start, role] of h2Cases) {
  test(`connection: recognises HTTP/2 ${name}`, () => {
    const [exchange] = exchanges(feed(steps, { fromStart: start }));
    assert.deepStrictEqual(
      [exchange?.protocol, exchange?.role, exchange?.request?.method, exchange?.response?.status],
      ["h2", role, "GET", 204],
    );
  });
}
