import assert from "node:assert/strict";
import { test } from "node:test";
import { maskedValue, type BodyView } from "../../src/protocol/traffic.ts";
import { bodyBytes, bodyForms, bodyNotes, mediaTypeOf } from "../../webview/live-traffic/body-forms.ts";
import { formFields, queryFields } from "../../webview/live-traffic/form-fields.ts";

const cases: [name: string, body: BodyView | null, mediaType: string | null, forms: string[]][] = [
  ["none", null, null, []],
  ["empty", { text: "" }, "text/plain", []],
  ["declared JSON", { text: '{"a":1}' }, "application/problem+json", ["json", "text", "hex"]],
  ["JSON that nobody declared", { text: " [1]" }, null, ["json", "text", "hex"]],
  ["declared JSON that is none", { text: "oops" }, "application/json", ["text", "hex"]],
  ["a cut JSON body", { text: '{"a":[1,' }, "application/json", ["json", "text", "hex"]],
  ["a number that is not declared as JSON", { text: "42" }, "text/plain", ["text", "hex"]],
  ["a form", { text: "a=1" }, "application/x-www-form-urlencoded", ["fields", "text", "hex"]],
  ["bytes", { hex: "00ff" }, "image/png", ["hex"]],
];

for (const [name, body, mediaType, forms] of cases) {
  test(`body forms: ${name} as ${forms.join(", ") || "nothing"}`, () => {
    assert.deepStrictEqual(bodyForms(body, mediaType), forms);
  });
}

test("body forms: hex shows a text's UTF-8", () => {
  assert.deepStrictEqual([...bodyBytes({ text: "é" })], [0xc3, 0xa9]);
  assert.deepStrictEqual([...bodyBytes({ hex: "0aff" })], [0x0a, 0xff]);
});

test("body notes: everything that is not as on the wire is said", () => {
  const body = {
    text: `token=${maskedValue}`,
    decodedFrom: "br",
    omittedBytes: 2048,
    problem: "cut by a reset",
  };
  assert.deepStrictEqual(
    bodyNotes(body).map((note) => `${note.severity}: ${note.text}`),
    [
      "warning: Cut by a reset.",
      "warning: Only the beginning is kept: 2.0 kB more on the wire are not shown.",
      "info: Decoded from br.",
      "info: Secrets in this body are masked.",
    ],
  );
  assert.deepStrictEqual(bodyNotes({ text: "x" }), []);
});

test("body forms: the media type has no parameters and no capitals", () => {
  assert.equal(
    mediaTypeOf([
      [null, null],
      ["Content-Type", "Application/JSON; charset=utf-8"],
    ]),
    "application/json",
  );
  assert.equal(mediaTypeOf([["content-type", null]]), null);
});

test("form fields: are decoded in order, repeated names too", () => {
  assert.deepStrictEqual(formFields("a=1+2&b=%C3%A9&a=&c"), [
    ["a", "1 2"],
    ["b", "é"],
    ["a", ""],
    ["c", ""],
  ]);
  assert.deepStrictEqual(queryFields("/x?q=%zz&r=1#top"), [
    ["q", "%zz"],
    ["r", "1"],
  ]);
  assert.deepStrictEqual([queryFields("/x"), queryFields(null)], [[], []]);
});
