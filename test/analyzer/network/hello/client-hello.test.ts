import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type HelloFacts, readClientHello } from "../../../../src/analyzer/network/hello/client-hello.ts";
import {
  alpn,
  block,
  clientHello,
  type Extension,
  ids,
  number,
  numbers,
  serverName,
  signatures,
  versions,
  type Wishes,
} from "./hellos.ts";
import { rfcClientHello } from "./rfc-initials.ts";

function facts(handshake: Uint8Array, transport: "tcp" | "quic" = "tcp"): HelloFacts {
  const read = readClientHello(handshake, transport);
  assert.ok("facts" in read, "problem" in read ? read.problem.text : "");
  return read.facts;
}

const factsOf = (wishes: Wishes) => facts(clientHello(wishes));

test("hello: the one of RFC 9001 A.2", () => {
  const { ja3, ja4, ...rest } = facts(rfcClientHello, "quic");
  assert.deepStrictEqual(rest, {
    serverName: "example.com",
    alpn: ["alpn"],
    versions: ["1.3"],
    encryptedClientHello: false,
  });
  assert.match(ja4, /^q13d0211an_[0-9a-f]{12}_[0-9a-f]{12}$/);
  assert.match(ja3, /^[0-9a-f]{32}$/);
});

test("hello: one without extensions names no server and its highest version alone", () => {
  const { ja4, ja3, ...rest } = factsOf({ version: 0x0302, cipherSuites: [0x002f] });
  assert.deepStrictEqual(rest, {
    serverName: null,
    alpn: [],
    versions: ["1.1"],
    encryptedClientHello: false,
  });
  assert.match(ja4, /^t11i010000_[0-9a-f]{12}_000000000000$/);
  assert.equal(ja3, createHash("md5").update("770,47,,,").digest("hex"));
});

test("hello: versions in the client's order, GREASE left out, unknown ones as on the wire", () => {
  const named = (...offered: number[]) => factsOf({ extensions: [versions(...offered)] }).versions;
  assert.deepStrictEqual(named(0x0304, 0x0303), ["1.3", "1.2"]);
  assert.deepStrictEqual(named(0x3a3a, 0x0303, 0x0304, 0x0301, 0x0300), ["1.2", "1.3", "1.0", "ssl3"]);
  assert.deepStrictEqual(named(0x7f1c), ["0x7f1c"]);
  assert.deepStrictEqual(named(), ["1.2"]);
});

test("hello: ALPN in the client's order, GREASE left out, what is not printable as hex", () => {
  const protocols = (...offered: (string | Uint8Array)[]) => factsOf({ extensions: [alpn(...offered)] }).alpn;
  assert.deepStrictEqual(protocols(Buffer.of(0x4a, 0x4a), "h2", "http/1.1"), ["h2", "http/1.1"]);
  assert.deepStrictEqual(protocols(Buffer.of(0x1b, 0x5b), "a b"), ["0x1b5b", "0x612062"]);
  assert.deepStrictEqual(protocols(Buffer.of(0xe8, 0xb2)), ["0xe8b2"]);
  assert.deepStrictEqual(factsOf({ extensions: [[0x0010, Buffer.of(0, 9, 1)]] }).alpn, []);
});

const unreadable = {
  code: "server-name-unreadable",
  text: "the server name in the ClientHello is not a host name",
};

