import assert from "node:assert/strict";
import { test } from "node:test";
import { Attachments } from "../../../src/analyzer/capture/attachments.ts";
import { AwaitedFiles } from "../../../src/analyzer/capture/awaited-files.ts";
import { TracedProcesses } from "../../../src/analyzer/capture/traced-processes.ts";
import { ProcessTable } from "../../../src/analyzer/processes/process-table.ts";
import { Scanner } from "../../../src/analyzer/scan.ts";
import type { TraceEvent } from "../../../src/protocol/traffic.ts";
import type { TracerAnswer, TracerRequest } from "../../../src/tracer/messages.ts";

// The process that is looked at is this one: Node, with the TLS that it has.
const self = process.pid;
const child = 2 ** 22 + 1; // above the largest pid that Linux gives

const offered = { available: true } as const;
const missing = { available: false, reason: "not here" } as const;

class CountingScanner extends Scanner {
  scans = 0;
  override scanProcess(pid: number): ReturnType<Scanner["scanProcess"]> {
    this.scans++;
    return super.scanProcess(pid);
  }
}

interface Rig {
  processes: TracedProcesses;
  scanner: CountingScanner;
  /** Type of each request, with the scope of what is attached. */
  asked: string[];
  told: TraceEvent[];
  uncovered: number[];
  settled: number[];
}

const attached: TracerAnswer = { type: "attached", attachments: [1] };

function rig({
  uprobe = true,
  answer = () => Promise.resolve(attached),
}: {
  uprobe?: boolean;
  answer?: (request: TracerRequest) => Promise<TracerAnswer>;
}): Rig {
  const paths = { uprobe: uprobe ? offered : missing, agent: missing, mitm: missing, xdp: missing };
  const table = new ProcessTable();
  const host = { hostname: "here", kernel: "6.18.44", arch: "x86_64", paths };
  const scanner = new CountingScanner(table, () => host);
  const [asked, told, uncovered, settled]: [string[], TraceEvent[], number[], number[]] = [[], [], [], []];
  const attachments = new Attachments((request) => {
    asked.push(request.type === "attach" ? `attach ${request.plan.scope}` : request.type);
    return answer(request);
  });
  const processes = new TracedProcesses({
    scanner,
    attachments,
    awaited: new AwaitedFiles(attachments, scanner, table),
    onEvent: (event) => told.push(event),
    onJudged: ({ pid, verdict }) => {
      if (verdict !== "traceable") uncovered.push(pid);
      return Promise.resolve(null);
    },
    onSettled: ({ pid }) => {
      settled.push(pid);
      return Promise.resolve();
    },
  });
  return { processes, scanner, asked, told, uncovered, settled };
}

test("traced processes: one is ready when that is said, and has its program's name after the first look", async () => {
  const { processes, told } = rig({});
  processes.add(self, "before", false);
  assert.deepStrictEqual([processes.ready, processes.pids], [[], [self]]);
  assert.deepStrictEqual(await processes.look(self), []);
  processes.markReady(self);
  const [first] = told;
  assert.ok(first?.type === "attached");
  assert.notEqual(first.command, "before");
  assert.deepStrictEqual(processes.ready, [{ pid: self, command: first.command }]);
});

test("traced processes: what is found is attached and told once, however often it is looked at", async () => {
  const { processes, asked, told } = rig({});
  processes.add(self, "node", false);
  await processes.look(self);
  const before = [asked.length, told.length];
  await processes.look(self);
  assert.ok(told.length > 0);
  assert.deepStrictEqual([asked.length, told.length], before);
});

test("traced processes: a look that is wanted while one is under way follows it", async () => {
  const { processes, scanner } = rig({});
  processes.add(self, "node", false);
  const first = processes.look(self);
  assert.deepStrictEqual(await Promise.all([processes.look(self), processes.look(self)]), [[], []]);
  assert.equal(scanner.scans, 1);
  await first;
  assert.equal(scanner.scans, 2);
});

