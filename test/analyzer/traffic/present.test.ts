import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import type { ParsedExchange, ParsedMessage } from "../../../src/analyzer/traffic/parsed.ts";
import {
  exchangeRow,
  type EventContext,
  messageRow,
  presentExchange,
  presentMessage,
} from "../../../src/analyzer/traffic/present.ts";

const context: EventContext = {
  id: "c1.0",
  pid: 42,
  command: "node",
  connection: { id: "c1", role: null, local: null, remote: "127.0.0.1:443", serverName: "localhost" },
  path: "uprobe",
};
const body = (text: string) => ({ size: Buffer.byteLength(text), kept: Buffer.from(text), complete: true });
const parsed: ParsedExchange = {
  type: "exchange",
  key: 0,
  protocol: "h2",
  role: "client",
  state: "complete",
  request: {
    method: "POST",
    target: "/orders?id=7&token=abc",
    authority: "localhost:443",
    headers: [
      ["Content-Type", "application/json"],
      ["Authorization", "Bearer abc"],
    ],
    trailers: [],
    body: body('{"password":"hunter2","n":1}'),
  },
  response: {
    status: 200,
    reason: null,
    headers: [
      ["Content-Type", "Application/JSON; charset=utf-8"],
      ["Set-Cookie", "id=1; Path=/"],
    ],
    trailers: [
      ["Grpc-Status", "5"],
      ["x-token", "abc"],
    ],
    body: body(""),
  },
  problem: null,
  startedMs: Date.UTC(2026, 0, 31, 12) + 0.25,
  endedMs: Date.UTC(2026, 0, 31, 12) + 3.6621234,
};

test("present: an exchange has the contract's names, with its secrets masked", () => {
  assert.deepStrictEqual(presentExchange(parsed, context, { showSecrets: false }), {
    type: "exchange",
    id: "c1.0",
    pid: 42,
    command: "node",
    connection: { id: "c1", role: "client", local: null, remote: "127.0.0.1:443", serverName: "localhost" },
    protocol: "h2",
    path: "uprobe",
    state: "complete",
    request: {
      method: "POST",
      target: "/orders?id=7&token=••••••",
      authority: "localhost:443",
      headers: [
        ["Content-Type", "application/json"],
        ["Authorization", "Bearer ••••••"],
      ],
      bodySize: 28,
      body: { text: '{"password":"••••••","n":1}' },
    },
    response: {
      status: 200,
      reason: null,
      headers: [
        ["Content-Type", "Application/JSON; charset=utf-8"],
        ["Set-Cookie", "id=••••••; Path=/"],
      ],
      trailers: [
        ["Grpc-Status", "5"],
        ["x-token", "••••••"],
      ],
      bodySize: 0,
      body: null,
    },
    grpcStatus: 5,
    startedAt: "2026-01-31T12:00:00.000Z",
    durationMs: 3.412,
  });
});

test("present: secrets are shown to a user who chose so", () => {
  const { request, response } = presentExchange(parsed, context, { showSecrets: true });
  assert.deepStrictEqual(
    [request?.target, request?.headers[1], request?.body, response?.headers[1]],
    [
      "/orders?id=7&token=abc",
      ["Authorization", "Bearer abc"],
      { text: '{"password":"hunter2","n":1}' },
      ["Set-Cookie", "id=1; Path=/"],
    ],
  );
});

test("present: a pending exchange, and one whose request was not seen, have no duration", () => {
  const pending = presentExchange({ ...parsed, state: "pending", endedMs: null }, context, {
    showSecrets: false,
  });
  const problem = { code: "request-not-seen", text: "tracing began later" };
  const orphan = presentExchange({ ...parsed, request: null, state: "incomplete", problem }, context, {
    showSecrets: false,
  });
  assert.deepStrictEqual(
    [pending.durationMs, orphan.durationMs, orphan.request, orphan.problem],
    [null, null, null, problem],
  );
});

test("present: a row of an exchange has neither headers nor bodies", () => {
  assert.deepStrictEqual(exchangeRow(presentExchange(parsed, context, { showSecrets: false })), {
    type: "exchange",
    id: "c1.0",
    pid: 42,
    command: "node",
    connection: { id: "c1", role: "client", local: null, remote: "127.0.0.1:443", serverName: "localhost" },
    protocol: "h2",
    state: "complete",
    method: "POST",
    target: "/orders?id=7&token=••••••",
    authority: "localhost:443",
    status: 200,
    requestSize: 28,
    responseSize: 0,
    contentType: "application/json",
    startedAt: "2026-01-31T12:00:00.000Z",
    durationMs: 3.412,
    grpcStatus: 5,
  });
});

const message = (preview: string, size: number): ParsedMessage => ({
  type: "message",
  key: 1,
  protocol: null,
  direction: "out",
  size,
  preview: Buffer.from(preview, "latin1"),
  atMs: Date.UTC(2026, 0, 31),
});

test("present: a message's preview is masked text, or hex", () => {
  const event = presentMessage(message("PASS hunter2\r\n", 14), context, { showSecrets: false });
  assert.deepStrictEqual(event.preview, { text: "PASS ••••••\r\n" });
  assert.deepStrictEqual(presentMessage(message("\x00\x01", 2), context, { showSecrets: false }).preview, {
    hex: "0001",
  });
  assert.deepStrictEqual(messageRow(event), {
    type: "message",
    id: "c1.0",
    pid: 42,
    command: "node",
    connection: context.connection,
    protocol: null,
    direction: "out",
    size: 14,
    startedAt: "2026-01-31T00:00:00.000Z",
    preview: { text: "PASS ••••••\r\n" },
  });
});

