// ClientHellos as networks bring them: in pieces, out of order, twice, under tags and options, in the middle of a
// connection, or never whole. Each is told once on each side of the cable, wherever the programs sit.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { clientHello, largeHello, records } from "../analyzer/network/hello/hellos.ts";
import { ends, piece, serverPort, syn, type Flow } from "./frames.ts";
import { isHello, openCable, openNamespace, watchIn, type Namespace, type Watch } from "./network-rig.ts";
import { fixtures, skipReason } from "./rig.ts";

const skip = skipReason("ip", "unshare", "nsenter", "python3");

type Send = (frames: Uint8Array[]) => Promise<void>;

async function openSender(namespace: Namespace, fixture: string, name: string): Promise<Send> {
  const child = namespace.start("/usr/bin/python3", join(fixtures, fixture), name);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  await lines.next();
  return async (frames) => {
    child.stdin?.write(`${frames.map((frame) => Buffer.from(frame).toString("hex")).join(" ")}\n`);
    await lines.next();
  };
}

const name = "segments.example.com";
const hello = records(largeHello(name));
const inRecords = records(largeHello(name), 300);
/** One that fills fifteen segments, as a hello with many key shares may. */
const huge = records(largeHello(name, 15_000));
const greeting = Buffer.from("EHLO client.example.com\r\nSTARTTLS\r\n");

/** The stream cut at these places. */
const cut = (flow: Flow, stream: Uint8Array, ...at: number[]) =>
  [0, ...at].map((from, index) => piece(flow, stream, from, at[index]));
const everyBytes = (stream: Uint8Array, bytes: number) =>
  Array.from({ length: Math.ceil(stream.length / bytes) - 1 }, (_, index) => (index + 1) * bytes);

const plain: Omit<Flow, "clientPort"> = { family: 4, start: 1000, tags: [], hasOptions: false };

const whole: [what: string, frames: (flow: Flow) => Uint8Array[], change?: Partial<Flow>][] = [
  ["in one segment", (flow) => [syn(flow), piece(flow, hello, 0)]],
  ["in three", (flow) => [syn(flow), ...cut(flow, hello, 500, 1000)]],
  ["in three, the last one first", (flow) => [syn(flow), ...cut(flow, hello, 500, 1000).reverse()]],
  ["each of three twice", (flow) => [syn(flow), ...cut(flow, hello, 500, 1000).flatMap((one) => [one, one])]],
  ["with a first segment of one byte", (flow) => [syn(flow), ...cut(flow, hello, 1)]],
  [
    "a byte a segment at first",
    (flow) => [syn(flow), ...cut(flow, hello, ...Array.from({ length: 12 }, (_, i) => i + 1))],
  ],
  [
    "in segments that overlap",
    (flow) => [
      syn(flow),
      ...[
        [0, 600],
        [400, 1000],
        [0, 1000],
        [900, 1200],
        [1000, undefined],
      ].map(([from, to]) => piece(flow, hello, from ?? 0, to)),
    ],
  ],
  ["in fifteen segments", (flow) => [syn(flow), ...cut(flow, huge, ...everyBytes(huge, 1024))]],
  ["in five TLS records, one segment", (flow) => [syn(flow), piece(flow, inRecords, 0)]],
  [
    "in five TLS records, in segments across them",
    (flow) => [syn(flow), ...cut(flow, inRecords, 200, 500, 901)],
  ],
  ["in five TLS records, reversed", (flow) => [syn(flow), ...cut(flow, inRecords, 200, 500, 901).reverse()]],
  ["in the SYN (Fast Open)", (flow) => [syn(flow, hello)]],
  ["begun in the SYN (Fast Open)", (flow) => [syn(flow, hello.subarray(0, 700)), piece(flow, hello, 700)]],
  [
    "after a greeting (STARTTLS)",
    (flow) => {
      const stream = Buffer.concat([greeting, hello]);
      return [syn(flow), ...cut(flow, stream, greeting.length, greeting.length + 900)];
    },
  ],
  ["with its SYN unseen", (flow) => cut(flow, hello, 800)],
  [
    "told again after the client went on",
    (flow) => {
      const stream = Buffer.concat([hello, Buffer.alloc(100, 0x17)]);
      return [syn(flow), ...cut(flow, stream, 800, hello.length), piece(flow, hello, 0)];
    },
  ],
  [
    "where sequence numbers begin anew",
    (flow) => [syn(flow), ...cut(flow, hello, 300, 600)],
    { start: 2 ** 32 - 500 },
  ],
  ["IPv6", (flow) => [syn(flow), ...cut(flow, hello, 900)], { family: 6 }],
  ["under a VLAN tag", (flow) => [syn(flow), ...cut(flow, hello, 900)], { tags: [7] }],
  ["IPv6 under two VLAN tags", (flow) => [syn(flow), ...cut(flow, hello, 900)], { family: 6, tags: [7, 8] }],
  ["with IPv4 and TCP options", (flow) => [syn(flow), ...cut(flow, hello, 900)], { hasOptions: true }],
  [
    "with an IPv6 hop-by-hop header",
    (flow) => [syn(flow), ...cut(flow, hello, 900)],
    { family: 6, hasOptions: true },
  ],
];

