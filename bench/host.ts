// What a scan of a whole host takes: 500 processes over 60 distinct programs, the largest that this machine has, against
// readelf over the same files and against the mere reading of the processes' maps; memory; and what watching costs.
import { closeSync, openSync, readdirSync, readFileSync, readSync, realpathSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createProtocolConnection } from "vscode-languageserver/node";
import { StreamMessageReader, StreamMessageWriter } from "vscode-languageserver-protocol/node";
import { builtFile } from "../src/analyzer/installation.ts";
import { HostChanges } from "../src/analyzer/processes/host-changes.ts";
import { Scanner } from "../src/analyzer/scan.ts";
import { everyProcess } from "../src/analyzer/selection.ts";
import * as editor from "../src/protocol/editor.ts";
import { mebibytes, milliseconds } from "./quantities.ts";
import { compare, inTurns, type Row } from "./rounds.ts";
import { compareMemory, readelf, timed } from "./scan.ts";
import { LineDialogue, type Workplace } from "./workplace.ts";

const processes = 500;
const distinct = 60;
const rounds = 3;
const watchMs = 40_000;

/**
 * Holds a process of each program just after it was executed, by ptrace(2), so that it is mapped and does nothing. They
 * end with this one, however it ends.
 */
const holder = `
import ctypes, os, signal, sys
libc = ctypes.CDLL(None)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
SETOPTIONS, EXITKILL = 0x4200, 0x100000
programs, count = sys.argv[2:], int(sys.argv[1])
held = []
for index in range(count):
    pid = os.fork()
    if pid == 0:
        libc.ptrace(0, 0, 0, 0)
        try:
            os.execv(programs[index % len(programs)], ["held"])
        finally:
            os._exit(1)
    if os.WIFSTOPPED(os.waitpid(pid, 0)[1]):
        libc.ptrace(SETOPTIONS, pid, 0, EXITKILL)
        held.append(pid)
print(*held, flush=True)
sys.stdin.read()
for pid in held:
    os.kill(pid, signal.SIGKILL)
`;

function isElf(path: string): boolean {
  const magic = Buffer.alloc(4);
  const descriptor = openSync(path, "r");
  try {
    return readSync(descriptor, magic, 0, 4, 0) === 4 && magic.toString("latin1") === "\u007fELF";
  } finally {
    closeSync(descriptor);
  }
}

/** Executables of this machine, the largest first, each file once. */
function largestPrograms(): string[] {
  const folders = ["/usr/bin", "/usr/sbin", "/usr/lib/chromium", "/usr/lib/gcc/x86_64-linux-gnu/12"];
  const bySize = new Map([[realpathSync(process.execPath), statSync(process.execPath).size]]);
  for (const folder of folders) {
    for (const name of readable(folder)) {
      try {
        const path = realpathSync(join(folder, name));
        const { mode, size } = statSync(path);
        if ((mode & 0o111) !== 0 && !basename(path).includes(".so") && isElf(path)) bySize.set(path, size);
      } catch {
        // A link to nowhere, or a file that may not be read.
      }
    }
  }
  return [...bySize]
    .sort(([, a], [, b]) => b - a)
    .slice(0, distinct)
    .map(([path]) => path);
}

function readable(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Percent of one core that the language server takes while an editor looks at this host, idle or not. */
async function watchingCost(workplace: Workplace): Promise<number> {
  const server = workplace.start(process.execPath, [builtFile("cli.js"), "lsp"]);
  const client = createProtocolConnection(
    new StreamMessageReader(server.stdout),
    new StreamMessageWriter(server.stdin),
  );
  client.listen();
  await client.sendRequest("initialize", { processId: null, rootUri: null, capabilities: {} });
  await client.sendNotification("initialized", {});
  await client.sendRequest(editor.scanRequest, {});
  await client.sendNotification(editor.watchCoverageNotification, { isWatching: true });
  const before = processorMs(server.pid);
  await sleep(watchMs);
  const spent = processorMs(server.pid) - before;
  await client.sendRequest("shutdown");
  await client.sendNotification("exit");
  client.dispose();
  return (spent / watchMs) * 100;
}

/** Time in user and kernel (proc_pid_stat(5), fields 14 and 15), in ticks of 10 ms. */
function processorMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

export async function measureHost(workplace: Workplace): Promise<Row[]> {
  const programs = largestPrograms();
  const largest = mebibytes(Math.max(...programs.map((path) => statSync(path).size)));
  const parent = workplace.start("python3", ["-c", holder, String(processes), ...programs]);
  workplace.atEnd(() => parent.stdin.end());
  const pids = (await new LineDialogue(parent).answer()).trim().split(" ").map(Number);
  const selection = { ...everyProcess, pids };
  const known = new Scanner();
  known.scan(selection);
  const changes = new HostChanges();
  changes.look();
  const times = await inTurns(rounds, {
    readelf: () =>
      timed(() => {
        for (const path of programs) readelf(path);
      }),
    first: () => timed(() => new Scanner().scan(selection)),
    maps: () =>
      timed(() => {
        for (const pid of pids) readFileSync(`/proc/${pid}/maps`);
      }),
    again: () => timed(() => known.scan(selection)),
    look: () => timed(() => changes.look()),
  });
  const each = (times.again.reduce((sum, time) => sum + time, 0) / rounds / processes).toFixed(3);
  const what = `${processes} processes of ${programs.length} programs`;
  const idle = await watchingCost(workplace);
  return [
    compare({
      what: `first scan of ${what}`,
      ...{
        against: "readelf -Ws of the files",
        baseline: times.readelf,
        ours: times.first,
        show: milliseconds,
      },
    }),
    compare({
      what: `next scan of ${what}`,
      ...{ against: "reading their maps", baseline: times.maps, ours: times.again, show: milliseconds },
      remark: `${each} ms a process`,
    }),
    compare({
      what: `look for changes among ${what}`,
      ...{ against: "reading their maps", baseline: times.maps, ours: times.look, show: milliseconds },
      remark: "all processes of the host, every 5 s while an editor looks",
    }),
    await compareMemory(`peak memory of scanning ${what}, the largest of ${largest}`, pids),
    compare({
      what: `watching ${what}`,
      ...{ against: "of one core", baseline: [100], ours: [idle], show: (value) => `${value.toFixed(2)} %` },
    }),
  ];
}
