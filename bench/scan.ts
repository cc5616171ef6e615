// What a scan takes: one large executable against readelf on the same file, a hundred processes against the mere
// reading of their maps, and the memory of the whole command against a Node that does nothing.
import { execFile, spawnSync } from "node:child_process";
import { copyFileSync, openSync, closeSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Scanner } from "../src/analyzer/scan.ts";
import { everyProcess } from "../src/analyzer/selection.ts";
import { builtFile } from "../src/analyzer/installation.ts";
import { mebibytes, milliseconds } from "./quantities.ts";
import { compare, inTurns, type Row } from "./rounds.ts";
import { LineDialogue, type Workplace } from "./workplace.ts";

const rounds = 7;
/** readelf takes seconds. */
const fileRounds = 3;
const processes = 100;

export async function timed(work: () => unknown): Promise<number> {
  const startedMs = performance.now();
  await work();
  return performance.now() - startedMs;
}

/** Drops a file's pages that no process has mapped from the page cache. */
function forget(path: string): void {
  spawnSync("dd", [`if=${path}`, "iflag=nocache", "count=0"], { stdio: "ignore" });
}

export function readelf(path: string): void {
  const descriptor = openSync("/dev/null", "w");
  const { status } = spawnSync("readelf", ["-Ws", path], { stdio: ["ignore", descriptor, "inherit"] });
  closeSync(descriptor);
  if (status !== 0) throw new Error(`readelf -Ws ${path}: status ${status ?? "unknown"}`);
}

async function measureFile(workplace: Workplace): Promise<Row[]> {
  const copy = join(workplace.folder, "node");
  copyFileSync(process.execPath, copy);
  spawnSync("sync", [copy]);
  const name = `analysis of node (${mebibytes(statSync(copy).size)})`;
  const rows: Row[] = [];
  for (const cache of ["cold", "warm"] as const) {
    const way = (work: () => unknown) => () => {
      if (cache === "cold") forget(copy);
      return timed(work);
    };
    const times = await inTurns(fileRounds, {
      readelf: way(() => {
        readelf(copy);
      }),
      ours: way(() => new Scanner().analyseFile(copy)),
    });
    rows.push(
      compare({
        what: `${name}, file cache ${cache}`,
        against: "readelf -Ws",
        baseline: times.readelf,
        ours: times.ours,
        show: milliseconds,
      }),
    );
  }
  return rows;
}

/**
 * Peak memory in bytes of a Node process. Not what getrusage(2) says, which begins with the peak of the process that
 * forked it.
 */
async function peakMemory(args: string[]): Promise<number> {
  const report = `import { readFileSync } from "node:fs";
    process.on("exit", () => process.stderr.write(readFileSync("/proc/self/status")));`;
  const preload = ["--import", `data:text/javascript,${encodeURIComponent(report)}`];
  const options = { maxBuffer: 64 * 1024 * 1024 };
  const { stderr } = await promisify(execFile)(process.execPath, [...preload, ...args], options);
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(stderr)?.[1];
  if (kibibytes === undefined) throw new Error("measure memory: the process did not tell");
  return Number(kibibytes) * 1024;
}

export async function compareMemory(what: string, pids: number[]): Promise<Row> {
  const chosen = pids.flatMap((pid) => ["--pid", String(pid)]);
  const peaks = await inTurns(3, {
    bare: () => peakMemory(["--eval", "0"]),
    ours: () => peakMemory([builtFile("cli.js"), "scan", "--json", ...chosen]),
  });
  return compare({ what, against: "node -e 0", baseline: peaks.bare, ours: peaks.ours, show: mebibytes });
}

/** Processes that have loaded libssl and wait. They end when their standard input does. */
const forker = `
import os, ssl, sys
for _ in range(${processes}):
    pid = os.fork()
    if pid == 0:
        sys.stdin.buffer.raw.read()
        os._exit(0)
    print(pid, end=" ")
print(flush=True)
sys.stdin.buffer.raw.read()
`;

async function measureProcesses(workplace: Workplace): Promise<Row[]> {
  const parent = workplace.start("python3", ["-c", forker]);
  workplace.atEnd(() => parent.stdin.end());
  const pids = (await new LineDialogue(parent).answer()).trim().split(" ").map(Number);
  const selection = { ...everyProcess, pids };
  const known = new Scanner();
  known.scan(selection);
  const times = await inTurns(rounds, {
    maps: () =>
      timed(() => {
        for (const pid of pids) readFileSync(`/proc/${pid}/maps`);
      }),
    first: () =>
      timed(() => {
        const fresh = new Scanner();
        const { summary } = fresh.scan(selection).report;
        if (summary.traceable !== processes) throw new Error("scan: not every process was found traceable");
      }),
    again: () => timed(() => known.scan(selection)),
  });
  const row = (what: string, ours: number[]) =>
    compare({ what, against: "reading their maps", baseline: times.maps, ours, show: milliseconds });
  return [
    row(`first scan of ${processes} processes`, times.first),
    row(`next scan of ${processes} processes`, times.again),
    await compareMemory(`peak memory of scanning ${processes} processes`, pids),
  ];
}

export async function measureScan(workplace: Workplace): Promise<Row[]> {
  return [
    ...(await measureFile(workplace)),
    await compareMemory("peak memory of scanning a node process", [process.pid]),
    ...(await measureProcesses(workplace)),
  ];
}