test("traced processes: where children are followed, the probes are for every process, and go with the last of these", async () => {
  const { processes, asked } = rig({});
  processes.add(self, "node", true);
  processes.add(child, "child", true);
  await processes.look(self);
  assert.deepStrictEqual(new Set(asked), new Set(["attach file"]));
  asked.length = 0;
  await processes.remove(self);
  assert.deepStrictEqual(asked, []);
  await processes.remove(child);
  assert.deepStrictEqual(asked, ["detach"]);
});

test("traced processes: a child has its parent's name until it is looked at, and is ready at once", () => {
  const { processes } = rig({});
  processes.add(self, "parent", true);
  processes.begin(child, "sh", self);
  assert.deepStrictEqual(processes.ready, [{ pid: child, command: "parent" }]);
});

const ends: { title: string; prepare: (processes: TracedProcesses) => void; told: TraceEvent[] }[] = [
  {
    title: "one that was asked for",
    prepare: (processes) => {
      processes.add(child, "curl", false);
    },
    told: [{ type: "exited", pid: child, command: "curl" }],
  },
  {
    title: "a child that had nothing attached",
    prepare: (processes) => {
      processes.begin(child, "sh", self);
    },
    told: [],
  },
  { title: "one that is not traced", prepare: () => undefined, told: [] },
];
for (const { title, prepare, told: expected } of ends) {
  test(`traced processes: the end of ${title} is ${expected.length > 0 ? "told" : "not told"}`, () => {
    const { processes, told } = rig({});
    prepare(processes);
    processes.end(child);
    assert.deepStrictEqual(told, expected);
    assert.equal(processes.has(child), false);
  });
}

for (const stays of [true, false]) {
  test(`traced processes: what cannot be attached is ${stays ? "told" : "not told of one that has gone meanwhile"}`, async () => {
    const reason = { code: "EPERM", text: "not permitted" };
    let refuse: () => void = () => undefined;
    const refusal = new Promise<TracerAnswer>((resolve) => {
      refuse = () => {
        resolve({ type: "failed", reason });
      };
    });
    const { processes, told } = rig({ answer: () => refusal });
    processes.begin(self, "node", null);
    if (!stays) processes.end(self);
    refuse();
    await new Promise(setImmediate);
    assert.deepStrictEqual(told, stays ? [{ type: "skipped", pid: self, reason }] : []);
  });
}

test("traced processes: what cannot be probed is told once of each program", async () => {
  const { processes, uncovered } = rig({ uprobe: false });
  processes.add(self, "node", false);
  await processes.look(self);
  await processes.look(self);
  assert.deepStrictEqual(uncovered, [self]);
  processes.begin(self, "node", null);
  assert.deepStrictEqual(uncovered, [self, self]);
});

test("traced processes: a program is settled once, when it was looked at and what it has is probed", async () => {
  const { processes, settled, told } = rig({});
  processes.add(self, "node", false);
  const first = processes.settled(self).then(() => told.length);
  await processes.look(self);
  assert.ok((await first) > 0);
  await processes.look(self);
  assert.deepStrictEqual(settled, [self]);
  processes.begin(self, "node", null);
  await processes.settled(self);
  assert.deepStrictEqual(settled, [self, self]);
});

test("traced processes: who waits for a program waits for the next one when that begins meanwhile", async () => {
  const { processes, settled } = rig({});
  processes.add(self, "sh", true);
  const waiting = processes.settled(self).then(() => [...settled]);
  processes.begin(self, "node", null);
  assert.deepStrictEqual(await waiting, [self]);
});

test("traced processes: nobody waits for one that has ended, was never there, or cannot be probed", async () => {
  const { processes } = rig({ answer: () => Promise.reject(new Error("the tracer has gone")) });
  processes.add(child, "curl", true);
  const ended = processes.settled(child);
  processes.end(child);
  await ended;
  await processes.settled(child);
  processes.add(self, "node", true);
  await assert.rejects(processes.look(self), /the tracer has gone/);
  await processes.settled(self);
});