test("hello: a server name is a host name, or is not shown and said to be none", () => {
  const named = (extension: Extension) => {
    const { serverName: name, problem } = factsOf({ extensions: [extension] });
    return { name, problem };
  };
  const shown = [
    "example.com",
    "xn--bcher-kva.example",
    "my_service.local.",
    "127.0.0.1",
    "::1",
    "a".repeat(255),
  ];
  for (const name of shown) assert.deepStrictEqual(named(serverName(name)), { name, problem: undefined });

  const hidden: [what: string, extension: Extension][] = [
    ["empty", serverName("")],
    ["with a colour", serverName("\u001b[31mexample.com")],
    ["with a line break at its end", serverName("example.com\n")],
    ["with a zero", serverName("example.com\0.evil.example")],
    ["whose bytes are letters but for their highest bit", serverName(Buffer.from("e8f3", "hex"))],
    ["in UTF-8", serverName("bücher.example")],
    ["too long", serverName("a".repeat(256))],
    ["of another type", [0, block(2, number(1, 1), block(2, Buffer.from("example.com")))]],
    ["longer than the extension", [0, Buffer.from("00100000ff6578616d706c65", "hex")]],
    ["without its list", [0, Buffer.alloc(0)]],
  ];
  for (const [what, extension] of hidden) {
    assert.deepStrictEqual(named(extension), { name: null, problem: unreadable }, what);
  }
});

test("hello: an outer encrypted_client_hello is told, an inner or malformed one is not", () => {
  const outer = [
    Buffer.of(0),
    numbers([1, 1]),
    Buffer.of(7),
    block(2, Buffer.alloc(32)),
    block(2, Buffer.alloc(144)),
  ];
  const isEncrypted = (data: Uint8Array) => factsOf({ extensions: [[0xfe0d, data]] }).encryptedClientHello;
  assert.deepStrictEqual([Buffer.concat(outer), Buffer.of(1), Buffer.alloc(0)].map(isEncrypted), [
    true,
    false,
    false,
  ]);
  assert.equal(factsOf({}).encryptedClientHello, false);
});

const empty = Buffer.alloc(0);
const bodies = new Map<number, Uint8Array>([
  [0x002b, block(1, numbers([0x0304]))],
  [0x000d, signatures(...ids("0403,0804,0401,0503,0805,0501,0806,0601"))[1]],
  [0x0000, serverName("example.com")[1]],
  [0x0010, alpn("h2", "http/1.1")[1]],
]);
const withExtensions = (list: string, own: Extension[] = []): Extension[] => {
  const replaced = new Map([...bodies, ...own]);
  return ids(list).map((id) => [id, replaced.get(id) ?? empty]);
};

// What FoxIO publishes of these clients, in technical_details/JA4.md and as the expected output of its own tests.
const chromeSuites = "1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,002f,0035";
const chromeExtensions = "001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,000b,000a,0015";
const published: [ja4: string, transport: "tcp" | "quic", hello: Wishes][] = [
  [
    "t13d1516h2_8daaf6152771_e5627efa2ab1",
    "tcp",
    {
      cipherSuites: ids(`1a1a,${chromeSuites}`),
      extensions: withExtensions(`aaaa,${chromeExtensions},7a7a`),
    },
  ],
  [
    "q13d0310h3_55b375c5d22e_cd85d2d88918",
    "quic",
    {
      cipherSuites: ids("1301,1302,1303"),
      extensions: withExtensions("002d,001b,4469,000d,002b,0000,000a,0039,0010,0033", [
        alpn("h3"),
        signatures(...ids("0403,0804,0401,0503,0805,0501,0806,0601,0201")),
      ]),
    },
  ],
  [
    "t12d190800_d83cc789557e_7af1ed941c26",
    "tcp",
    {
      cipherSuites: ids(
        "c02c,c02b,c030,c02f,c024,c023,c028,c027,c00a,c009,c014,c013,009d,009c,003d,003c,0035,002f,000a",
      ),
      extensions: withExtensions("0000,0005,000a,000b,000d,0023,0017,ff01", [
        signatures(...ids("0804,0805,0806,0401,0501,0201,0403,0503,0203,0202,0601,0603")),
      ]),
    },
  ],
  [
    "t13d1516h2_8daaf6152771_6d807ffa2a79",
    "tcp",
    { cipherSuites: ids(chromeSuites), extensions: withExtensions(chromeExtensions, [[0x000d, empty]]) },
  ],
];

