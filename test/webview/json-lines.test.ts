import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonDocument, unfoldedLines } from "../../webview/live-traffic/json-lines.ts";

const drawn = (text: string) =>
  jsonDocument(text)?.lines.map(
    (line) => "  ".repeat(line.depth) + line.tokens.map((token) => token.text).join(""),
  );
const joined = (text: string) => drawn(text)?.join("\n") ?? null;

test("json: lays out objects and arrays, one member a line", () => {
  assert.deepStrictEqual(drawn('{"a":[1,{"b":null}],"c":{},"d":[]}'), [
    "{",
    '  "a": [',
    "    1,",
    "    {",
    '      "b": null',
    "    }",
    "  ],",
    '  "c": {},',
    '  "d": []',
    "}",
  ]);
});

test("json: keeps every digit, repeated names and escapes as they were sent", () => {
  assert.deepStrictEqual(drawn('{"n":12345678901234567890.10,"n":"\\u00e9\\""}'), [
    "{",
    '  "n": 12345678901234567890.10,',
    '  "n": "\\u00e9\\""',
    "}",
  ]);
});

test("json: tells names, strings, numbers and literals apart", () => {
  const [, line] = jsonDocument('{"a":"b"}')?.lines ?? [];
  assert.deepStrictEqual(line?.tokens, [
    { kind: "name", text: '"a"' },
    { kind: "punctuation", text: ": " },
    { kind: "string", text: '"b"' },
  ]);
});

test("json: takes JSON lines", () => {
  assert.deepStrictEqual(drawn('{"a":1}\n{"a":2}\n'), ["{", '  "a": 1', "}", "{", '  "a": 2', "}"]);
});

for (const text of [
  "",
  "  ",
  "hello",
  "{]",
  "[}",
  "[1 2]",
  '{"a" "b"}',
  "{1:2}",
  "[,]",
  "[1,,2]",
  "}",
  ":",
  '{"a":}',
  "<p>",
  "[truely]",
]) {
  test(`json: ${JSON.stringify(text)} is not JSON`, () => {
    assert.equal(jsonDocument(text), null);
  });
}

test("json: whatever is JSON is laid out without loss", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const text = JSON.stringify(value);
      assert.deepStrictEqual(JSON.parse(joined(text) ?? ""), JSON.parse(text));
      assert.equal(jsonDocument(text)?.complete, true);
    }),
  );
});

test("json: a body cut anywhere is still shown, all of it, and known to be cut", () => {
  const text = '{"a":[true,false,null,-1.5e+3,"x\\"y\\\\"],"b":{"c":""}}';
  for (let end = 1; end < text.length; end += 1) {
    const cut = text.slice(0, end);
    const document = jsonDocument(cut);
    const shown = document?.lines.flatMap((line) => line.tokens.map((token) => token.text)).join("");
    assert.deepStrictEqual([shown?.replaceAll(": ", ":"), document?.complete], [cut, false], cut);
  }
});

test("json: any text is answered in time", () => {
  fc.assert(
    fc.property(
      fc.string({
        maxLength: 200,
        unit: fc.constantFrom(
          "{",
          "}",
          "[",
          "]",
          ",",
          ":",
          '"',
          "\\",
          " ",
          "1",
          "-",
          "e",
          "true",
          "nul",
          "\n",
        ),
      }),
      (text) => {
        jsonDocument(text);
      },
    ),
  );
  const started = performance.now();
  jsonDocument(`"${"\\".repeat(200_000)}`);
  jsonDocument("[".repeat(100_000));
  jsonDocument(`["${"a".repeat(1_000_000)}`);
  assert.ok(performance.now() - started < 2000);
});

test("json: a closed fold hides its lines and its closing bracket", () => {
  const lines = jsonDocument('{"a":[1,2],"b":3}')?.lines ?? [];
  assert.deepStrictEqual(lines[1]?.fold, { end: 4, members: 2 });
  assert.deepStrictEqual(unfoldedLines(lines, new Set()), [0, 1, 2, 3, 4, 5, 6]);
  assert.deepStrictEqual(unfoldedLines(lines, new Set([1])), [0, 1, 5, 6]);
  assert.deepStrictEqual(unfoldedLines(lines, new Set([0, 1])), [0]);
});
