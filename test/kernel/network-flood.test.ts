// Many connections, fast: none is lost and none is told twice. PLAINSIGHT_FLOOD says how many; without it they have a hundred
// thousand hellos, one at each end.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import type { SummaryEvent } from "../../src/protocol/traffic.ts";
import { largeHello, records } from "../analyzer/network/hello/hellos.ts";
import { openNamespace, watchIn, type Watch } from "./network-rig.ts";
import { fixtures, makeCertificate, skipReason } from "./rig.ts";

const skip = skipReason("ip", "unshare", "nsenter", "cc");
const count = Number(process.env.PLAINSIGHT_FLOOD ?? 50_000);
const perSecond = 1500;

interface Flood {
  summary: SummaryEvent;
  watch: Watch;
  /** Of the two processes at once that had half of the connections each. */
  pids: number[];
  helloBytes: number;
}

async function flood(t: TestContext, connections: number, rate: number): Promise<Flood> {
  const program = join(dirname(makeCertificate(t).key), "hello-flood");
  execFileSync("cc", ["-O2", "-o", program, join(fixtures, "hello-flood.c")], { stdio: "inherit" });
  const namespace = await openNamespace(t);
  const watch = await watchIn(namespace);
  const hello = records(largeHello("00000000.example.com", 300));
  const at = String(hello.indexOf("00000000.example"));
  const args = [connections / 2, rate / 2, hello.toString("hex"), at].map(String);
  const children = [namespace.start(program, ...args), namespace.start(program, ...args)];
  const statuses = await Promise.all(
    children.map(async (child) => ((await once(child, "close")) as [number])[0]),
  );
  assert.deepStrictEqual(statuses, [0, 0]);
  return {
    summary: await watch.close(),
    watch,
    pids: children.map(({ pid }) => pid),
    helloBytes: hello.length,
  };
}

/** How often each was told. */
const tally = (what: string[]) => {
  const counts = new Map<string, number>();
  for (const one of what) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
};

const hellosOf = ({ watch }: Flood) =>
  tally(watch.hellos().map(({ direction, pid, serverName }) => [direction, pid, serverName].join(" ")));
const carriedBy = ({ watch }: Flood) =>
  tally(
    watch
      .connections()
      .map(({ connection: { role, serverName }, pid, bytesOut, bytesIn, state }) =>
        [role, pid, serverName, bytesOut, bytesIn, state].join(" "),
      ),
  );

test(
  `network: ${count} connections, nothing lost, nothing told twice`,
  { skip, timeout: 300_000 },
  async (t) => {
    const flooded = await flood(t, count, perSecond);
    const { summary, pids, helloBytes } = flooded;
    assert.deepStrictEqual({ lost: summary.lost, hellos: summary.hellos }, { lost: 0, hellos: 2 * count });
    const [told, carried] = [hellosOf(flooded), carriedBy(flooded)];
    let wrong = 0;
    for (let i = 0; i < count; i++) {
      const name = `${String(Math.floor(i / 2)).padStart(8, "0")}.example.com`;
      const pid = pids[i % 2];
      const times = [
        told.get(`out ${pid} ${name}`),
        told.get(`in ${pid} ${name}`),
        carried.get(`client ${pid} ${name} ${helloBytes} 0 closed`),
        carried.get(`server ${pid} ${name} 0 ${helloBytes} closed`),
      ];
      if (times.some((one) => one !== 1)) wrong++;
    }
    assert.deepStrictEqual(
      { wrong, told: told.size, carried: carried.size },
      { wrong: 0, told: 2 * count, carried: 2 * count },
    );
  },
);

test(
  "network: more than can be read is counted as lost, and nothing told twice",
  { skip, timeout: 120_000 },
  async (t) => {
    const connections = 30_000;
    const flooded = await flood(t, connections, 1_000_000);
    const { hellos = 0, lost } = flooded.summary;
    assert.ok(hellos + lost >= 2 * connections, `${hellos} told and ${lost} lost of ${2 * connections}`);
    const twice = [...hellosOf(flooded)].filter(([, times]) => times !== 1);
    assert.deepStrictEqual(twice, []);
  },
);
