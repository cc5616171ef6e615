import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionRow } from "../../src/protocol/editor.ts";
import {
  bytesBothWays,
  helloSummary,
  isContentOf,
  offeredVersion,
} from "../../webview/live-traffic/connection-facts.ts";
import { connectionRow, exchangeRow, messageRow } from "./sample-rows.ts";

const summaries: [change: Partial<ConnectionRow>, summary: string | null][] = [
  [{}, "h2 · TLS 1.3 · t13d1516h2_8daaf6152771_b186095e22b6"],
  [{ encryptedClientHello: true, ja4: null }, "h2 · TLS 1.3 · ECH"],
  [{ alpn: [], versions: ["1.1", "1.0"], ja4: null }, "TLS 1.1"],
  [{ alpn: null, versions: null, encryptedClientHello: null, ja4: null }, null],
];
for (const [change, summary] of summaries) {
  test(`connection facts: in one line ${summary ?? "nothing"}`, () => {
    assert.equal(helloSummary(connectionRow(change)), summary);
  });
}

test("connection facts: the highest version counts, and one that is not known as it is", () => {
  const offered = [["1.0", "1.2"], ["0x7f1c"], []].map((versions) =>
    offeredVersion(connectionRow({ versions })),
  );
  assert.deepStrictEqual(offered, ["1.2", "0x7f1c", null]);
});

test("connection facts: bytes of both directions, or of the one that is known", () => {
  const known = [{}, { bytesOut: null }, { bytesOut: null, bytesIn: null }].map((change) =>
    bytesBothWays(connectionRow(change)),
  );
  assert.deepStrictEqual(known, [21_000, 20_000, null]);
});

test("connection facts: content is what has this hello, or what the connection's end names", () => {
  const row = connectionRow({ id: "n1", decrypted: "c2" });
  const { connection } = exchangeRow();
  const others = [
    exchangeRow({ connection: { ...connection, hello: "n1" } }),
    messageRow({ connection: { ...connection, id: "c2" } }),
    exchangeRow({ connection: { ...connection, hello: "n2" } }),
    exchangeRow(),
    connectionRow({ id: "n2", connection: { ...connection, id: "c2" } }),
  ];
  assert.deepStrictEqual(
    others.map((other) => isContentOf(other, row)),
    [true, true, false, false, false],
  );
  assert.equal(isContentOf(exchangeRow(), connectionRow()), false);
});
