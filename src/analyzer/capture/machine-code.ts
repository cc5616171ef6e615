// Decodes the plain integer instructions of x86-64 that compilers make a small function of (Intel SDM volume 2, appendix
// A). It knows each one's length, where it leads and which registers it writes; everything else is null, so that who
// asks does without. What is done with a function's shape is for cheap-points.ts.

/** Numbers of the general registers, as they are encoded. */
export const registers = { rax: 0, rcx: 1, rdx: 2, rsp: 4, rsi: 6, rdi: 7 } as const;

export interface Instruction {
  at: number;
  /** Where the next one begins. */
  end: number;
  /** Where it leads: on, to a target, to either, to another function and back, out of the function, nowhere. */
  flow: "next" | "jump" | "branch" | "call" | "return" | "trap";
  /** Of a jump or branch, as an offset in the code. */
  target: number | null;
  /** General registers that it may change, but for the stack pointer; all that a call may change. */
  writes: readonly number[];
  /** Bytes by which the stack grows. */
  stack: number;
  /** The kernel imitates it instead of stepping over it (arch/x86/kernel/uprobes.c, branch_setup_xol_ops and
   * push_setup_xol_ops): a probe here is many times cheaper. */
  emulated: boolean;
}

/** Registers that a function may change, System V AMD64 ABI, 3.2.1: all but rbx, rbp, rsp and r12 to r15. */
const callerSaved = [0, 1, 2, 6, 7, 8, 9, 10, 11];

/** What follows the opcode, and which operand is written. `rm` and `reg` are those of the ModRM byte. */
interface Shape {
  modrm: boolean;
  /** Bytes of the immediate; `word` is 4, or 2 with an operand size prefix. */
  immediate: 0 | 1 | "word";
  writes: "none" | "rm" | "reg" | "rax" | "rdx";
  byteOperand: boolean;
}

const shape = (part: Partial<Shape>): Shape => ({
  modrm: false,
  immediate: 0,
  writes: "none",
  byteOperand: false,
  ...part,
});

/** Add, or, adc, sbb, and, sub, xor, cmp: six encodings each, in order. */
function arithmeticShape(opcode: number): Shape {
  const writes = opcode >> 3 === 7 ? "none" : null;
  const byteOperand = (opcode & 1) === 0;
  const form = opcode & 7;
  if (form < 4) return shape({ modrm: true, writes: writes ?? (form < 2 ? "rm" : "reg"), byteOperand });
  return shape({ immediate: byteOperand ? 1 : "word", writes: writes ?? "rax", byteOperand });
}

const oneByteShapes: Record<number, Shape> = {
  0x63: shape({ modrm: true, writes: "reg" }), // movslq
  0x68: shape({ immediate: "word" }), // push
  0x69: shape({ modrm: true, immediate: "word", writes: "reg" }), // imul
  0x6a: shape({ immediate: 1 }), // push
  0x6b: shape({ modrm: true, immediate: 1, writes: "reg" }), // imul
  0x84: shape({ modrm: true, byteOperand: true }), // test
  0x85: shape({ modrm: true }),
  0x88: shape({ modrm: true, writes: "rm", byteOperand: true }), // mov
  0x89: shape({ modrm: true, writes: "rm" }),
  0x8a: shape({ modrm: true, writes: "reg", byteOperand: true }),
  0x8b: shape({ modrm: true, writes: "reg" }),
  0x8d: shape({ modrm: true, writes: "reg" }), // lea
  0x90: shape({}), // nop
  0x98: shape({ writes: "rax" }), // cltq
  0x99: shape({ writes: "rdx" }), // cltd
  0xa8: shape({ immediate: 1 }), // test
  0xa9: shape({ immediate: "word" }),
};