const problems: [what: string, frames: (flow: Flow) => Uint8Array[], code: string][] = [
  ["that never becomes whole", (flow) => [syn(flow), piece(flow, hello, 0, 900)], "hello-incomplete"],
  [
    "whose extensions are longer than it",
    (flow) => {
      const bad = Buffer.from(records(clientHello({ extensions: [[0, Buffer.alloc(30, 0xff)]] })));
      bad.writeUInt16BE(0xffff, bad.length - 32);
      return [syn(flow), piece(flow, bad, 0)];
    },
    "hello-malformed",
  ],
  [
    "that goes on and on",
    (flow) => {
      const handshake = Buffer.concat([Buffer.of(1, 0xff, 0xff, 0xff), Buffer.alloc(200_000, 7)]);
      const endless = records(handshake);
      return [syn(flow), ...cut(flow, endless, ...everyBytes(endless, 1400))];
    },
    "hello-too-long",
  ],
];

/** A watch in each place where a hello passes, and what sends. */
async function openRig(t: TestContext): Promise<{ send: Send; watches: Watch[] }> {
  const { near, far } = await openCable(t);
  const watches = await Promise.all([
    watchIn(near, { interfaces: ["pn0"] }),
    watchIn(far, { interfaces: ["pf0"] }),
    watchIn(far, { interfaces: ["pf0"], places: { ingress: "tcx-ingress" } }),
  ]);
  assert.deepStrictEqual(
    watches.map(({ interfaces: [one] }) => [one?.ingress, one?.egress]),
    [
      ["xdp-native", "tcx-egress"],
      ["xdp-native", "tcx-egress"],
      ["tcx-ingress", "tcx-egress"],
    ],
  );
  return { send: await openSender(near, "send-frames.py", "pn0"), watches };
}

const told = (watch: Watch, clientPort: number) =>
  watch
    .hellos()
    .filter(({ connection: { local, remote } }) =>
      [local, remote].some((end) => end?.endsWith(`:${clientPort}`) === true),
    )
    .map(({ direction, pid, serverName, alpn, connection: { local, remote, role }, problem }) => ({
      direction,
      pid,
      role,
      local,
      remote,
      says: problem?.code ?? [serverName, alpn],
    }));

const expected = ({ family, clientPort }: Flow, says: unknown) => {
  const at = (address: string, port: number) =>
    family === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  const [client, server] = [at(ends[family].client, clientPort), at(ends[family].server, serverPort)];
  const common = { pid: null, role: null, says };
  const out = { direction: "out", local: client, remote: server, ...common };
  const come = { direction: "in", local: server, remote: client, ...common };
  return [[out], [come], [come]];
};

