import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Header } from "../../../src/protocol/traffic.ts";
import { HpackReader } from "../../../src/analyzer/traffic/hpack-reader.ts";
import { HpackDecoder } from "../../../src/analyzer/traffic/hpack.ts";
import { bytes, HpackEncoder } from "./http2-fixture.ts";

/** What the dynamic table holds, newest first; the last look, past its end, is a fault. */
function tableOf(decoder: HpackDecoder): Header[] {
  const entries: Header[] = [];
  for (let index = 62; ; index++) {
    const { fields, problem } = decoder.decode(Uint8Array.of(0x80 | index));
    if (problem !== null) return entries;
    entries.push(...fields);
  }
}

test("hpack: reads the integers of RFC 7541, C.1", () => {
  assert.equal(new HpackReader(bytes("0a")).integer(5), 10);
  assert.equal(new HpackReader(bytes("1f9a0a")).integer(5), 1337);
  assert.equal(new HpackReader(bytes("2a")).integer(8), 42);
});

test("hpack: reads no integer that is cut short or longer than any field needs", () => {
  for (const hex of ["1f", "1f9a", "1fffffffffff00", "1f808080808000"]) {
    assert.equal(new HpackReader(bytes(hex)).integer(5), null, hex);
  }
});

const firstRequest: Header[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "www.example.com"],
];
const secondRequest: Header[] = [...firstRequest, ["cache-control", "no-cache"]];
const thirdRequest: Header[] = [
  [":method", "GET"],
  [":scheme", "https"],
  [":path", "/index.html"],
  [":authority", "www.example.com"],
  ["custom-key", "custom-value"],
];
const firstResponse: Header[] = [
  [":status", "302"],
  ["cache-control", "private"],
  ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
  ["location", "https://www.example.com"],
];
const secondResponse: Header[] = [[":status", "307"], ...firstResponse.slice(1)];
const thirdResponse: Header[] = [
  [":status", "200"],
  ["cache-control", "private"],
  ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
  ["location", "https://www.example.com"],
  ["content-encoding", "gzip"],
  ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
];
const requestTable: Header[] = [
  ["custom-key", "custom-value"],
  ["cache-control", "no-cache"],
  [":authority", "www.example.com"],
];
const responseTable: Header[] = [
  ["set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"],
  ["content-encoding", "gzip"],
  ["date", "Mon, 21 Oct 2013 20:13:22 GMT"],
];

/** The examples of RFC 7541, appendix C; those of C.5 and C.6 run with a table of 256 bytes. */
const examples: { name: string; tableSize?: number; blocks: [string, Header[]][]; table: Header[] }[] = [
  {
    name: "C.2.1, a literal with indexing",
    blocks: [["400a637573746f6d2d6b65790d637573746f6d2d686561646572", [["custom-key", "custom-header"]]]],
    table: [["custom-key", "custom-header"]],
  },
  {
    name: "C.2.2, a literal without indexing",
    blocks: [["040c2f73616d706c652f70617468", [[":path", "/sample/path"]]]],
    table: [],
  },
  {
    name: "C.2.3, a literal never indexed",
    blocks: [["100870617373776f726406736563726574", [["password", "secret"]]]],
    table: [],
  },
  { name: "C.2.4, an indexed field", blocks: [["82", [[":method", "GET"]]]], table: [] },
  {
    name: "C.3, requests without Huffman coding",
    blocks: [
      ["828684410f7777772e6578616d706c652e636f6d", firstRequest],
      ["828684be58086e6f2d6361636865", secondRequest],
      ["828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565", thirdRequest],
    ],
    table: requestTable,
  },
  {
    name: "C.4, requests with Huffman coding",
    blocks: [
      ["828684418cf1e3c2e5f23a6ba0ab90f4ff", firstRequest],
      ["828684be5886a8eb10649cbf", secondRequest],
      ["828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf", thirdRequest],
    ],
    table: requestTable,
  },
  {
    name: "C.5, responses without Huffman coding",
    tableSize: 256,
    blocks: [
      [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e" +
          "1768747470733a2f2f7777772e6578616d706c652e636f6d",
        firstResponse,
      ],
      ["4803333037c1c0bf", secondResponse],
      [
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d" +
          "4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b20766572" +
          "73696f6e3d31",
        thirdResponse,
      ],
    ],
    table: responseTable,
  },
  {
    name: "C.6, responses with Huffman coding",
    tableSize: 256,
    blocks: [
      [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b" +
          "97c8e9ae82ae43d3",
        firstResponse,
      ],
      ["4883640effc1c0bf", secondResponse],
      [
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdf" +
          "cd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
        thirdResponse,
      ],
    ],
    table: responseTable,
  },
];

for (const { name, tableSize, blocks, table } of examples) {
  test(`hpack: decodes RFC 7541, ${name}`, () => {
    const decoder = new HpackDecoder(true);
    if (tableSize === 256) decoder.decode(bytes("3fe101"));
    for (const [hex, fields] of blocks) {
      assert.deepStrictEqual(decoder.decode(bytes(hex)), { fields, problem: null });
    }
    assert.deepStrictEqual(tableOf(decoder), table);
  });
}

