// QUIC to a refused name: cut off once its name was read, and only it, and only as long as it is listed.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { largeHello } from "../analyzer/network/hello/hellos.ts";
import { crypto, initial, padding } from "../analyzer/network/hello/quic-client.ts";
import { block } from "./block-run.ts";
import { addresses, openCable, type Namespace } from "./network-rig.ts";
import { skipReason } from "./rig.ts";

const greeting = (name: string) => initial({ frames: [crypto(0, largeHello(name, 500)), padding(550)] });
const data = Buffer.alloc(300, 0x40);

/** Answers each datagram with one of its length. Its port first. */
const server = `
import socket
taker = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
taker.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
taker.bind(("::", 0))
print(taker.getsockname()[1], flush=True)
while True:
    data, client = taker.recvfrom(65536)
    taker.sendto(bytes(len(data)), client)
`;

/** Sends each line of hex from one and the same port, with another socket after "again", and says what came of it. */
const client = `
import socket, sys
def opened(port):
    out = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
    out.bind(("", port))
    out.connect((sys.argv[1], int(sys.argv[2])))
    out.settimeout(0.3)
    return out
out = opened(0)
for line in sys.stdin:
    if line == "again\\n":
        port = out.getsockname()[1]
        out.close()
        out = opened(port)
        continue
    try:
        out.send(bytes.fromhex(line))
        out.recv(65536)
        print("answered", flush=True)
    except OSError:
        print("nothing", flush=True)
`;

function talk(from: Namespace, address: string, port: string) {
  const child = from.start("/usr/bin/python3", "-c", client, address, port);
  const answers = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const say = async (bytes: Buffer) => {
    child.stdin?.write(`${bytes.toString("hex")}\n`);
    return String((await answers.next()).value);
  };
  return {
    say,
    /** Until that comes of it: the verdict is on its way. */
    sayUntil: async (bytes: Buffer, wanted: string) => {
      for (let tries = 0; tries < 30; tries++) if ((await say(bytes)) === wanted) return;
      assert.fail(`it never came to "${wanted}"`);
    },
    again: () => child.stdin?.write("again\n"),
  };
}

for (const [whose, address] of [
  ["a client's", addresses.far.ipv4],
  ["a client's, IPv6", addresses.far.ipv6],
  ["a remote client's", addresses.far.ipv4],
] as const) {
  test(
    `block: QUIC to a listed name is cut off until it is not listed any more, ${whose}`,
    { skip: skipReason("ip", "unshare", "nsenter", "python3"), timeout: 60_000 },
    async (t) => {
      const { near, far } = await openCable(t);
      const serving = far.start("/usr/bin/python3", "-c", server);
      const lines = createInterface({ input: serving.stdout as NodeJS.ReadableStream });
      const port = String((await lines[Symbol.asyncIterator]().next()).value);
      const isClient = whose.startsWith("a client's");
      const blocking = await block(t, isClient ? near : far, "refused.example.com\n");
      const { say, sayUntil, again } = talk(near, address, port);

      await say(greeting("refused.example.com"));
      const [event] = await blocking.blocked(1);
      assert.deepStrictEqual(
        [event?.serverName, event?.direction],
        ["refused.example.com", isClient ? "out" : "in"],
      );
      await sayUntil(data, "nothing");
      assert.equal(await say(data), "nothing");

      writeFileSync(blocking.file, "another.example.com\n");
      await blocking.hears(/^refusing another\.example\.com now$/m);
      await sayUntil(data, "answered");

      if (!isClient) return; // a server does not see that the client's socket is another
      again();
      await say(greeting("another.example.com"));
      await blocking.blocked(2);
      await sayUntil(data, "nothing");
      again();
      assert.equal(await say(greeting("innocent.example.com")), "answered");
      assert.equal(await say(data), "answered");
      assert.equal((await blocking.blocked(2)).length, 2);
    },
  );
}
