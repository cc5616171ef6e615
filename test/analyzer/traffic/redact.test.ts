import assert from "node:assert/strict";
import { test } from "node:test";
import { maskForm, maskHeaders, maskTarget, maskText } from "../../../src/analyzer/traffic/redact.ts";
import { isSecretName } from "../../../src/analyzer/traffic/secret-names.ts";

const headerCases: [name: string, value: string, expected: string][] = [
  ["Authorization", "Bearer abc.def", "Bearer ••••••"],
  ["Authorization", 'Digest username="u", response="r"', "Digest ••••••"],
  ["authorization", "no-scheme-at-all", "••••••"],
  ["Authorization", "first second", "••••••"],
  ["Proxy-Authorization", "Basic dTpw", "Basic ••••••"],
  ["Cookie", "a=1; b=2;c", "a=••••••; b=••••••;••••••"],
  ["Set-Cookie", "id=42; Path=/; HttpOnly; Own=x", "id=••••••; Path=/; HttpOnly; Own=••••••"],
  ["X-Api-Key", "k", "••••••"],
  ["X-Amz-Security-Token", "t", "••••••"],
  ["X-CSRF-Token", "t", "••••••"],
  ["client-secret", "s", "••••••"],
  ["Location", "https://u:p@h/cb?code=1&state=2#x", "https://u:••••••@h/cb?code=••••••&state=2#x"],
  ["X-Trace", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "••••••"],
  ["Content-Type", "application/json; charset=utf-8", "application/json; charset=utf-8"],
  ["Accept", "text/html,application/xml;q=0.9,*/*;q=0.8", "text/html,application/xml;q=0.9,*/*;q=0.8"],
  ["User-Agent", "curl/8.5.0", "curl/8.5.0"],
  ["X-Max-Tokens", "100", "100"],
];
for (const [name, value, expected] of headerCases) {
  test(`redact: ${name}: ${value}`, () => {
    assert.deepStrictEqual(maskHeaders([[name, value]]), [[name, expected]]);
  });
}

test("redact: headers that are not known stay unknown", () => {
  assert.deepStrictEqual(
    maskHeaders([
      [null, null],
      ["cookie", null],
    ]),
    [
      [null, null],
      ["cookie", null],
    ],
  );
});

test("redact: a value whose name is not known is masked, for it may be a credential", () => {
  assert.deepStrictEqual(maskHeaders([[null, "Bearer abc"]]), [[null, "••••••"]]);
});

const textCases: [text: string, expected: string][] = [
  ['{"password":"hunter2","user":"ann"}', '{"password":"••••••","user":"ann"}'],
  ['{"a":{"b":[{"access_token" : "x\\"y"}]}}', '{"a":{"b":[{"access_token" : "••••••"}]}}'],
  ['{"pin": 1234, "n": 1}', '{"pin": "••••••", "n": 1}'],
  ['{"accessToken":"abc', '{"accessToken":"••••••"'],
  ['{"secret":{"a":["}",1]},"n":1}', '{"secret":"••••••","n":1}'],
  ['{"password":null,"token":"","otp":false}', '{"password":null,"token":"","otp":false}'],
  [
    '{"body":"{\\"password\\":\\"a\\\\\\"b\\",\\"n\\":1}","m":2}',
    '{"body":"{\\"password\\":\\"••••••\\",\\"n\\":1}","m":2}',
  ],
  ['{"body":"{\\"password\\":\\"hun","m":2}', '{"body":"{\\"password\\":\\"••••••\\"","m":2}'],
  [
    '{"max_tokens":100,"total_tokens":7,"tokens":["a"]}',
    '{"max_tokens":100,"total_tokens":7,"tokens":"••••••"}',
  ],
  ['{"token_type":"bearer","expires_in":3600}', '{"token_type":"bearer","expires_in":3600}'],
  ["user=ann&password=hunter2&x=1", "user=ann&password=••••••&x=1"],
  ["user%5Bpassword%5D=hunter2", "user%5Bpassword%5D=••••••"],
  ["to=https%3A%2F%2Fh%2F%3Faccess_token%3Dabc", "to=https%3A%2F%2Fh%2F%3Faccess_token%3D••••••"],
  ["see https://h/?a=1&api_key=abc.", "see https://h/?a=1&api_key=••••••"],
  ["url=/cb?token=abc", "url=/cb?token=••••••"],
  ["a:\nAuthorization: Bearer abc\nnext: 1", "a:\nAuthorization: Bearer ••••••\nnext: 1"],
  ["db:\n  password: hunter2\n", "db:\n  password: ••••••\n"],
  ["<a><Password x='1'>hunter2</Password></a>", "<a><Password x='1'>••••••</Password></a>"],
  ["<secret><![CDATA[abc]]></secret>", "<secret><![CDATA[••••••]]></secret>"],
  ["send Bearer AbCdEf0123456789 now", "send Bearer •••••• now"],
  ["key ghp_abcdefghijklmnopqrst0123", "key ••••••"],
  ["-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc", "••••••"],
  ["USER ann\r\nPASS hunter2\r\n", "USER ann\r\nPASS ••••••\r\n"],
  ["AUTH PLAIN AGFubgBodW50ZXIy\r\n", "AUTH PLAIN ••••••\r\n"],
  ["*2\r\n$4\r\nAUTH\r\n$7\r\nhunter2\r\n", "*2\r\n$4\r\nAUTH\r\n••••••"],
  ["*2\r\n$4\r\nAuth\r\n$7\r\nhunter2\r\n", "*2\r\n$4\r\nAuth\r\n••••••"],
  [
    '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--b--',
    '--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n••••••\r\n--b--',
  ],
  ["Basic authentication is not a bearer bond", "Basic authentication is not a bearer bond"],
  ['{"id":7,"name":"pinned item","session":null}', '{"id":7,"name":"pinned item","session":null}'],
  ["Ünïcode, <b>html</b> & a=b", "Ünïcode, <b>html</b> & a=b"],
];
for (const [text, expected] of textCases) {
  test(`redact: the text ${JSON.stringify(text)}`, () => {
    assert.equal(maskText(text), expected);
  });
}