test("hpack: gives what it understood of a faulty block, and the fault", () => {
  const faults: [hex: string, problem: RegExp][] = [
    ["80", /no entry/],
    ["be", /no entry/],
    ["ff", /index is cut short/],
    ["ffffffffffff0f", /index is cut short or too large/],
    ["7e0161", /name is not readable/],
    ["00", /name is not readable/],
    ["000361", /name is not readable/],
    ["0f", /index is cut short/],
    ["04", /value is not readable/],
    ["04056162", /value is not readable/],
    ["3fe21f", /exceeds what the receiver allowed/],
    ["20", /follows a field/],
    // Huffman: eight bits of padding; padding of zeros; the end-of-string symbol.
    ["048207ff", /value is not readable/],
    ["048106", /value is not readable/],
    ["0484ffffffff", /value is not readable/],
  ];
  for (const [hex, problem] of faults) {
    const isSizeFault = hex === "3fe21f";
    const decoded = new HpackDecoder(true).decode(bytes(isSizeFault ? hex : `82${hex}`));
    assert.deepStrictEqual(decoded.fields, isSizeFault ? [] : [[":method", "GET"]], hex);
    assert.match(decoded.problem ?? "", problem, hex);
  }
});

test("hpack: follows the table size that the receiver's SETTINGS allow", () => {
  const decoder = new HpackDecoder(true);
  decoder.allowTableSize(65_536);
  assert.equal(decoder.decode(bytes("3fe1ff03")).problem, null);
  assert.match(decoder.decode(bytes("3fe2ff03")).problem ?? "", /exceeds/);
  decoder.forgetTableSizeLimit();
  assert.equal(decoder.decode(bytes("3fe2ff03")).problem, null);
});

test("hpack: an entry larger than the table empties it", () => {
  const decoder = new HpackDecoder(true);
  decoder.decode(bytes("3f11")); // 48 bytes
  decoder.decode(bytes("4001610162"));
  decoder.decode(bytes(`40016314${"78".repeat(20)}`));
  assert.deepStrictEqual(tableOf(decoder), []);
});

test("hpack: after an attach, entries inserted since are known and older ones are not", () => {
  const decoder = new HpackDecoder(false);
  const decoded = decoder.decode(bytes("82bebf4001610162bebfff617e0163be"));
  assert.deepStrictEqual(decoded, {
    fields: [
      [":method", "GET"],
      [null, null],
      [null, null],
      ["a", "b"],
      ["a", "b"],
      [null, null],
      [null, null],
      // A value of its own under the name of the newest entry, which that then is.
      ["a", "c"],
      ["a", "c"],
    ],
    problem: null,
  });
});

test("hpack: a known value under an unknown name stays so when it is referred to", () => {
  const decoder = new HpackDecoder(false);
  assert.deepStrictEqual(decoder.decode(bytes("7f000163be")).fields, [
    [null, "c"],
    [null, "c"],
  ]);
});

test("hpack: a table that the encoder emptied holds nothing unknown any more", () => {
  const decoder = new HpackDecoder(false);
  assert.equal(decoder.decode(bytes("20be")).problem, "an index refers to no entry");
});

test("hpack: keeps no more than 1 MiB of a list that refers to one large entry again and again", () => {
  const decoder = new HpackDecoder(true);
  const value = "78".repeat(4000);
  const { fields, problem } = decoder.decode(bytes(`4001617fa11e${value}${"be".repeat(100_000)}`));
  assert.equal(problem, "the header list is larger than 1 MiB");
  assert.ok(fields.length < 300);
  assert.equal(decoder.decode(bytes("be")).fields[0]?.[1]?.length, 4000);
});

const name = fc.constantFrom("a", "bb", "x-request-id", ":path", "cookie", "n".repeat(90));
const value = fc.oneof(
  fc.constantFrom("", "1", "two", "v".repeat(40), "w".repeat(300)),
  fc.string({ maxLength: 8, unit: "binary-ascii" }),
);
const step = fc.record({
  field: fc.tuple(name, value),
  form: fc.constantFrom("indexed", "indexed", "inserted", "inserted", "plain", "never"),
});
const block = fc.record({
  tableSize: fc.option(fc.constantFrom(0, 60, 200, 500, 4096), { freq: 6 }),
  steps: fc.array(step, { maxLength: 12 }),
});

test("hpack: from the start every field is right, and from any later block no field is wrong", () => {
  let known = 0;
  fc.assert(
    fc.property(
      fc.array(block, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(120, 4096),
      (blocks, size) => {
        const encoder = new HpackEncoder(4096);
        encoder.resize(size);
        const encoded = blocks.map(({ tableSize, steps }) => {
          if (tableSize !== null) encoder.resize(tableSize);
          return encoder.encode(steps);
        });
        for (let cut = -1; cut < blocks.length; cut++) {
          const decoder = new HpackDecoder(cut === -1);
          for (let index = Math.max(cut, 0); index < blocks.length; index++) {
            const truth = blocks[index]?.steps.map((one): Header => one.field) ?? [];
            const { fields, problem } = decoder.decode(encoded[index] ?? bytes(""));
            assert.equal(problem, null);
            assert.equal(fields.length, truth.length);
            fields.forEach((field, at) => {
              const shown = field.map((part, side) => (cut === -1 ? part : (part ?? truth[at]?.[side])));
              assert.deepStrictEqual(shown, truth[at]);
              if (cut > 0 && field[0] !== null) known++;
            });
          }
        }
      },
    ),
  );
  assert.ok(known > 1000, "most fields are known soon after a cut");
});

test("hpack: never throws, and never gives undefined parts", () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 5 }),
      fc.boolean(),
      (blocks, isStart) => {
        const decoder = new HpackDecoder(isStart);
        for (const one of blocks) {
          for (const part of decoder.decode(one).fields.flat())
            assert.ok(part === null || typeof part === "string");
        }
      },
    ),
    { numRuns: 2000 },
  );
});
