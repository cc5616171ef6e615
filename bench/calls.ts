// What tracing adds to a call of SSL_write and SSL_read. Three processes run the same calls in turns: one untraced, one
// traced by us, one traced by bpftrace.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { nanoseconds, sizeName } from "./quantities.ts";
import { compare, inTurns, type Row } from "./rounds.ts";
import { bpftraceBytes, traceByBpftrace, traceByUs } from "./tracers.ts";
import { findProgram, LineDialogue, type Workplace } from "./workplace.ts";

export const callSizes = [64, 1024, 16_384];

export interface CallCost {
  writeNs: number;
  readNs: number;
}

/** A process that makes TLS calls when it is told to. */
export interface Caller {
  pid: number;
  /** As many writes and as many reads; `rate` bounds the calls of both kinds a second, 0 is no bound. */
  round(size: number, calls: number, rate?: number): Promise<CallCost>;
}

export async function startCaller(workplace: Workplace): Promise<Caller> {
  const program = join(workplace.folder, "calls");
  const { key, certificate } = workplace.certificate();
  const source = join(import.meta.dirname, "fixtures/calls.c");
  if (!existsSync(program)) {
    const flags = ["-O2", "-Wall", "-Wextra", "-Werror"];
    execFileSync("cc", [...flags, "-o", program, source, "-lssl", "-lcrypto"]);
  }
  const environment = ownLibssl(workplace, program);
  const child = workplace.start(program, [key, certificate], { environment });
  const dialogue = new LineDialogue(child);
  await dialogue.answer();
  return {
    pid: child.pid,
    round: async (size, calls, rate = 0) => {
      const [writeNs, readNs] = (await dialogue.ask(`${size} ${calls} ${rate}`)).split(" ").map(Number);
      if (writeNs === undefined || readNs === undefined) throw new Error("measure calls: half an answer");
      return { writeNs, readNs };
    },
  };
}

/** A copy of the libssl that a program uses, in an environment that makes it use the copy: no probe of another is there. */
export function ownLibssl(workplace: Workplace, program: string): NodeJS.ProcessEnv {
  const linked = execFileSync("ldd", [program], { encoding: "utf8" });
  const [, name, path] = /(libssl\.so\S*) => (\S+)/.exec(linked) ?? [];
  if (name === undefined || path === undefined)
    throw new Error(`copy the libssl of ${program}: it uses none`);
  const folder = mkdtempSync(join(workplace.folder, "libssl-"));
  copyFileSync(path, join(folder, name));
  return { LD_LIBRARY_PATH: folder };
}

/** The libssl that a process has mapped. */
export function libsslOf(pid: number): string {
  const path = /\/\S*libssl\.so\S*/.exec(readFileSync(`/proc/${pid}/maps`, "utf8"))?.[0];
  if (path === undefined) throw new Error(`find libssl in process ${pid}: it is not mapped`);
  return path;
}

const rounds = 11;
/** Few enough that neither side's buffers run full within a round. */
const bytesPerRound = 2 * 1024 * 1024;
const mostCalls = 2000;

export async function measureCalls(workplace: Workplace): Promise<Row[]> {
  const untraced = await startCaller(workplace);
  const ours = await startCaller(workplace);
  const theirs = await startCaller(workplace);
  const session = await traceByUs(workplace, ours.pid);
  const oneLiner = findProgram("bpftrace")
    ? await traceByBpftrace(workplace, theirs.pid, libsslOf(theirs.pid))
    : null;
  if (!oneLiner) console.error("bench: calls: no bpftrace to compare with (apt-get install bpftrace)");

  const rows: Row[] = [];
  for (const size of callSizes) {
    const calls = Math.min(mostCalls, bytesPerRound / size);
    const way = (caller: Caller) => () => caller.round(size, calls);
    const ways = { untraced: way(untraced), ours: way(ours), theirs: way(theirs) };
    await inTurns(1, ways);
    const costs = await inTurns(rounds, ways);
    for (const kind of ["writeNs", "readNs"] as const) {
      const name = `${kind === "writeNs" ? "SSL_write" : "SSL_read"} of ${sizeName(size)}`;
      const ns = (from: CallCost[]) => from.map((cost) => cost[kind]);
      const added = (from: CallCost[]) =>
        from.map((cost, round) => cost[kind] - (costs.untraced[round]?.[kind] ?? 0));
      const show = nanoseconds;
      rows.push(
        compare({
          what: `${name}, added by tracing`,
          against: "the call untraced",
          baseline: ns(costs.untraced),
          ours: added(costs.ours),
          show,
        }),
      );
      if (!oneLiner) continue;
      const against = size > bpftraceBytes ? `bpftrace, ${bpftraceBytes} B of it` : "bpftrace";
      rows.push(
        compare({
          what: `${name}, added by tracing`,
          against,
          baseline: added(costs.theirs),
          ours: added(costs.ours),
          show,
        }),
      );
    }
  }
  const ends = { ours: await session.end(), bpftrace: await oneLiner?.end() };
  for (const [name, end] of Object.entries(ends)) {
    if (end && end.lost > 0)
      console.error(`bench: calls: ${name} lost ${end.lost} records, showed ${end.shown}`);
  }
  return rows;
}
