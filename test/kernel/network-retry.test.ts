// A server that asks for another ClientHello (RFC 8446, 4.1.4) has one connection all the same, with one hello and one
// end, whether the client puts a ChangeCipherSpec between its two hellos or not.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { addresses, isConnection, openCable, watchIn } from "./network-rig.ts";
import { firstLine, makeCertificate, skipReason } from "./rig.ts";

test(
  "network: a connection whose client had to say a second hello is told once, with its end",
  { skip: skipReason("ip", "unshare", "nsenter", "openssl"), timeout: 60_000 },
  async (t) => {
    const { near, far } = await openCable(t);
    const { key, cert } = makeCertificate(t);
    const serving = ["s_server", "-key", key, "-cert", cert, "-accept", "4433", "-groups", "P-521", "-www"];
    await firstLine(far.start("openssl", ...serving));
    const [here, there] = await Promise.all([watchIn(near), watchIn(far)]);
    const ways = [[], ["-no_middlebox"], ["-no_middlebox"]];
    for (const more of ways) {
      const to = ["-connect", `${addresses.far.ipv4}:4433`, "-servername", "retry.example.com"];
      const client = near.start("openssl", "s_client", "-quiet", "-groups", "X25519:P-521", ...to, ...more);
      client.stderr?.resume();
      client.stdout?.resume();
      client.stdin?.write("GET /longer/than/an/alert HTTP/1.0\r\n\r\n");
      await once(client, "close");
    }
    for (const watch of [here, there]) {
      await watch.seen(isConnection, ways.length);
      await watch.close();
      const hellos = watch.hellos().map(({ id, serverName }) => [id, serverName]);
      const ends = watch.connections().map(({ id, state, carriedData }) => [id, state, carriedData]);
      const ids = hellos.map(([id]) => id);
      assert.deepStrictEqual(
        hellos,
        ids.map((id) => [id, "retry.example.com"]),
      );
      assert.deepStrictEqual(
        ends,
        ids.map((id) => [id, "closed", true]),
      );
      assert.equal(new Set(ids).size, ways.length);
    }
  },
);
