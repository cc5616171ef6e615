import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionRow } from "../../src/protocol/editor.ts";
import {
  bytesBothWays,
  helloSummary,
  isContentOf,
  offeredVersion,
} from "../../webview/live-traffic/connection-facts.ts";
import { connectionRow, exchangeRow } from "./sample-rows.ts";

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

test("connection facts: content is what the same process said between the same addresses meanwhile", () => {
  const row = connectionRow();
  const { pid, connection } = row;
  const content = { pid: pid ?? NaN, connection, startedAt: "2026-01-31T12:00:01.000Z" };
  const others = [
    exchangeRow(content),
    exchangeRow({ ...content, pid: 1 }),
    exchangeRow({ ...content, connection: { ...connection, local: "192.0.2.7:40313" } }),
    exchangeRow({ ...content, startedAt: "2026-01-31T11:59:59.999Z" }),
    exchangeRow({ ...content, startedAt: "2026-01-31T12:00:02.501Z" }),
    connectionRow({ id: "n2" }),
  ];
  assert.deepStrictEqual(
    others.map((other) => isContentOf(other, row)),
    [true, false, false, false, false, false],
  );
  const unknown = { ...connection, local: null };
  for (const change of [{ pid: null }, { connection: unknown }])
    assert.equal(
      isContentOf(exchangeRow({ ...content, ...change, pid: content.pid }), connectionRow(change)),
      false,
    );
});
