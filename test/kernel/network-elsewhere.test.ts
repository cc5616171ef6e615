// Connections whose sockets are late or elsewhere: a server that is woken by data alone, and the two ends of a
// connection that only passes through the namespace that is watched, as a container's does.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { isConnection, isHello, openNamespace, outputOf, startCounting, watchIn } from "./network-rig.ts";
import { childrenOf, makeCertificate, skipReason } from "./rig.ts";

const skip = skipReason("ip", "unshare", "nsenter", "python3", "curl");

test(
  "network: the hello that establishes a deferred server's connection is its worker's",
  { skip: skip || skipReason("nginx") },
  async (t) => {
    const namespace = await openNamespace(t);
    const { key, cert } = makeCertificate(t);
    const configuration = join(dirname(key), "nginx.conf");
    writeFileSync(
      configuration,
      `daemon off; worker_processes 1; pid ${dirname(key)}/nginx.pid; error_log /dev/null; events {}
    http { access_log off; server { listen 127.0.0.1:8443 ssl deferred; ssl_certificate ${cert};
      ssl_certificate_key ${key}; location / { return 200 ok; } } }`,
    );
    const master = namespace.start("nginx", "-c", configuration, "-e", "/dev/null");
    const watch = await watchIn(namespace, { interfaces: ["lo"] });
    namespace.run("curl", "-sk", "--retry-connrefused", "--retry", "9", "https://127.0.0.1:8443/");
    const isServers = (event: Parameters<typeof isHello>[0]) => isHello(event) && event.direction === "in";
    const [hello] = (await watch.seen(isHello, 2)).filter(isServers);
    assert.deepStrictEqual([hello?.command, hello?.connection.role], ["nginx", "server"]);
    assert.ok(childrenOf(master.pid).includes(hello?.pid ?? 0));
    const ends = await watch.seen(isConnection, 2);
    assert.deepStrictEqual(new Set(ends.map(({ id }) => id)), new Set(watch.hellos().map(({ id }) => id)));
    assert.ok(ends.every(({ state, bytesIn }) => state === "closed" && (bytesIn ?? 0) > 0));
  },
);

test(
  "network: what passes through is told of the ends that are on this host, each once",
  { skip },
  async (t) => {
    const [client, router, server] = await Promise.all([
      openNamespace(t),
      openNamespace(t),
      openNamespace(t),
    ]);
    router.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
    for (const [index, end] of [client, server].entries()) {
      const subnet = `10.84.${index}`;
      router.run("ip", ...`link add pr${index} type veth peer name pe0 netns ${end.holder}`.split(" "));
      router.run("ip", "address", "add", `${subnet}.1/24`, "dev", `pr${index}`);
      router.run("ip", "link", "set", `pr${index}`, "up");
      end.run("ip", "address", "add", `${subnet}.2/24`, "dev", "pe0");
      end.run("ip", "link", "set", "pe0", "up");
      end.run("ip", "route", "add", "default", "via", `${subnet}.1`);
    }
    const counting = await startCounting(server, makeCertificate(t));
    const watch = await watchIn(router, { interfaces: ["pr0", "pr1"] });
    const url = `https://10.84.1.2:${counting.port}/100`;
    const asking = client.start("curl", "-sk", "--noproxy", "*", "-H", "connection: close", url);
    await outputOf(asking);
    await watch.seen(isConnection, 2);
    await watch.close();
    const told = watch.hellos().map(({ direction, pid, connection }) => [direction, pid, connection.remote]);
    assert.deepStrictEqual(
      told.sort(([a], [b]) => String(a).localeCompare(String(b))),
      [
        ["in", counting.pid, watch.hellos().find(({ direction }) => direction === "out")?.connection.local],
        ["out", asking.pid, `10.84.1.2:${counting.port}`],
      ],
    );
  },
);