test("redact: a form's value is masked to its end, whatever characters its client left unencoded", () => {
  assert.equal(maskForm('password=a"b<c d;e&n=1'), "password=••••••&n=1");
});

test("redact: a target's query is masked, its path is not", () => {
  assert.equal(
    maskTarget("/password/reset?id_token=a'b\"c&key=d&page=2"),
    "/password/reset?id_token=••••••&key=••••••&page=2",
  );
});

test("redact: every name of the issue's kind is a secret, in any spelling", () => {
  const names =
    "password passwd token access_token refresh_token id_token secret client_secret api_key apikey session otp pin";
  const spellings = names
    .split(" ")
    .flatMap((name) => [
      name,
      name.toUpperCase(),
      name.replace(/_(.)/g, (_, c: string) => c.toUpperCase()),
      `x-${name.replaceAll("_", "-")}`,
    ]);
  assert.deepStrictEqual(
    spellings.filter((name) => !isSecretName(name, "v", "field")),
    [],
  );
});

const slowTexts: [name: string, text: string][] = [
  ["quotes", '"'.repeat(1_000_000)],
  ["backslashes", "\\".repeat(1_000_000)],
  ["escaped quotes", '\\"'.repeat(500_000)],
  ["nested objects", '{"a":'.repeat(200_000)],
  ["nested secrets", '{"token":['.repeat(100_000)],
  ["a word without end", "a".repeat(1_000_000)],
  ["pairs", "a=".repeat(500_000)],
  ["spaces", `"a"${" ".repeat(1_000_000)}`],
  ["tags", "<a ".repeat(300_000)],
  ["schemes", "Bearer ".repeat(150_000)],
  ["slashes", "//".repeat(500_000)],
  ["form parts", "form-data; name=".repeat(60_000)],
  ["form parts with lines", 'form-data; name="a"\r\nx\r\n'.repeat(40_000)],
  ["token starts", "eyJ".repeat(300_000)],
  ["key starts", "-----BEGIN PRIVATE KEY-----".repeat(30_000)],
  ["lines", " - a: b\n".repeat(120_000)],
  ["tabs", "\t".repeat(1_000_000)],
];
for (const [name, text] of slowTexts) {
  test(`redact: a megabyte of ${name} takes no more than linear time`, () => {
    const took = (input: string) => {
      const started = performance.now();
      maskText(input);
      return performance.now() - started;
    };
    took(text.slice(0, 10_000));
    assert.ok(took(text) < 3000);
  });
}
