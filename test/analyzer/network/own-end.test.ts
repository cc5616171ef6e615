import assert from "node:assert/strict";
import { test } from "node:test";
import { hasOwnPorts, ownEnds } from "../../../src/analyzer/network/own-end.ts";

for (const [range, expected] of [
  ["32768\t60999\n", true],
  ["1024\t65535\n", false],
  ["32768\t61000\n", false],
  ["", false],
] as const) {
  test(`own end: ephemeral ports of ${JSON.stringify(range)} leave us ${expected ? "ports" : "none"}`, () => {
    assert.equal(hasOwnPorts(range), expected);
  });
}

test("own end: a client of 127.0.0.1 stays one, with a port of ours, while there is one", () => {
  for (const client of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    const ends = ownEnds(client, true);
    assert.deepStrictEqual(ends.pop(), { localAddress: "127.83.0.1" });
    assert.ok(ends.length > 1);
    for (const { localAddress, localPort = 0 } of ends) {
      assert.equal(localAddress, "127.0.0.1");
      assert.ok(localPort >= 61_000 && localPort <= 65_535, `${localPort}`);
    }
  }
});

test("own end: nobody else seems to be on 127.0.0.1, and nobody does where ports are not ours", () => {
  const stranger = [{ localAddress: "127.83.0.1" }];
  for (const client of ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", "127.0.0.2", ""])
    assert.deepStrictEqual(ownEnds(client, true), stranger);
  assert.deepStrictEqual(ownEnds("127.0.0.1", false), stranger);
});