/** Opcodes whose operation is in the ModRM byte's middle bits. */
function groupShape(opcode: number, operation: number): Shape | null {
  const byteOperand = (opcode & 1) === 0;
  switch (opcode) {
    case 0x80:
    case 0x81:
    case 0x83: {
      const writes = operation === 7 ? "none" : "rm";
      return shape({ modrm: true, immediate: opcode === 0x81 ? "word" : 1, writes, byteOperand });
    }
    case 0xc0:
    case 0xc1:
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: // shifts and rotations
      return shape({ modrm: true, immediate: opcode < 0xd0 ? 1 : 0, writes: "rm", byteOperand });
    case 0xc6:
    case 0xc7: // mov
      if (operation !== 0) return null;
      return shape({ modrm: true, immediate: byteOperand ? 1 : "word", writes: "rm", byteOperand });
    case 0xf6:
    case 0xf7: // test, not, neg; multiplications and divisions are left out
      if (operation === 0) return shape({ modrm: true, immediate: byteOperand ? 1 : "word", byteOperand });
      return operation === 2 || operation === 3 ? shape({ modrm: true, writes: "rm", byteOperand }) : null;
    case 0xfe:
    case 0xff: // inc, dec
      return operation < 2 ? shape({ modrm: true, writes: "rm", byteOperand }) : null;
    default:
      return null;
  }
}

function twoByteShape(opcode: number): Shape | null {
  if (opcode === 0x1f) return shape({ modrm: true }); // nop
  if (opcode >> 4 === 4) return shape({ modrm: true, writes: "reg" }); // cmov
  if (opcode >> 4 === 9) return shape({ modrm: true, writes: "rm", byteOperand: true }); // set
  // imul, movzx, movsx
  return [0xaf, 0xb6, 0xb7, 0xbe, 0xbf].includes(opcode) ? shape({ modrm: true, writes: "reg" }) : null;
}

interface Prefixes {
  rex: number;
  word16: boolean;
}

/** The instruction at an offset; null when it is not one of those that are known here, or not whole. */
export function decodeInstruction(code: Uint8Array, at: number): Instruction | null {
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength);
  try {
    const instruction = decode(view, at);
    return instruction !== null && instruction.end <= code.length ? instruction : null;
  } catch (error) {
    if (error instanceof RangeError) return null; // the code ends within it
    throw error;
  }
}

function decode(view: DataView, start: number): Instruction | null {
  let at = start;
  const prefixes: Prefixes = { rex: 0, word16: false };
  // Operand size, and the segments of thread-local and (meaningless) code.
  for (; [0x66, 0x64, 0x2e].includes(view.getUint8(at)); at++) prefixes.word16 ||= view.getUint8(at) === 0x66;
  if (view.getUint8(at) >> 4 === 4) prefixes.rex = view.getUint8(at++);
  const opcode = view.getUint8(at++);
  const plain = at - start === 1;
  const base: Instruction = {
    at: start,
    end: at,
    flow: "next",
    target: null,
    writes: [],
    stack: 0,
    emulated: false,
  };
  const leading = (flow: "jump" | "branch", bytes: 1 | 4): Instruction => {
    const offset = bytes === 1 ? view.getInt8(at) : view.getInt32(at, true);
    return { ...base, end: at + bytes, flow, target: at + bytes + offset, emulated: true };
  };

  if (opcode >> 4 === 5) return pushOrPop(base, prefixes, opcode);
  if (opcode >> 4 === 0xb) return loadImmediate(base, prefixes, opcode, view);
  if (opcode === 0xff && (view.getUint8(at) & 0x38) === 0x10 && !prefixes.word16)
    return { ...base, end: operandEnd(view, at), flow: "call", writes: callerSaved };
  if (plain) {
    if (opcode >> 4 === 7) return leading("branch", 1);
    if (opcode === 0xeb || opcode === 0xe9) return leading("jump", opcode === 0xeb ? 1 : 4);
    if (opcode === 0xe8) return { ...base, end: at + 4, flow: "call", writes: callerSaved };
    if (opcode === 0xc3) return { ...base, flow: "return" };
    if (opcode === 0x90) return { ...base, emulated: true };
    if (opcode === 0xf3 && view.getUint8(at) === 0xc3) return { ...base, end: at + 1, flow: "return" };
    if (opcode === 0xf3 && view.getUint32(start) === 0xf30f1efa) return { ...base, end: start + 4 }; // endbr64
  }
  if (opcode === 0x90) return prefixes.rex === 0 ? base : null; // with REX it exchanges two registers
  if (opcode === 0x0f) {
    const second = view.getUint8(at++);
    if (plain && second === 0x0b) return { ...base, end: at, flow: "trap" };
    if (plain && second >> 4 === 8) return leading("branch", 4);
    const found = twoByteShape(second);
    return found && operate(base, prefixes, found, second, at, view);
  }
  const arithmetic = opcode < 0x40 && (opcode & 7) < 6;
  const found = arithmetic
    ? arithmeticShape(opcode)
    : (oneByteShapes[opcode] ?? groupShape(opcode, (view.getUint8(at) >> 3) & 7));
  return found && operate(base, prefixes, found, opcode, at, view);
}

