// Where a function that Go compiled begins and returns: the places for probes, since a return probe would break its
// stack, which moves. Pure, and unforgiving: unless all of the function is understood, there is no place. x86-64, register calling
// convention of Go 1.17 and later (src/cmd/compile/abi-internal.md).
import { disassembler } from "./disassembler.cjs";

export type GoPoints =
  | {
      /** After the check of the stack, where a call comes once; registers are as at the first instruction. */
      entry: number;
      /** Offset of every RET in the function, each with the stack pointer as it was at the entry. */
      returns: number[];
      refused: null;
    }
  /** Why it cannot be probed, without a full stop. */
  | { entry: null; returns: null; refused: string };

interface Step {
  at: number;
  bytes: Uint8Array;
  flow: "next" | "nop" | "jump" | "branch" | "call" | "return" | "trap" | "other";
  /** Of a jump, branch or call, as an offset in the function; it may be outside. */
  target: number | null;
}

/** `cmp rsp, [r14+16]`: the stack pointer and g.stackguard0 of the goroutine in r14. */
const compareStack = "493b6610";
/** `lea r12, [rsp-N]` with one or four bytes of N, and `cmp r12, [r14+16]`: where the frame is large. */
const lowerStack = /^4c8d6424[8-f].$|^4c8da424.{6}[f]f$/;
const compareLowered = "4d3b6610";
/** `mov [rsp+N], register` and back, of 64 or 8 bits: arguments in registers are kept while the stack grows. */
const keepArgument = /^(?:4[8c]89|(?:4[04])?88)[0-7][4c]24..$/;
const restoreArgument = /^(?:4[8c]8b|(?:4[04])?0fb6)[0-7][4c]24..$/;

/**
 * @param code all of the function, with the padding up to the next one
 * @param address of its first byte
 * @param growStack address of `runtime.morestack_noctxt`, which the function calls when its stack is too small
 */
export function goPoints(code: Uint8Array, address: bigint, growStack: bigint): GoPoints {
  const refuse = (refused: string): GoPoints => ({ entry: null, returns: null, refused });
  const steps = decode(code);
  if (steps === null) return refuse("it has an instruction that is not known");

  const large = lowerStack.test(hexOf(steps[0]));
  const [compare, branch, begin] = steps.slice(large ? 1 : 0);
  const isCheck = hexOf(compare) === (large ? compareLowered : compareStack);
  // 76 and 0f86: jbe.
  if (!isCheck || branch?.flow !== "branch" || begin === undefined || !/^76|^0f86/.test(hexOf(branch)))
    return refuse("it does not begin with the check of its stack");

  const starts = new Set(steps.map(({ at }) => at));
  const grow = steps.filter(({ at }) => at >= (branch.target ?? Infinity));
  if (!starts.has(branch.target ?? -1) || !growsStack(grow, Number(growStack - address)))
    return refuse("it does not end with the growth of its stack");

  const leaves = ({ flow, target }: Step): boolean =>
    flow === "other" || ((flow === "jump" || flow === "branch") && !starts.has(target ?? -1));
  if (steps.some(leaves)) return refuse("it is left by a jump");
  // Nothing but the growth of the stack leads back to the check, and nothing to behind it: so a call begins once.
  const again = steps.filter(({ flow, target }) => flow !== "call" && target !== null && target <= begin.at);
  if (again.length !== 1) return refuse("its start is the target of a jump");

  const returns = steps.filter(({ flow }) => flow === "return").map(({ at }) => at);
  return returns.length > 0 ? { entry: begin.at, returns, refused: null } : refuse("it has no return");
}

/** Keeps the arguments, calls the runtime, restores them and starts again, in a straight line. */
function growsStack(tail: readonly Step[], runtime: number): boolean {
  const steps = tail.filter(({ flow }) => flow !== "nop");
  const calls = steps.filter(({ flow }) => flow === "call");
  const call = steps.findIndex(({ flow }) => flow === "call");
  const last = steps.at(-1);
  return (
    calls.length === 1 &&
    calls[0]?.target === runtime &&
    last?.flow === "jump" &&
    last.target === 0 &&
    steps.slice(0, call).every((step) => keepArgument.test(hexOf(step))) &&
    steps.slice(call + 1, -1).every((step) => restoreArgument.test(hexOf(step)))
  );
}

const hexOf = (step: Step | undefined): string => Buffer.from(step?.bytes ?? []).toString("hex");

/** Every instruction in order, without the padding behind the last; null when one is not known or not whole. */
function decode(code: Uint8Array): Step[] | null {
  const { Decoder, DecoderOptions, FlowControl, Instruction, Code, Mnemonic } = disassembler();
  let end = code.length;
  while (end > 0 && code[end - 1] === 0xcc) end--;
  const flows = new Map<number, Step["flow"]>([
    [FlowControl.Next, "next"],
    [FlowControl.UnconditionalBranch, "jump"],
    [FlowControl.ConditionalBranch, "branch"],
    [FlowControl.Call, "call"],
    [FlowControl.IndirectCall, "call"],
    [FlowControl.Exception, "trap"],
  ]);
  const decoder = new Decoder(64, code, DecoderOptions.None);
  const instruction = new Instruction();
  try {
    const steps: Step[] = [];
    for (let at = 0; at < end; at = decoder.position) {
      decoder.decodeOut(instruction);
      if (instruction.code === Code.INVALID) return null;
      const isReturn = instruction.code === Code.Retnq && instruction.length === 1;
      const isNop = instruction.mnemonic === Mnemonic.Nop;
      const flow = isReturn ? "return" : isNop ? "nop" : (flows.get(instruction.flowControl) ?? "other");
      const isDirect = flow === "jump" || flow === "branch" || instruction.flowControl === FlowControl.Call;
      const target = isDirect ? Number(BigInt.asIntN(64, instruction.nearBranchTarget)) : null;
      steps.push({ at, bytes: code.subarray(at, decoder.position), flow, target });
    }
    return steps;
  } finally {
    decoder.free();
    instruction.free();
  }
}