/** Every place a secret may be in; `s` is a secret of letters and digits. */
const places: [
  name: string,
  put: (s: string) => { target?: string; authority?: string; header?: [string, string]; body?: string },
][] = [
  ["a query parameter", (s) => ({ target: `/a?x=1&access_token=${s}&y=2` })],
  ["an encoded query parameter", (s) => ({ target: `/a?user%5Bpassword%5D=${s}` })],
  ["a URL inside a URL", (s) => ({ target: `/a?next=https%3A%2F%2Fh%2F%3Ftoken%3D${s}` })],
  ["an absolute target's user information", (s) => ({ target: `http://ann:${s}@h/` })],
  ["an authority", (s) => ({ authority: `ann:${s}@h` })],
  ["Authorization with Bearer", (s) => ({ header: ["Authorization", `Bearer ${s}`] })],
  ["Authorization without a scheme", (s) => ({ header: ["authorization", s] })],
  ["Authorization with a scheme nobody knows", (s) => ({ header: ["authorization", `${s} ${s}`] })],
  ["Proxy-Authorization", (s) => ({ header: ["PROXY-AUTHORIZATION", `Basic ${s}==`] })],
  ["Cookie", (s) => ({ header: ["cookie", `a=${s}; b=${s};${s}`] })],
  ["Set-Cookie", (s) => ({ header: ["set-cookie", `sid=${s}; Path=/; Own=${s}; ${s}`] })],
  ["X-Api-Key", (s) => ({ header: ["x-api-key", s] })],
  ["a header with token in its name", (s) => ({ header: ["X-Vault-Token", s] })],
  ["a header with secret in its name", (s) => ({ header: ["client_secret", s] })],
  ["Referer", (s) => ({ header: ["Referer", `https://h/?password=${s}#a`] })],
  ["a token in any header", (s) => ({ header: ["X-Other", `eyJhbGci${s}.eyJ${s}.${s}`] })],
  ["a form", (s) => ({ body: `user=a&password=${s}&x=1` })],
  [
    "JSON",
    (s) => ({
      body: JSON.stringify({ a: [{ refresh_token: s }], apiKey: s, otp: [s], secret: { deep: s } }),
    }),
  ],
  ["pretty JSON", (s) => ({ body: JSON.stringify({ a: { clientSecret: s, session: s } }, null, 2) })],
  [
    "JSON in JSON in JSON",
    (s) => ({ body: JSON.stringify({ a: JSON.stringify({ b: JSON.stringify({ pin: s }) }) }) }),
  ],
  ["JSON that is cut off", (s) => ({ body: `{"a":1,"password":"${s}` })],
  ["JSON with quotes in the secret", (s) => ({ body: JSON.stringify({ passwd: `${s}"\\${s}\\"${s}\\` }) })],
  ["XML", (s) => ({ body: `<a><password type="x">${s}</password></a>` })],
  ["lines", (s) => ({ body: `user: a\n  secret: ${s}\nAuthorization: Basic ${s}\n` })],
  [
    "a multipart form",
    (s) => ({ body: `--b\r\nContent-Disposition: form-data; name="token"\r\n\r\n${s}\r\n${s}\r\n--b--\r\n` }),
  ],
  ["a token in any text", (s) => ({ body: `see eyJhbGci${s}.eyJ${s}.${s}, so` })],
  ["binary bytes", (s) => ({ body: `\0\x01 password=${s} \0` })],
];

const secret = fc
  .stringMatching(/^[a-zA-Z0-9]{12,40}$/)
  .filter((text) => /[A-Z]/.test(text) && /[0-9]/.test(text));

for (const [name, put] of places) {
  test(`present: a secret in ${name} reaches no exported field`, () => {
    fc.assert(
      fc.property(secret, fc.boolean(), (hidden, zipped) => {
        const placed = put(hidden);
        const bytes = Buffer.from(placed.body ?? "");
        const kept = zipped ? gzipSync(bytes) : bytes;
        const half = {
          headers: [
            ...(placed.header ? [placed.header] : []),
            ...(zipped ? [["content-encoding", "gzip"] as [string, string]] : []),
          ],
          trailers: placed.header ? [placed.header] : [],
          body: { size: placed.body === undefined ? 0 : kept.length, kept, complete: true },
        };
        const request = {
          method: "POST",
          target: placed.target ?? "/",
          authority: placed.authority ?? null,
          ...half,
        };
        const exchange = { ...parsed, request, response: { status: 200, reason: "OK", ...half } };
        const event = presentExchange(exchange, context, { showSecrets: false });
        const shown = presentMessage({ ...message("", bytes.length), preview: bytes }, context, {
          showSecrets: false,
        });
        const exported = JSON.stringify([event, exchangeRow(event), shown, messageRow(shown)]);
        assert.ok(!exported.includes(hidden), exported);
        assert.ok(!exported.includes(Buffer.from(hidden).toString("hex")), exported);
      }),
      { numRuns: 40 },
    );
  });
}

test("present: the mask does not tell how long a secret is", () => {
  const shown = [1, 10, 100].map((length) => {
    const request = parsed.request && { ...parsed.request, target: `/?token=${"x".repeat(length)}` };
    return presentExchange({ ...parsed, request }, context, { showSecrets: false }).request?.target;
  });
  assert.equal(new Set(shown).size, 1);
});
