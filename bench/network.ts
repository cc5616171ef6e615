// What the network path costs: its programs by a packet, run by the kernel over and over (PROG_TEST_RUN) beside programs
// that do nothing, and what is left of loopback's throughput and of new TLS connections while it watches.
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { openHelloSession } from "../src/analyzer/network/hello-session.ts";
import { largeHello, records } from "../test/analyzer/network/hello/hellos.ts";
import { crypto, initial, padding } from "../test/analyzer/network/hello/quic-client.ts";
import { datagram, piece, type Flow } from "../test/kernel/frames.ts";
import { freePort, startNginx } from "./nginx.ts";
import { mebibytes, nanoseconds, perSecond } from "./quantities.ts";
import { compare, inTurns, type Row } from "./rounds.ts";
import { findProgram, type Workplace } from "./workplace.ts";

const run = promisify(execFile);
const rounds = 5;
const roundSeconds = 1;

/** How often a program runs in a round. A hello takes room of the ring, which is read in between. */
const repeats = { packet: 500_000, hello: 2000 };

const programs = [
  ["XDP", "hello_xdp", "empty_xdp"],
  ["tcx", "hello_ingress", "empty_tc"],
] as const;

export async function measureNetwork(workplace: Workplace): Promise<Row[]> {
  return [...(await measurePrograms(workplace)), ...(await measureThroughput(workplace))];
}

const watchLoopback = () =>
  openHelloSession({ interfaces: ["lo"], onEvent: () => undefined, onEnded: () => undefined });

async function measurePrograms(workplace: Workplace): Promise<Row[]> {
  const flow: Flow = { family: 4, clientPort: 40_000, start: 1, tags: [], hasOptions: false };
  const data = Buffer.alloc(1400, "x");
  const quic = initial({ frames: [crypto(0, largeHello("api.example.com", 1100)), padding(20)] });
  const packets = [
    ["1400 bytes of TCP over IPv4", piece(flow, data, 0), repeats.packet],
    ["1400 bytes of TCP over IPv6", piece({ ...flow, family: 6 }, data, 0), repeats.packet],
    ["an acknowledgement", piece(flow, Buffer.alloc(0), 0), repeats.packet],
    ["1400 bytes of UDP over IPv4", datagram(flow, data), repeats.packet],
    ["1400 bytes of UDP over IPv6", datagram({ ...flow, family: 6 }, data), repeats.packet],
    ["a ClientHello of 1.3 KiB", piece(flow, records(largeHello("api.example.com", 1100)), 0), repeats.hello],
    ["the same by QUIC", datagram(flow, quic), repeats.hello],
  ] as const;
  const empty = loadEmpty(workplace);
  const before = new Set(loaded().map(({ id }) => id));
  const session = await watchLoopback();
  try {
    const own = loaded().filter(({ id }) => !before.has(id));
    const rows: Row[] = [];
    for (const [place, name, emptyName] of programs) {
      const program = own.find((one) => one.name === name);
      if (program === undefined) throw new Error(`measure ${name}: the tracer has not loaded it`);
      for (const [what, frame, repeat] of packets) {
        const file = join(workplace.folder, "frame");
        writeFileSync(file, frame);
        const measured = await inTurns(rounds, {
          baseline: () => nanosecondsOf(["pinned", join(empty, emptyName)], file, repeat),
          ours: () => nanosecondsOf(["id", String(program.id)], file, repeat),
        });
        rows.push(
          compare({ what: `${place}: ${what}`, against: "empty program", ...measured, show: nanoseconds }),
        );
      }
    }
    return rows;
  } finally {
    await session.close();
  }
}

const bpftool = (...args: string[]): string =>
  execFileSync(findProgram("bpftool") ?? "bpftool", args, { encoding: "utf8", maxBuffer: 2 ** 26 });

const loaded = () => JSON.parse(bpftool("--json", "prog", "show")) as { id: number; name?: string }[];

function nanosecondsOf(program: string[], frame: string, repeat: number): number {
  const said = bpftool("prog", "run", ...program, "data_in", frame, "repeat", String(repeat));
  const [, average] = /average\): (\d+)ns/.exec(said) ?? [];
  if (average === undefined) throw new Error(`run program ${program.join(" ")}: bpftool said ${said}`);
  return Number(average);
}

/** Gives the folder of a file system of its own, in which the empty programs are by their names. */
function loadEmpty(workplace: Workplace): string {
  const [object, pins] = [join(workplace.folder, "empty.o"), join(workplace.folder, "pins")];
  const source = join(import.meta.dirname, "fixtures/empty.bpf.c");
  const [triplet = ""] = execFileSync("cc", ["-print-multiarch"], { encoding: "utf8" }).split("\n");
  execFileSync("clang", [
    "-O2",
    "-g",
    "-target",
    "bpf",
    `-I/usr/include/${triplet}`,
    "-c",
    "-o",
    object,
    source,
  ]);
  mkdirSync(pins);
  execFileSync("mount", ["-t", "bpf", "plainsight-bench", pins]);
  workplace.atEnd(() => execFileSync("umount", [pins]));
  bpftool("prog", "loadall", object, join(pins, "empty"));
  return join(pins, "empty");
}

async function measureThroughput(workplace: Workplace): Promise<Row[]> {
  const port = await freePort();
  await startNginx(workplace, port);
  const measure = async () => ({ bytes: await loopbackBytes(), connections: await newConnections(port) });
  const measured = await inTurns(rounds, {
    off: measure,
    on: async () => {
      const session = await watchLoopback();
      try {
        return await measure();
      } finally {
        await session.close();
      }
    },
  });
  const values = (of: "bytes" | "connections") => ({
    against: "without",
    remark: "with what the analyzer takes",
    baseline: measured.off.map((one) => one[of]),
    ours: measured.on.map((one) => one[of]),
  });
  return [
    compare({ what: "loopback while it is watched, a second", ...values("bytes"), show: mebibytes }),
    compare({
      what: "new TLS connections while loopback is watched",
      ...values("connections"),
      show: perSecond,
    }),
  ];
}

async function loopbackBytes(): Promise<number> {
  const { stdout } = await run(process.execPath, [
    join(import.meta.dirname, "fixtures/loopback.mjs"),
    String(roundSeconds),
  ]);
  return Number(stdout);
}

/** Each with a whole handshake, a second. */
async function newConnections(port: number): Promise<number> {
  const { stdout } = await run("openssl", [
    ...["s_time", "-connect", `127.0.0.1:${port}`, "-new"],
    ...["-time", String(roundSeconds)],
  ]);
  const [, count, seconds] = /(\d+) connections in (\d+) real seconds/.exec(stdout) ?? [];
  if (count === undefined) throw new Error(`measure connections: openssl s_time said ${stdout.slice(-300)}`);
  return Number(count) / Number(seconds);
}
