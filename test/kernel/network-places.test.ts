// Each place where a program can sit on an interface sees the same, and nothing stays there: not after the end, not when
// the tracer or the analyzer is killed.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { InterfacePlace } from "../../native/index.d.ts";
import type { HelloEvent } from "../../src/protocol/traffic.ts";
import {
  addresses,
  isConnection,
  openCable,
  startCounting,
  watchIn,
  type Namespace,
  type Watch,
} from "./network-rig.ts";
import { gone, makeCertificate, skipReason, tracerOf, type Certificate } from "./rig.ts";

const skip = skipReason("ip", "tc", "unshare", "nsenter", "python3", "openssl");

/** A hello of three segments. */
const longHello = [
  "-groups",
  "ffdhe8192:X25519",
  "-alpn",
  Array.from({ length: 20 }, () => "x".repeat(99)).join(","),
];

async function converse(from: Namespace, port: string, { cert }: Certificate): Promise<void> {
  for (const [address, options] of [
    [addresses.far.ipv4, longHello],
    [`[${addresses.far.ipv6}]`, longHello],
    [addresses.far.ipv4, ["-tls1_2"]],
  ] as const) {
    const args = [
      "s_client",
      "-quiet",
      "-verify_quiet",
      "-CAfile",
      cert,
      "-servername",
      "places.example.com",
      "-connect",
    ];
    const client = from.start("openssl", ...args, `${address}:${port}`, ...options);
    client.stdin?.write("GET /30000 HTTP/1.0\r\n\r\n");
    client.stdout?.resume();
    await once(client, "close");
  }
}

const programs = (end: Namespace, name: string) => {
  const filters = (side: string) => end.run("tc", "filter", "show", "dev", name, side).split("\n");
  return {
    xdp: end.run("ip", "link", "show", "dev", name).includes("prog/xdp"),
    filters: [...filters("ingress"), ...filters("egress")].filter((line) => line.includes("hello_")).length,
    qdiscs: end.run("tc", "qdisc", "show", "dev", name).split("clsact").length - 1,
  };
};
const nothing = { xdp: false, filters: 0, qdiscs: 0 };

/** What does not differ from run to run: all but ports, processes and times. */
function shown(watch: Watch) {
  const says = ({ direction, serverName, alpn, versions, ja4, connection, problem }: HelloEvent) => {
    const family = connection.local?.startsWith("[") === true ? 6 : 4;
    return { direction, family, serverName, alpn, versions, ja4, role: connection.role, problem };
  };
  const carried = watch.connections().map(({ state, bytesIn, bytesOut }) => ({ state, bytesIn, bytesOut }));
  return { hellos: watch.hellos().map(says), carried };
}

const places: [ingress: InterfacePlace, egress: InterfacePlace, meanwhile: typeof nothing][] = [
  ["xdp-native", "tcx-egress", { ...nothing, xdp: true }],
  ["xdp-generic", "clsact-egress", { xdp: true, filters: 1, qdiscs: 1 }],
  ["tcx-ingress", "tcx-egress", nothing],
  ["clsact-ingress", "clsact-egress", { xdp: false, filters: 2, qdiscs: 1 }],
];

test(
  "network: every place on an interface sees the same hellos, and is left as it was",
  { skip },
  async (t) => {
    const { near, far } = await openCable(t);
    const certificate = makeCertificate(t);
    const server = await startCounting(far, certificate);
    const seen = [];
    for (const [ingress, egress, meanwhile] of places) {
      const where = { places: { ingress, egress } };
      const [here, there] = await Promise.all([
        watchIn(near, { ...where, interfaces: ["pn0"] }),
        watchIn(far, { ...where, interfaces: ["pf0"] }),
      ]);
      const watched = [here.interfaces, there.interfaces]
        .flat()
        .map((one) => [one.name, one.ingress, one.egress]);
      assert.deepStrictEqual(watched, [
        ["pn0", ingress, egress],
        ["pf0", ingress, egress],
      ]);
      assert.deepStrictEqual([programs(near, "pn0"), programs(far, "pf0")], [meanwhile, meanwhile]);
      await converse(near, server.port, certificate);
      await Promise.all([here.seen(isConnection, 3), there.seen(isConnection, 3)]);
      await Promise.all([here.close(), there.close()]);
      assert.deepStrictEqual([programs(near, "pn0"), programs(far, "pf0")], [nothing, nothing]);
      seen.push([shown(here), shown(there)]);
    }
    const [first] = seen;
    assert.deepStrictEqual(
      first?.map(({ hellos }) =>
        hellos.map(({ direction, family, serverName }) => [direction, family, serverName]),
      ),
      (["out", "in"] as const).map((direction) =>
        [4, 6, 4].map((family) => [direction, family, "places.example.com"]),
      ),
    );
    // Session tickets and key shares are of the same length each time, so the bytes are, too.
    for (const other of seen) assert.deepStrictEqual(other, first);
  },
);

test(
  "network: where XDP cannot be had in the driver, the cheapest other place is taken",
  { skip },
  async (t) => {
    const { near } = await openCable(t);
    const watch = await watchIn(near);
    assert.deepStrictEqual(
      watch.interfaces.map(({ name, ingress, egress }) => [name, ingress, egress]),
      [
        ["lo", "tcx-ingress", "tcx-egress"],
        ["pn0", "xdp-native", "tcx-egress"],
      ],
    );
  },
);

test("network: nothing stays when the tracer or the analyzer is killed", { skip }, async (t) => {
  const { near, far } = await openCable(t);
  const certificate = makeCertificate(t);
  const server = await startCounting(far, certificate);
  for (const victim of ["tracer", "analyzer"] as const) {
    const watch = await watchIn(near);
    assert.ok(programs(near, "pn0").xdp);
    const tracer = tracerOf(watch.child.pid);
    process.kill(victim === "tracer" ? tracer : watch.child.pid, "SIGKILL");
    await gone(tracer);
    assert.deepStrictEqual(programs(near, "pn0"), nothing);
    await converse(near, server.port, certificate);
  }
});

test(
  "network: what a killed tracer left of a clsact filter, the next one takes over",
  { skip },
  async (t) => {
    const { near } = await openCable(t);
    const options = {
      interfaces: ["pn0"],
      places: { ingress: "clsact-ingress", egress: "clsact-egress" },
    } as const;
    const killed = await watchIn(near, options);
    const tracer = tracerOf(killed.child.pid);
    process.kill(tracer, "SIGKILL");
    await gone(tracer);
    assert.equal(programs(near, "pn0").filters, 2);
    const next = await watchIn(near, options);
    assert.equal(programs(near, "pn0").filters, 2);
    await next.close();
    assert.equal(programs(near, "pn0").filters, 0);
  },
);

test("network: a clsact qdisc and a filter of somebody else's stay", { skip }, async (t) => {
  const { near } = await openCable(t);
  near.run("tc", "qdisc", "add", "dev", "pn0", "clsact");
  const before = near.run("tc", "qdisc", "show", "dev", "pn0");
  const watch = await watchIn(near, {
    interfaces: ["pn0"],
    places: { ingress: "clsact-ingress", egress: "clsact-egress" },
  });
  assert.equal(programs(near, "pn0").filters, 2);
  await watch.close();
  assert.equal(near.run("tc", "qdisc", "show", "dev", "pn0"), before);
});
