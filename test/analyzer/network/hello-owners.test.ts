import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { HelloOwners } from "../../../src/analyzer/network/hello-owners.ts";
import { ProcessTable } from "../../../src/analyzer/processes/process-table.ts";

const table = new ProcessTable();
const ends = { local: "127.0.0.1:4000", remote: "127.0.0.1:443" } as const;
const gone = 2 ** 22 + 1; // above the largest pid that Linux gives

test("hello owners: QUIC is looked for among datagram sockets", () => {
  const asked: unknown[] = [];
  const owners = new HelloOwners(table, (...args) => {
    asked.push(args);
    return 7;
  });
  for (const transport of ["tcp", "quic"] as const) assert.equal(owners.ownerOf({ ...ends, transport }), 7);
  assert.deepStrictEqual(asked, [
    [ends.local, ends.remote, "tcp"],
    [ends.local, ends.remote, "udp"],
  ]);
});

test("hello owners: of a flood so many are looked up in a second, and the rest have no known owner", () => {
  const second = () => Math.floor(performance.now() / 1000);
  let found: (number | null)[];
  let began: number;
  do {
    began = second();
    const owners = new HelloOwners(table, () => 7);
    found = Array.from({ length: 50 }, () => owners.ownerOf({ ...ends, transport: "tcp" }));
  } while (second() !== began);
  assert.deepStrictEqual(found, [...Array<number>(20).fill(7), ...Array<null>(30).fill(null)]);
});

test("hello owners: a process has its name, one that has gone its thread's", () => {
  const owners = new HelloOwners(table);
  const name = readFileSync("/proc/self/comm", "utf8").trim();
  assert.equal(owners.commandOf(process.pid, "worker"), name);
  assert.equal(owners.commandOf(gone, "worker"), "worker");
});

test("hello owners: a process is looked at once until what is known is forgotten", () => {
  class Counting extends ProcessTable {
    looks = 0;
    override identify(pid: number): ReturnType<ProcessTable["identify"]> {
      this.looks++;
      return super.identify(pid);
    }
  }
  const counting = new Counting();
  const owners = new HelloOwners(counting);
  for (let times = 0; times < 3; times++) owners.commandOf(process.pid, "worker");
  assert.equal(counting.looks, 1);
  owners.forget();
  owners.commandOf(process.pid, "worker");
  assert.equal(counting.looks, 2);
});
