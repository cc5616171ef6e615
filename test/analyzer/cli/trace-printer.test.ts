import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { tracePrinter } from "../../../src/analyzer/cli/trace-printer.ts";
import type { SummaryEvent, TraceEvent } from "../../../src/protocol/traffic.ts";
import { blocked, connectionEnd, hello } from "./hello-fixtures.ts";

function printed(events: TraceEvent[], options: { json?: boolean; verbose?: boolean } = {}) {
  const text = { out: "", errors: "" };
  const into = (name: keyof typeof text) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        text[name] += chunk.toString();
        done();
      },
    });
  const terminal = { width: 100, colour: false };
  const print = tracePrinter(into("out"), into("errors"), {
    json: false,
    verbose: false,
    terminal,
    ...options,
  });
  for (const event of events) print(event);
  return text;
}

const seen = [hello(), blocked(), connectionEnd()];

test("trace printer: a hello, a refusal and a connection's end are a line each", () => {
  const { out, errors } = printed(seen);
  assert.deepStrictEqual(
    out.split("\n").map((line) => / (TLS|blocked|closed) /.exec(line)?.[1]),
    ["TLS", "blocked", "closed", undefined],
  );
  assert.equal(errors, "");
});

test("trace printer: --verbose tells of each what is known below it", () => {
  const { out } = printed(seen, { verbose: true });
  for (const fact of [/ {4}ja3: 579c/, / {4}rule: \*\.shop/, / {4}interface: eth0/]) assert.match(out, fact);
  assert.equal(out.match(/ {4}remote: 203\.0\.113\.24:443\n/g)?.length, 3);
});

test("trace printer: --json prints the events as they are", () => {
  const { out } = printed(seen, { json: true });
  const lines = out.trimEnd().split("\n");
  assert.deepStrictEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    seen,
  );
});

test("trace printer: tells the end of a process that was spoken of, and of no other", () => {
  const attached = {
    type: "attached" as const,
    pid: 7,
    command: "node",
    stack: "openssl" as const,
    file: "/usr/bin/node",
    functions: ["SSL_read", "SSL_write", "SSL_new"],
  };
  const ends = [7, 8].map((pid) => ({ type: "exited" as const, pid, command: "node" }));
  assert.deepStrictEqual(printed([attached, ...ends]).errors.split("\n"), [
    "node 7: by probes: /usr/bin/node has SSL_read and SSL_write of OpenSSL",
    "node 7 has ended",
    "",
  ]);
  assert.equal(printed(ends, { json: true }).out.split("\n").length, 3);
});

const summaries: [counts: Partial<SummaryEvent>, said: string][] = [
  [{}, "0 exchanges, 0 records lost in 5.0 s\n"],
  [{ exchanges: 12, messages: 2 }, "12 exchanges, 2 messages, 0 records lost in 5.0 s\n"],
  [{ hellos: 7 }, "7 hellos, 0 records lost in 5.0 s\n"],
  [
    { exchanges: 1, hellos: 7, blocked: 2, lost: 3 },
    "1 exchange, 7 hellos, 2 connections blocked, 3 records lost in 5.0 s\n",
  ],
  [{ messages: 1, hellos: 1, lost: 1 }, "1 message, 1 hello, 1 record lost in 5.0 s\n"],
  [{ hellos: 0, blocked: 1 }, "1 connection blocked, 0 records lost in 5.0 s\n"],
];
for (const [counts, said] of summaries) {
  test(`trace printer: the summary of ${JSON.stringify(counts)}`, () => {
    const summary = { type: "summary" as const, exchanges: 0, messages: 0, lost: 0, durationMs: 5000 };
    assert.deepStrictEqual(printed([{ ...summary, ...counts }]), { out: "", errors: said });
  });
}
