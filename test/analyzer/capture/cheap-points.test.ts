// Functions assembled by hand, each with one thing that makes a cheap probe right or wrong.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cheapPoints } from "../../../src/analyzer/capture/cheap-points.ts";
import { planPoints } from "../../../src/analyzer/capture/plan.ts";

/** Each line is hex, then what it is. */
const assemble = (...code: string[]): Uint8Array =>
  Buffer.from(code.map((line) => line.replace(/ .*/, "")).join(""), "hex");

/** As compilers make a small function with a stack protector. */
const guarded = assemble(
  "4883ec18 sub $0x18,%rsp",
  "31c0 xor %eax,%eax",
  "85d2 test %edx,%edx",
  "7805 js over the call",
  "e800000000 call",
  "488b542408 mov 8(%rsp),%rdx",
  "7505 jne to the last call",
  "4883c418 add $0x18,%rsp",
  "c3 ret",
  "e800000000 call __stack_chk_fail",
);
const guardedPoints = { entry: { at: 8, frameBias: 24 }, exit: { at: 20, frameBias: 24 } };
const none = { entry: null, exit: null };

const cases: [name: string, code: Uint8Array, points: ReturnType<typeof cheapPoints>][] = [
  ["the first jump and the last one that every return crosses", guarded, guardedPoints],
  [
    "a push at the very start",
    assemble("55 push %rbp", "31ff xor %edi,%edi", "5d pop %rbp", "c3 ret"),
    { entry: { at: 0, frameBias: 0 }, exit: null },
  ],
  [
    "the push after others, with what they put on the stack",
    assemble("4883ec10 sub $0x10,%rsp", "55 push", "5d pop", "4883c410 add $0x10,%rsp", "c3 ret"),
    { entry: { at: 4, frameBias: 16 }, exit: null },
  ],
  [
    "no entry after an argument has changed",
    assemble("4889fe mov %rdi,%rsi", "7400 je", "c3 ret"),
    { entry: null, exit: { at: 3, frameBias: 0 } },
  ],
  [
    "no entry that a loop passes again",
    assemble("85d2 test %edx,%edx", "74fc je to the start", "31c0 xor %eax,%eax", "c3 ret"),
    none,
  ],
  [
    "no entry at a call, which the kernel would leave off a shadow stack",
    assemble("4883ec08 sub $8,%rsp", "e800000000 call", "4883c408 add $8,%rsp", "c3 ret"),
    none,
  ],
  [
    "no exit when a return goes around it",
    assemble("85d2 test", "7404 je over the next", "31c0 xor %eax,%eax", "7400 je on", "c3 ret"),
    { entry: { at: 2, frameBias: 0 }, exit: null },
  ],
  [
    "no exit at the instruction of the entry",
    assemble("85d2 test", "7400 je on", "c3 ret"),
    { entry: { at: 2, frameBias: 0 }, exit: null },
  ],
  [
    "no exit before the result is there",
    assemble("85d2 test", "7400 je on", "31c0 xor %eax,%eax", "c3 ret"),
    { entry: { at: 2, frameBias: 0 }, exit: null },
  ],
  [
    "no exit before a call that returns, for it changes the result",
    assemble("85d2 test", "7405 je over the call", "e800000000 call", "c3 ret"),
    { entry: { at: 2, frameBias: 0 }, exit: null },
  ],
  [
    "no exit that a loop passes again",
    assemble("55 push", "5d pop", "85d2 test", "75fa jne to the start + 0", "c3 ret"),
    none,
  ],
  [
    "nothing with an instruction that is not known",
    assemble("55 push", "0fa2 cpuid", "5d pop", "c3 ret"),
    none,
  ],
  ["nothing when a jump leaves the function", assemble("55 push", "747f je far", "5d pop", "c3 ret"), none],
  ["nothing when it runs into its end", assemble("55 push", "5d pop", "85d2 test"), none],
  [
    "nothing when a jump goes into an instruction",
    assemble("55 push", "74fe je", "74fd je", "5d pop", "c3 ret"),
    none,
  ],
  [
    "nothing when the stack differs between two ways to a place",
    assemble("55 push", "7401 je over the pop", "5d pop", "c3 ret"),
    none,
  ],
  ["nothing when the stack is not as it was at the return", assemble("55 push", "7400 je", "c3 ret"), none],
  ["nothing without code", new Uint8Array(), none],
];

for (const [name, code, points] of cases) {
  test(`cheap points: ${name}`, () => {
    assert.deepStrictEqual(cheapPoints(code), points);
  });
}

test("cheap points: a part of the function gives none", () => {
  for (let length = 0; length < guarded.length - 5; length++) {
    assert.deepStrictEqual(cheapPoints(guarded.subarray(0, length)), none, `${length} bytes`);
  }
});

test("plan: takes the cheap points with the bytes that are there", () => {
  const found = {
    name: "SSL_read",
    role: "read",
    fileOffset: 0x1000,
    bytes: guarded.subarray(0, 16),
  } as const;
  const named = { function: "SSL_read", role: "read" };
  const hex = (at: number) => Buffer.from(guarded.subarray(at, at + 16)).toString("hex");
  assert.deepStrictEqual(planPoints([{ ...found, code: guarded }]), [
    { ...named, site: "entry", fileOffset: 0x1008, frameBias: 24, expectedBytes: hex(8) },
    { ...named, site: "exit", fileOffset: 0x1014, frameBias: 24, expectedBytes: hex(20) },
  ]);
  assert.deepStrictEqual(planPoints([found]), [
    { ...named, site: "entry", fileOffset: 0x1000, frameBias: 0, expectedBytes: hex(0) },
    { ...named, site: "return", fileOffset: 0x1000, frameBias: -8, expectedBytes: hex(0) },
  ]);
});
