// How many records a second reach JavaScript, decoded, with none lost: TLS calls are made as fast as they go, and when
// that is too fast, slower and slower until everything arrives.
import { planFile } from "../src/analyzer/capture/plan.ts";
import { decodeRecords } from "../src/analyzer/capture/records.ts";
import { TracerClient } from "../src/analyzer/capture/tracer-client.ts";
import { Scanner } from "../src/analyzer/scan.ts";
import { callSizes, startCaller, type Caller } from "./calls.ts";
import { mebibytes, perSecond, sizeName } from "./quantities.ts";
import { compare, inTurns, type Row } from "./rounds.ts";
import type { Workplace } from "./workplace.ts";

const ringBytes = 16 * 1024 * 1024;
const rounds = 3;
/** Far more than the ring holds, so that what arrives was read while it was written. */
const bytesPerRound = 256 * 1024 * 1024;
const mostCalls = 150_000;
/** How much slower the next attempt is when something was lost. */
const slower = 0.8;

/** Decoded records of data since the tracer opened. */
interface Decoding {
  client: TracerClient;
  seen(): number;
}

async function openDecoding(workplace: Workplace, pid: number): Promise<Decoding> {
  let seen = 0;
  const client = await TracerClient.start(
    { ringBytes, features: {} },
    {
      records: (batch) => {
        for (const record of decodeRecords(batch).records) if (record.type === "data") seen++;
      },
      losses: () => undefined, // what did not arrive is counted here
      ended: ({ text }) => {
        console.error(`bench: records: ${text}`);
      },
    },
  );
  workplace.atEnd(() => client.close());
  await client.call({ type: "trace", pids: [pid], followChildren: false });
  const scanned = new Scanner().scanProcess(pid);
  const findings = "process" in scanned ? scanned.process.findings : [];
  for (const { file, functions } of findings) {
    if (functions.length === 0) continue;
    const answer = await client.call({
      type: "attach",
      plan: { ...planFile(pid, file, functions, "process"), file: 0 },
    });
    if (answer.type === "failed") throw new Error(answer.reason.text);
  }
  return { client, seen: () => seen };
}

/** Records a second over one run until the last is decoded; null when one is missing. */
async function runOnce(caller: Caller, decoding: Decoding, size: number, calls: number, rate: number) {
  const before = decoding.seen();
  const startedMs = performance.now();
  await caller.round(size, calls, rate);
  await decoding.client.call({ type: "flush" });
  const seconds = (performance.now() - startedMs) / 1000;
  const arrived = decoding.seen() - before;
  return { perSecond: arrived / seconds, whole: arrived === 2 * calls };
}

async function withoutLoss(caller: Caller, decoding: Decoding, size: number, calls: number): Promise<number> {
  let run = await runOnce(caller, decoding, size, calls, 0);
  for (let rate = run.perSecond; !run.whole; rate *= slower) {
    if (rate < 1000) throw new Error("measure records: even a thousand a second are lost");
    run = await runOnce(caller, decoding, size, calls, Math.floor(rate));
  }
  return run.perSecond;
}

export async function measureRecords(workplace: Workplace): Promise<Row[]> {
  const untraced = await startCaller(workplace);
  const traced = await startCaller(workplace);
  const decoding = await openDecoding(workplace, traced.pid);
  const rows: Row[] = [];
  for (const size of callSizes) {
    const calls = Math.min(mostCalls, bytesPerRound / size / 2);
    const rates = await inTurns(rounds, {
      untraced: async () => {
        const { writeNs, readNs } = await untraced.round(size, calls);
        return 2e9 / (writeNs + readNs);
      },
      ours: () => withoutLoss(traced, decoding, size, calls),
    });
    rows.push(
      compare({
        what: `${sizeName(size)} records into JavaScript, none lost`,
        against: "calls untraced",
        baseline: rates.untraced,
        ours: rates.ours,
        show: (rate) => `${perSecond(rate)}, ${mebibytes(rate * size)}/s`,
      }),
    );
  }
  return rows;
}