test("ja4: what is published of known clients", () => {
  for (const [ja4, transport, hello] of published) {
    assert.equal(facts(clientHello(hello), transport).ja4, ja4);
  }
});

test("ja4: the ends of the first protocol, by the published table", () => {
  const table: [protocol: number[], ends: string][] = [
    [[], "00"],
    [[0x68], "hh"],
    [[0xab], "ab"],
    [[0x20], "20"],
    [[0xab, 0xcd], "ad"],
    [[0x20, 0x61], "21"],
    [[0x30, 0xab], "3b"],
    [[0x61, 0x20], "60"],
    [[0x30, 0x31, 0xab, 0xcd], "3d"],
    [[0x30, 0xab, 0xcd, 0x31], "01"],
  ];
  for (const [protocol, ends] of table) {
    assert.equal(factsOf({ extensions: [alpn(Buffer.from(protocol))] }).ja4.slice(0, 10), `t12i0101${ends}`);
  }
});

test("ja4: the highest version offered counts, and no count has three digits", () => {
  const start = (wishes: Wishes) => factsOf(wishes).ja4.slice(0, 10);
  assert.equal(start({ extensions: [versions(0x1a1a, 0x0302, 0x0303)] }), "t12i010100");
  assert.equal(start({ version: 0x0300 }), "ts3i010000");
  assert.equal(start({ version: 0x0505 }), "t00i010000");
  const many = Array.from({ length: 120 }, (_, id) => id + 1000);
  assert.equal(start({ cipherSuites: many, extensions: many.map((id) => [id, empty]) }), "t12i999900");
  assert.match(factsOf({ cipherSuites: [0x0a0a] }).ja4, /^t12i000000_000000000000_000000000000$/);
});

test("ja3: what is published of known clients", () => {
  const groups: Extension = [0x000a, block(2, numbers([23, 24, 25]))];
  const formats: Extension = [0x000b, block(1, Buffer.of(0))];
  const first = [47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4];
  assert.equal(
    factsOf({ version: 769, cipherSuites: first, extensions: [serverName("a"), groups, formats] }).ja3,
    "ada70206e40642a3e4461f35503241d5",
  );
  assert.equal(
    factsOf({ version: 769, cipherSuites: [4, 5, 10, 9, 100, 98, 3, 6, 19, 18, 99] }).ja3,
    "de350869b8c85de67a350c8d186f11e6",
  );
});

test("hello: one that is cut, or has more than it says, is a problem; never an error", () => {
  const whole = clientHello({ extensions: [serverName("example.com"), alpn("h2"), versions(0x0304)] });
  const problem = {
    problem: {
      code: "hello-malformed",
      text: "the ClientHello is cut short or has more bytes than its lengths say",
    },
  };
  for (let length = 0; length < whole.length; length++) {
    assert.deepStrictEqual(readClientHello(whole.subarray(0, length), "tcp"), problem, `${length} bytes`);
  }
  const withoutExtensions = clientHello();
  const bodyOf = (handshake: Buffer) => handshake.subarray(4);
  const remade: Record<string, Buffer> = {
    "a byte more": Buffer.concat([whole, Buffer.of(0)]),
    "a ServerHello": Buffer.concat([Buffer.of(2), whole.subarray(1)]),
    "a byte more in the body": Buffer.concat([Buffer.of(1), block(3, bodyOf(whole), Buffer.of(0))]),
    "half an extension": Buffer.concat([
      Buffer.of(1),
      block(3, bodyOf(withoutExtensions), block(2, numbers([0]))),
    ]),
    "half a cipher suite": Buffer.concat([
      Buffer.of(1),
      block(
        3,
        number(2, 0x0303),
        Buffer.alloc(32),
        block(1),
        block(2, Buffer.of(1, 2, 3)),
        block(1, Buffer.of(0)),
      ),
    ]),
  };
  for (const [what, bytes] of Object.entries(remade)) {
    assert.deepStrictEqual(readClientHello(bytes, "tcp"), problem, what);
  }
});