function pushOrPop(base: Instruction, { rex }: Prefixes, opcode: number): Instruction | null {
  const register = (opcode & 7) | ((rex & 1) << 3);
  if (base.end - base.at !== (rex === 0 ? 1 : 2) || register === registers.rsp) return null;
  if (opcode >= 0x58) return { ...base, writes: [register], stack: -8 };
  return { ...base, stack: 8, emulated: rex === 0 || rex === 0x41 };
}

function loadImmediate(
  base: Instruction,
  { rex, word16 }: Prefixes,
  opcode: number,
  view: DataView,
): Instruction | null {
  const isByte = opcode < 0xb8;
  const bytes = isByte ? 1 : (rex & 8) !== 0 ? 8 : word16 ? 2 : 4;
  const register = byteRegister((opcode & 7) | ((rex & 1) << 3), isByte, rex);
  if (register === registers.rsp || base.end + bytes > view.byteLength) return null;
  return { ...base, end: base.end + bytes, writes: [register] };
}

/** Without a REX prefix the byte registers 4 to 7 are the second bytes of the first four. */
function byteRegister(register: number, isByte: boolean, rex: number): number {
  return isByte && rex === 0 && register > 3 ? register & 3 : register;
}

/** Where the operand of the ModRM byte at `at` ends. */
function operandEnd(view: DataView, at: number): number {
  const modrm = view.getUint8(at);
  const mode = modrm >> 6;
  let end = at + 1;
  if (mode === 3) return end;
  const hasSib = (modrm & 7) === 4;
  const base = hasSib ? view.getUint8(end++) & 7 : modrm & 7;
  if (mode === 1) end += 1;
  else if (mode === 2 || base === 5) end += 4;
  return end;
}

function operate(
  base: Instruction,
  { rex, word16 }: Prefixes,
  found: Shape,
  opcode: number,
  at: number,
  view: DataView,
): Instruction | null {
  const modrm = found.modrm ? view.getUint8(at) : 0;
  const operand = found.modrm ? operandEnd(view, at) : at;
  const short = word16 && (rex & 8) === 0;
  const end = operand + (found.immediate === "word" ? (short ? 2 : 4) : found.immediate);
  if (end > view.byteLength) return null;
  const isRegister = modrm >> 6 === 3;
  const reg = byteRegister(((modrm >> 3) & 7) | ((rex & 4) << 1), found.byteOperand, rex);
  const rm = byteRegister((modrm & 7) | ((rex & 1) << 3), found.byteOperand, rex);
  const written = { none: null, rm: isRegister ? rm : null, reg, rax: registers.rax, rdx: registers.rdx }[
    found.writes
  ];
  const result = { ...base, end, writes: written === null ? [] : [written] };
  if (opcode === 0x68 || opcode === 0x6a) return word16 ? null : { ...result, stack: 8 };
  if (written !== registers.rsp) return result;

  const immediate =
    end - operand === 1 ? view.getInt8(operand) : end - operand === 4 ? view.getInt32(operand, true) : 0;
  if (rex === 0x48 && !word16 && isRegister && (opcode === 0x83 || opcode === 0x81)) {
    const operation = (modrm >> 3) & 7;
    if (operation === 0) return { ...result, writes: [], stack: -immediate };
    if (operation === 5) return { ...result, writes: [], stack: immediate };
  }
  return null;
}
