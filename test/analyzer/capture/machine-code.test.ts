// The decoder against the disassembler of the binutils, over every instruction of a real library: whatever the decoder
// claims to know must be as objdump reads it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeInstruction, type Instruction } from "../../../src/analyzer/capture/machine-code.ts";
import { lines, present } from "../elf/host-tools.ts";

const library = "/usr/lib/x86_64-linux-gnu/libssl.so.3";

const wide = ["rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi"];
/** Every name of every general register. */
const numbers = new Map<string, number>([
  ...wide.flatMap((name, number): [string, number][] => [
    [name, number],
    [name.replace("r", "e"), number],
    [name.slice(1), number],
    [number < 4 ? `${name.charAt(1)}l` : `${name.slice(1)}l`, number],
  ]),
  ...["ah", "ch", "dh", "bh"].map((name, number): [string, number] => [name, number]),
  ...Array.from({ length: 8 }, (_, i) => i + 8).flatMap((number) =>
    ["", "d", "w", "b"].map((suffix): [string, number] => [`r${number}${suffix}`, number]),
  ),
]);

interface Listed {
  address: number;
  bytes: Uint8Array;
  mnemonic: string;
  operands: string;
}

function listing(): Listed[] {
  return lines("objdump", "-d", "--wide", "--section=.text", library).flatMap((line) => {
    const [, address, bytes, mnemonic, operands] =
      /^ *([0-9a-f]+):\t((?:[0-9a-f]{2} )+) *\t(\S+) *(.*?)(?: *[#<].*)?$/.exec(line) ?? [];
    if (address === undefined || bytes === undefined) return [];
    const code = Uint8Array.from(bytes.trim().split(" "), (byte) => parseInt(byte, 16));
    return [
      { address: parseInt(address, 16), bytes: code, mnemonic: mnemonic ?? "", operands: operands ?? "" },
    ];
  });
}

/** The register that AT&T syntax names as the destination, or null. */
function destination({ mnemonic, operands }: Listed): number | null {
  if (/^(cmp|test|push|j|call|nop|data16|cs)/.test(mnemonic)) return null;
  if (mnemonic === "xchg" && operands === "%ax,%ax") return null; // a nop of two bytes
  if (mnemonic === "cltq" || mnemonic === "cwtl") return 0;
  if (mnemonic === "cltd" || mnemonic === "cqto") return 2;
  const name = /(?:^|,)%(\w+)$/.exec(operands)?.[1];
  return name === undefined ? null : (numbers.get(name) ?? null);
}

function stackGrowth({ mnemonic, operands }: Listed): number {
  if (mnemonic.startsWith("push")) return 8;
  if (mnemonic.startsWith("pop")) return -8;
  const [, amount] = /^\$(-?0x[0-9a-f]+),%rsp$/.exec(operands) ?? [];
  if (amount === undefined || (mnemonic !== "sub" && mnemonic !== "add")) return 0;
  const bytes = Number(BigInt.asIntN(64, BigInt(amount)));
  return mnemonic === "sub" ? bytes : -bytes;
}

const flowOf = (mnemonic: string): Instruction["flow"] => {
  if (mnemonic.startsWith("jmp")) return "jump";
  if (mnemonic.startsWith("j")) return "branch";
  if (mnemonic.startsWith("call")) return "call";
  if (mnemonic === "ud2") return "trap";
  return mnemonic === "ret" || mnemonic === "repz" ? "return" : "next";
};

test("machine code: what is decoded is as objdump reads it, in all of a library", (t) => {
  if (!present(t, "objdump", library)) return;
  const listed = listing();
  const wrong: string[] = [];
  let known = 0;
  for (const entry of listed) {
    const decoded = decodeInstruction(entry.bytes, 0);
    if (decoded === null) continue;
    known++;
    const { bytes, address, mnemonic, operands } = entry;
    const target = decoded.target === null ? null : address + decoded.target;
    const isDirect = /^[0-9a-f]+$/.test(operands) && mnemonic.startsWith("j");
    const written = destination(entry);
    const isRight =
      decoded.end === bytes.length &&
      decoded.flow === flowOf(mnemonic) &&
      target === (isDirect ? parseInt(operands, 16) : null) &&
      decoded.stack === stackGrowth(entry) &&
      // The stack pointer's changes are told apart from the others.
      (written === null || written === 4 || decoded.writes.includes(written));
    if (!isRight) wrong.push(`${address.toString(16)}: ${mnemonic} ${operands} ${JSON.stringify(decoded)}`);
  }
  assert.deepStrictEqual(wrong.slice(0, 10), []);
  assert.ok(known > 0.8 * listed.length, `only ${known} of ${listed.length} instructions are known`);
});

test("machine code: an instruction that the code cuts short is not known", () => {
  for (const hex of ["48", "4883", "4883ec", "e8000000", "0f8500", "b8000000", "66", "48c7c000"]) {
    assert.equal(decodeInstruction(Buffer.from(hex, "hex"), 0), null, hex);
  }
});

test("machine code: what moves the stack by an unknown amount is not known", () => {
  const cases = { "and $-16,%rsp": "4883e4f0", leave: "c9", "mov %rbp,%rsp": "4889ec", "pop %rsp": "5c" };
  for (const [name, hex] of Object.entries(cases)) {
    assert.equal(decodeInstruction(Buffer.from(hex, "hex"), 0), null, name);
  }
});

test("machine code: the kernel imitates pushes, nops and near jumps, but none with an operand prefix", () => {
  const emulated = (hex: string) => decodeInstruction(Buffer.from(hex, "hex"), 0)?.emulated;
  const cases: [string, boolean | undefined][] = [
    ["55", true], // push %rbp
    ["4157", true], // push %r15
    ["4055", false], // push %rbp, with a REX prefix that says nothing
    ["90", true],
    ["6690", false],
    ["7805", true], // js
    ["0f8500000000", true], // jne
    ["eb05", true],
    ["5d", false], // pop
    ["c3", false],
    ["f30f1efa", false], // endbr64
    ["660f8500000000", undefined],
  ];
  assert.deepStrictEqual(
    cases.map(([hex]) => [hex, emulated(hex)]),
    cases,
  );
});
