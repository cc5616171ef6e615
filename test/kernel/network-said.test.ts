// Which connections had anything to decrypt: the kernel tells data from a handshake that failed, or that was all.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { largeHello, records } from "../analyzer/network/hello/hellos.ts";
import { openNamespace, outputOf, watchIn } from "./network-rig.ts";
import { fixtures, makeCertificate, skipReason } from "./rig.ts";

test(
  "network: of each connection it is told whether its client sent data, as both of its ends see it",
  { skip: skipReason("ip", "unshare", "nsenter", "python3"), timeout: 60_000 },
  async (t) => {
    const { key, cert } = makeCertificate(t);
    const namespace = await openNamespace(t);
    const watch = await watchIn(namespace);
    const hello = records(largeHello("localhost")).toString("hex");
    const client = namespace.start("/usr/bin/python3", join(fixtures, "handshakes.py"), key, cert, hello);
    const lines = (await outputOf(client)).trim().split("\n");
    await watch.close();

    const told = lines.map((line) => {
      const [what = "", port = ""] = line.split("\t");
      const isOf = (end: string | null) => end === `127.0.0.1:${port}`;
      const carried = (direction: "in" | "out") => {
        const ids = watch
          .hellos()
          .filter(({ connection: { local, remote } }) => isOf(direction === "out" ? local : remote))
          .map(({ id }) => id);
        return watch
          .connections()
          .filter(({ id }) => ids.includes(id))
          .map(({ carriedData }) => carriedData);
      };
      return [what, carried("out"), carried("in")];
    });
    assert.equal(told.length, 27);
    assert.deepStrictEqual(
      told,
      lines.map((line) => {
        const [what = ""] = line.split("\t");
        return [what, [what.includes("data")], [what.includes("data")]];
      }),
    );
  },
);
