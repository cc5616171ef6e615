import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readNameRules, ruleFor } from "../../../src/analyzer/network/name-rules.ts";
import { isNameRule } from "../../../src/tracer/messages.ts";
import { nameKey } from "../../../src/tracer/name-key.ts";

test("name rules: a name or *.suffix a line, the rest told by its line", () => {
  const text = [
    "# of the company",
    "api.example.com",
    "",
    "  *.Example.NET   # and below",
    "api.example.com",
    "under_score.example",
    "root.example.",
    "bücher.example",
    "*.bücher.example",
    "a b",
    "https://url.example",
    "*",
    "*.",
    "a.*.example",
    "double..dot",
    "-dash.example",
    "10.0.0.1:443",
    "x".repeat(256),
  ].join("\r\n");
  const { rules, problems } = readNameRules(text);
  assert.deepStrictEqual(rules, [
    "api.example.com",
    "*.example.net",
    "under_score.example",
    "root.example",
    "xn--bcher-kva.example",
    "*.xn--bcher-kva.example",
  ]);
  assert.deepStrictEqual(
    problems.map((problem) =>
      /^line (\d+): "(.{1,12}).*" is neither a name nor \*\.suffix$/.exec(problem)?.slice(1),
    ),
    [
      ["10", "a b"],
      ["11", "https://url."],
      ["12", "*"],
      ["13", "*."],
      ["14", "a.*.example"],
      ["15", "double..dot"],
      ["16", "-dash.exampl"],
      ["17", "10.0.0.1:443"],
      ["18", "xxxxxxxxxxxx"],
    ],
  );
});

test("name rules: an address is no name, for a ClientHello has none (RFC 6066, section 3)", () => {
  assert.deepStrictEqual(readNameRules("192.0.2.1\nexample.com\n2001:db8::1"), {
    rules: ["example.com"],
    problems: [
      'line 1: "192.0.2.1" is an address, which no ClientHello names',
      'line 3: "2001:db8::1" is an address, which no ClientHello names',
    ],
  });
});

test("name rules: more than the kernel takes are told, once", () => {
  const text = Array.from({ length: 200_003 }, (_, i) => `n${i}.example`).join("\n");
  const { rules, problems } = readNameRules(text);
  assert.equal(rules.length, 200_000);
  assert.deepStrictEqual(problems, ["line 200001: more than 200000 names; the rest is left out"]);
});

test("name rules: whatever is read, the tracer takes it as a rule", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary" })), (lines) => {
      for (const rule of readNameRules(lines.join("\n")).rules) assert.ok(isNameRule(rule), rule);
    }),
  );
});

const rules = new Set(["api.example.com", "*.example.com", "*.b.example.com", "*.net", "single"]);
for (const [name, rule] of [
  ["api.example.com", "api.example.com"],
  ["API.Example.Com", "api.example.com"],
  ["api.example.com.", "api.example.com"],
  ["API.example.com..", "api.example.com"],
  ["www.example.com", "*.example.com"],
  ["WWW.Example.com.", "*.example.com"],
  ["a.b.example.com", "*.b.example.com"],
  ["b.example.com", "*.example.com"],
  ["example.com", null],
  ["badexample.com", null],
  ["example.com.org", null],
  ["net", null],
  ["x.net", "*.net"],
  ["single", "single"],
  ["a.single", null],
  ["", null],
  [".", null],
] as const) {
  test(`name rules: ${name || "no name"} is ${rule === null ? "not refused" : `refused by ${rule}`}`, () => {
    assert.equal(ruleFor(rules, name), rule);
  });
}

/** `struct ps_name_key` as `judge_name` of bpf/judge.h makes it of a name in a hello; null where it does not ask. */
function keyOfHello(said: Uint8Array): Uint8Array | null {
  const name = said.at(-1) === 0x2e ? said.subarray(0, -1) : said;
  if (name.length === 0 || name.length >= 256) return null;
  const key = new Uint8Array(4 + 256);
  new DataView(key.buffer).setUint32(0, 256 * 8, true);
  key.set(Array.from(name, (byte) => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte)).reverse(), 4);
  return key;
}

/** A lookup in BPF_MAP_TYPE_LPM_TRIE: whether any entry's first `bits` bits are the key's (Documentation/bpf/map_lpm_trie.rst). */
function hasPrefix(entries: readonly Uint8Array[], key: Uint8Array): boolean {
  const bitsOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return entries.some((entry) => {
    const bits = bitsOf(entry);
    assert.equal(bits % 8, 0);
    const bytes = bits / 8;
    return (
      bits <= bitsOf(key) && Buffer.compare(entry.subarray(4, 4 + bytes), key.subarray(4, 4 + bytes)) === 0
    );
  });
}

const label = fc.stringMatching(/^[abAB]{1,2}$/);
const name = fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join("."));
const rule = fc
  .tuple(fc.boolean(), name)
  .map(([isSuffix, text]) => (isSuffix ? "*." : "") + text.toLowerCase());

test("name rules: the kernel refuses what the rules refuse, and nothing else", () => {
  let [refused, passed] = [0, 0];
  fc.assert(
    fc.property(
      fc.array(rule, { minLength: 1, maxLength: 6 }),
      name,
      fc.constantFrom("", ".", "x", "*."),
      fc.constantFrom("", "."),
      (list, asked, odd, root) => {
        for (const rule of list) assert.ok(isNameRule(rule));
        const text = odd + asked + root;
        const key = keyOfHello(Buffer.from(text));
        assert.ok(key);
        const isRefused = ruleFor(new Set(list), text) !== null;
        assert.equal(hasPrefix(list.map(nameKey), key), isRefused, text);
        if (isRefused) refused++;
        else passed++;
      },
    ),
    { numRuns: 5000 },
  );
  assert.ok(refused > 200 && passed > 200, `${refused} refused, ${passed} passed`);
});

test("name rules: a name that fills the kernel's key is found whole", () => {
  const long = `${"a".repeat(63)}.`.repeat(3) + "b".repeat(63);
  assert.equal(long.length, 255);
  const key = keyOfHello(Buffer.from(long));
  assert.ok(key && isNameRule(long));
  assert.ok(hasPrefix([nameKey(long)], key));
  assert.ok(!hasPrefix([nameKey(long.slice(1))], key));
});