test("network: a hello is told once, however its bytes come", { skip, timeout: 60_000 }, async (t) => {
  const { send, watches } = await openRig(t);
  for (const [index, [what, frames, change]] of whole.entries()) {
    await t.test(`network: a hello ${what}`, async () => {
      const flow: Flow = { ...plain, ...change, clientPort: 40_000 + index };
      await send(frames(flow));
      const ofFlow = (watch: Watch) => () => told(watch, flow.clientPort).length > 0;
      await Promise.all(
        watches.map((watch) => watch.seen((event): event is never => isHello(event) && ofFlow(watch)())),
      );
      const says = [name, ["h2", "http/1.1"]];
      assert.deepStrictEqual(
        watches.map((watch) => told(watch, flow.clientPort)),
        expected(flow, says),
      );
    });
  }
  const summaries = await Promise.all(watches.map((watch) => watch.close()));
  assert.deepStrictEqual(
    summaries.map(({ hellos, lost }) => ({ hellos, lost })),
    summaries.map(() => ({ hellos: whole.length, lost: 0 })),
  );
});

test(
  "network: a hello that says nothing is told with the reason, and no noise is one",
  { skip, timeout: 60_000 },
  async (t) => {
    const { send, watches } = await openRig(t);
    const flows = problems.map(([, frames, code], index) => {
      const flow: Flow = { ...plain, clientPort: 50_000 + index };
      return { flow, frames: frames(flow), code };
    });
    for (const { frames } of flows) await send(frames);
    const other: Flow = { ...plain, clientPort: 51_000 };
    const cutShort = Array.from({ length: 54 }, (_, bytes) => piece(other, hello, 0).subarray(0, 1 + bytes));
    const http = Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const noise = Array.from({ length: 200 }, (_, index) => Buffer.alloc(60 + index * 7, index));
    await send([
      ...cutShort,
      syn(other),
      piece(other, http, 0),
      piece(other, Buffer.alloc(1400, 0x17), 0),
      ...noise,
    ]);
    const summaries = await Promise.all(watches.map((watch) => watch.close()));
    assert.deepStrictEqual(
      summaries.map(({ hellos, lost }) => ({ hellos, lost })),
      summaries.map(() => ({ hellos: problems.length, lost: 0 })),
    );
    for (const { flow, code } of flows) {
      assert.deepStrictEqual(
        watches.map((watch) => told(watch, flow.clientPort)),
        expected(flow, code),
      );
    }
  },
);

test("network: a tunnel, whose packets have no Ethernet header", { skip, timeout: 60_000 }, async (t) => {
  const namespace = await openNamespace(t);
  const arrive = await openSender(namespace, "write-packets.py", "tunnel0");
  const watch = await watchIn(namespace);
  assert.deepStrictEqual(
    watch.interfaces.map(({ name, ingress, egress }) => [name, ingress, egress]),
    [
      ["lo", "tcx-ingress", "tcx-egress"],
      ["tunnel0", "tcx-ingress", "tcx-egress"],
    ],
  );
  const leave = await openSender(namespace, "send-frames.py", "tunnel0");
  const flows = [4, 6].map((family): Flow => ({ ...plain, family: family as 4 | 6, clientPort: 40_000 }));
  const packets = flows.flatMap((flow) =>
    [syn(flow), ...cut(flow, hello, 900)].map((frame) => frame.subarray(14)),
  );
  await arrive(packets);
  await watch.seen(isHello, 2);
  // The other way: they pass through this host, so they are told once.
  await leave(packets);
  const summary = await watch.close();
  assert.deepStrictEqual({ hellos: summary.hellos, lost: summary.lost }, { hellos: 2, lost: 0 });
  assert.deepStrictEqual(
    told(watch, 40_000),
    flows.flatMap((flow) => expected(flow, [name, ["h2", "http/1.1"]])[1]),
  );
});
