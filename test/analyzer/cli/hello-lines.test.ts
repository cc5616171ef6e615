import assert from "node:assert/strict";
import { test } from "node:test";
import {
  blockedDetails,
  blockedLine,
  connectionDetails,
  connectionLine,
  helloDetails,
  helloLine,
} from "../../../src/analyzer/cli/hello-lines.ts";
import { displayWidth } from "../../../src/analyzer/cli/terminal.ts";
import { blocked, connectionEnd, hello } from "./hello-fixtures.ts";

process.env.TZ = "UTC";
const narrow = { width: 80, colour: false };
const wide = { width: 150, colour: false };
const nameless = { ...hello().connection, serverName: null };

const lines: [about: string, line: string, expected: string][] = [
  [
    "a hello on a narrow terminal",
    helloLine(hello(), narrow),
    "12:00:00  curl 4242       → TLS     api.shop.example     1.3 h2",
  ],
  [
    "a hello with room for its fingerprint",
    helloLine(hello(), wide),
    "12:00:00.250  curl 4242             → TLS     api.shop.example                t13d1516h2_8daaf6152771_b186095e22b6 1.3 h2",
  ],
  [
    "a hello that reaches a server of this host, with its name encrypted",
    helloLine(hello({ direction: "in", serverName: "cover.example", encryptedClientHello: true }), narrow),
    "12:00:00  curl 4242       ← TLS     cover.example        1.3 h2        ECH",
  ],
  [
    "a hello of nobody knows whom, without a name",
    helloLine(
      hello({
        pid: null,
        command: null,
        serverName: null,
        connection: nameless,
        transport: "quic",
        alpn: ["h3"],
      }),
      narrow,
    ),
    "12:00:00  –               → QUIC    203.0.113.24:443     1.3 h3",
  ],
  [
    "a hello that offers only what is old",
    helloLine(hello({ versions: ["1.0", "1.1"], alpn: [] }), narrow),
    "12:00:00  curl 4242       → TLS     api.shop.example     1.1",
  ],
  [
    "a hello that could not be read",
    helloLine(
      hello({
        serverName: null,
        connection: { ...nameless, remote: null },
        versions: [],
        alpn: [],
        ja3: null,
        ja4: null,
        problem: { code: "incomplete", text: "a part of it never came" },
      }),
      narrow,
    ),
    "12:00:00  curl 4242       → TLS     –  ! a part of it never came",
  ],
  [
    "the end of a connection on a narrow terminal",
    connectionLine(connectionEnd(), narrow),
    "12:00:02  curl 4242       → closed  api.shop.example       2.50 s   1.5K ⇢ 19.6M",
  ],
  [
    "the end of a connection on a wide terminal",
    connectionLine(connectionEnd(), { width: 120, colour: false }),
    "12:00:02.750  curl 4242             → closed  api.shop.example                             2.50 s     1.5 KiB ⇢ 19.6 MiB",
  ],
  [
    "a connection that is still open and whose bytes are not known",
    connectionLine(
      connectionEnd({ state: "open", bytesOut: null, bytesIn: null, durationMs: 7_200_000 }),
      narrow,
    ),
    "14:00:00  curl 4242       → open    api.shop.example        2.0 h          – ⇢ –",
  ],
  [
    "a refused connection with its rule",
    blockedLine(blocked(), narrow),
    "12:00:00  curl 4242       → blocked api.shop.example     by *.shop.example",
  ],
];
for (const [about, line, expected] of lines) {
  test(`hello lines: ${about}`, () => {
    assert.equal(line, expected);
  });
}

test("hello lines: long names and many columns never make a line longer than the terminal", () => {
  const name = `${"a-very-long-label.".repeat(14)}example`;
  for (const width of [80, 100, 119, 120, 150, 200]) {
    const terminal = { width, colour: false };
    const widths = [
      helloLine(hello({ serverName: name, encryptedClientHello: true }), terminal),
      helloLine(hello({ encryptedClientHello: true }), terminal),
      connectionLine(connectionEnd({ connection: { ...nameless, serverName: name } }), terminal),
      blockedLine(blocked({ serverName: name, rule: `*.${name}` }), terminal),
    ].map(displayWidth);
    assert.ok(
      widths.every((used) => used <= width),
      `${widths.join()} columns of ${width}`,
    );
  }
});

test("hello lines: what a stranger wrote moves no cursor", () => {
  const evil = "\u001b[2Jx\u202e";
  const terminal = { width: 200, colour: false };
  const event = hello({
    command: evil,
    serverName: evil,
    alpn: [evil],
    versions: [evil],
    ja4: evil,
    problem: { code: "malformed", text: evil },
  });
  const refused = blocked({ command: evil, serverName: evil, rule: evil });
  for (const text of [
    helloLine(event, terminal),
    helloDetails(event, terminal),
    blockedLine(refused, terminal),
    blockedDetails(refused, terminal),
  ]) {
    assert.match(text, /\\x1b\[2Jx/);
    assert.doesNotMatch(text.replaceAll("\n", ""), /[\p{Cc}\u202e]/u);
  }
});

test("hello lines: a problem is yellow, a refusal red, a fingerprint dim", () => {
  const terminal = { width: 150, colour: true };
  const problem = { code: "too-long", text: "too long" };
  assert.ok(helloLine(hello({ problem }), terminal).includes("\u001b[33m  ! too long\u001b[39m"));
  const dim = `\u001b[2m${" ".repeat(14)}t13d1516h2_8daaf6152771_b186095e22b6\u001b[22m`;
  assert.ok(helloLine(hello(), terminal).includes(dim));
  assert.ok(blockedLine(blocked(), terminal).includes("\u001b[31mby *.shop.example\u001b[39m"));
});

test("hello lines: the details say all that is known, and nothing of what is not", () => {
  assert.equal(
    helloDetails(hello(), narrow),
    [
      "    server name: api.shop.example",
      "    local: 192.0.2.7:40312",
      "    remote: 203.0.113.24:443",
      "    interface: eth0",
      "    alpn: h2, http/1.1",
      "    versions: 1.3, 1.2",
      "    ja3: 579ccef312d18482fc42e2b822ca2430",
      "    ja4: t13d1516h2_8daaf6152771_b186095e22b6",
      "    encrypted client hello: no",
    ].join("\n"),
  );
  const unknown = { ...nameless, local: null };
  assert.equal(
    connectionDetails(connectionEnd({ connection: unknown }), narrow),
    "    remote: 203.0.113.24:443",
  );
  assert.equal(
    blockedDetails(blocked({ connection: unknown }), narrow),
    [
      "    server name: api.shop.example",
      "    rule: *.shop.example",
      "    remote: 203.0.113.24:443",
      "    interface: eth0",
    ].join("\n"),
  );
});
