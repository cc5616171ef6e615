import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { createSecureContext } from "node:tls";
import { ServedPorts } from "../../../src/analyzer/network/served-ports.ts";
import type { TracerAnswer, TracerRequest } from "../../../src/tracer/messages.ts";

const own = { fingerprint: "AA:BB", context: createSecureContext({}) };
const port = 40_000;
const descriptors = { ipv4: 20, ipv6: 21 };

function open({
  answer = { type: "done" },
  ipv6 = 21,
}: { answer?: TracerAnswer; ipv6?: number | null } = {}) {
  const asked: TracerRequest[] = [];
  const served = new ServedPorts({ port, descriptors: { ...descriptors, ipv6 } }, (request) => {
    asked.push(request);
    return Promise.resolve(answer);
  });
  return { served, asked };
}

/** A port of loopback that somebody listens on, at this address. */
async function listening(t: TestContext, address: string): Promise<number> {
  const server = net.createServer((socket) => socket.destroy()).listen(0, address);
  t.after(() => server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const isIpv6Asked = (asked: TracerRequest[]) =>
  asked.map((request) => request.type === "serve" && request.ipv6);

test("served ports: the kernel is told the port, and by IPv6 too where the server takes IPv4 on loopback", async (t) => {
  const { served, asked } = open();
  const server = { pid: 7, command: "shop", port: await listening(t, "127.0.0.1") };
  assert.equal(await served.add(server, own), null);
  const [request] = asked;
  assert.ok(request?.type === "serve");
  const { ownPorts, ...rest } = request;
  assert.equal(typeof ownPorts, "boolean");
  assert.deepStrictEqual(rest, {
    type: "serve",
    port: server.port,
    ipv6: true,
    pid: process.pid,
    descriptors,
  });
});

test("served ports: what comes by IPv6 is left to a server that is not on 127.0.0.1, and without IPv6 of ours", async (t) => {
  const elsewhere = open();
  await elsewhere.served.add({ pid: 7, command: "shop", port: await listening(t, "127.0.0.2") }, own);
  assert.deepStrictEqual(isIpv6Asked(elsewhere.asked), [false]);
  const without = open({ ipv6: null });
  await without.served.add({ pid: 7, command: "shop", port: await listening(t, "127.0.0.1") }, own);
  assert.deepStrictEqual(isIpv6Asked(without.asked), [false]);
});

test("served ports: what the kernel refuses is the reason", async () => {
  const reason = { code: "EPERM", text: "not permitted" };
  const { served } = open({ answer: { type: "failed", reason } });
  assert.deepStrictEqual(await served.add({ pid: 7, command: "shop", port: 1 }, own), reason);
});

test("served ports: a connection is known by the port at our end, and goes on to the address it was for", async () => {
  const { served } = open();
  await served.add({ pid: 7, command: "shop", port: 8443 }, own);
  const arrival = (localAddress: string, localPort: number) => {
    const found = served.arrival({ localAddress, localPort, remoteAddress: "192.0.2.7" });
    return found && [found.pid, found.command, found.destination.address, found.destination.port, found.own];
  };
  assert.deepStrictEqual(arrival("192.0.2.1", 8443), [7, "shop", "192.0.2.1", 8443, own]);
  assert.deepStrictEqual(arrival("::1", 8443), [7, "shop", "127.0.0.1", 8443, own]);
  assert.equal(arrival("127.0.0.1", 9443), null);
  assert.equal(arrival("127.0.0.1", port), null);
});
