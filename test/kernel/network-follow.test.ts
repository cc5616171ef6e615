// Interfaces that come up, are made or go while the network is watched: containers bring theirs, tunnels begin and end.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { largeHello, records } from "../analyzer/network/hello/hellos.ts";
import { block } from "./block-run.ts";
import {
  isHello,
  openCable,
  openNamespace,
  startCounting,
  watchIn,
  type CountingServer,
  type Namespace,
} from "./network-rig.ts";
import { fixtures, gone, makeCertificate, skipReason, tracerOf } from "./rig.ts";

const skip = skipReason("ip", "tc", "unshare", "nsenter", "python3", "openssl");

/** A second cable; `up` is for the near end to do. */
function lay(near: Namespace, far: Namespace, name = "pn1"): void {
  near.run("ip", ..."link add".split(" "), name, ...`type veth peer name pf1 netns ${far.holder}`.split(" "));
  near.run("ip", "address", "add", "10.84.0.1/24", "dev", name);
  far.run("ip", "address", "add", "10.84.0.2/24", "dev", "pf1");
  far.run("ip", "link", "set", "pf1", "up");
}

/** Whether the server had all of a hello with this name. */
async function say(near: Namespace, server: CountingServer, name: string): Promise<boolean> {
  const hello = records(largeHello(name));
  const program = join(fixtures, "say-pieces.py");
  near.run("/usr/bin/python3", program, "10.84.0.2", server.port, hello.toString("hex"));
  return (await server.next()).received === hello.length;
}

test("network: an interface that comes up, is renamed or goes is followed", { skip }, async (t) => {
  const { near, far } = await openCable(t);
  const server = await startCounting(far, makeCertificate(t));
  const watch = await watchIn(near);
  const names = () => watch.interfaces.map(({ name }) => name);
  assert.deepStrictEqual(names(), ["lo", "pn0"]);
  for (const round of [1, 2]) {
    lay(near, far);
    near.run("ip", "link", "set", "pn1", "up");
    const [come] = (await watch.changes(2 * round - 1)).slice(-1);
    const [added] = come?.added ?? [];
    assert.deepStrictEqual(
      [come?.gone, come?.missing, come?.added.length, added?.name, added?.ingress, added?.egress],
      [[], [], 1, "pn1", "xdp-native", "tcx-egress"],
    );
    assert.ok(await say(near, server, "later.example.com"));
    const hellos = await watch.seen(isHello, round);
    assert.equal(hellos.at(-1)?.interface, "pn1");
    near.run("ip", "link", "delete", "pn1");
    const [went] = (await watch.changes(2 * round)).slice(-1);
    assert.deepStrictEqual([went?.added, went?.gone.map(({ name }) => name)], [[], ["pn1"]]);
  }
  near.run("ip", "link", "set", "pn0", "down");
  near.run("ip", "link", "set", "pn0", "name", "wan0");
  const [renamed] = (await watch.changes(5)).slice(-1);
  assert.deepStrictEqual([renamed?.gone, renamed?.added.map(({ name }) => name)], [[], ["wan0"]]);
  await watch.close();
});

test("network: an interface by name is watched again when it comes again", { skip }, async (t) => {
  const { near, far } = await openCable(t);
  lay(near, far);
  near.run("ip", "link", "set", "pn1", "up");
  const watch = await watchIn(near, { interfaces: ["pn1"] });
  near.run("ip", "link", "delete", "pn1");
  await watch.changes(1);
  lay(near, far, "other");
  near.run("ip", "link", "set", "other", "up");
  near.run("ip", "link", "set", "pn0", "down");
  near.run("ip", "link", "set", "pn0", "name", "pn1");
  near.run("ip", "link", "set", "pn1", "up");
  const [, come] = await watch.changes(2);
  assert.deepStrictEqual([come?.gone, come?.missing, come?.added.map(({ name }) => name)], [[], [], ["pn1"]]);
  await watch.close();
});

test(
  "network: an interface that is named twice has one place, which goes with the tracer",
  { skip },
  async (t) => {
    const near = await openNamespace(t);
    const filters = () => near.run("tc", "filter", "show", "dev", "lo", "egress");
    const watch = await watchIn(near, { interfaces: ["lo", "lo"] });
    assert.deepStrictEqual(
      watch.interfaces.map(({ name, ingress, egress }) => [name, ingress, egress]),
      [["lo", "tcx-ingress", "tcx-egress"]],
    );
    assert.equal(filters(), "");
    const tracer = tracerOf(watch.child.pid);
    process.kill(tracer, "SIGKILL");
    await gone(tracer);
    assert.equal(filters(), "");
  },
);

test("block: an interface that comes up later lets no refused name pass", { skip }, async (t) => {
  const { near, far } = await openCable(t);
  const server = await startCounting(far, makeCertificate(t));
  const blocking = await block(t, near, "refused.example.com\n");
  lay(near, far);
  near.run("ip", "link", "set", "pn1", "up");
  await blocking.hears(/^watching pn1 \(xdp-native, tcx-egress\), too$/m);
  assert.equal(await say(near, server, "refused.example.com"), false);
  assert.ok(await say(near, server, "other.example.com"));
  near.run("ip", "link", "delete", "pn1");
  await blocking.hears(/^pn1 is gone$/m);
});
