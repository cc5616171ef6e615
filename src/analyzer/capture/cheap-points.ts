// Chooses, within one function, instructions at which a probe is cheap: the kernel imitates them, where at most others
// it steps over a copy, and a return probe is dearer still. Pure, and careful: a function that is not understood whole,
// instruction by instruction, gets none, and is probed at its entry and by a return probe.
import { decodeInstruction, registers, type Instruction } from "./machine-code.ts";

export interface CheapPoint {
  /** Offset in the function. */
  at: number;
  /** Bytes that the function has put on the stack by then. */
  frameBias: number;
}

export interface CheapPoints {
  /** Passed once by every call, before any argument register has changed; null when there is none. */
  entry: CheapPoint | null;
  /** Passed once by every call that returns, with the result in rax; null when there is none. */
  exit: CheapPoint | null;
}

/** Those that the probe at the entry reads. */
const argumentRegisters: readonly number[] = [registers.rdi, registers.rsi, registers.rdx, registers.rcx];

/**
 * @param code all of the function: a part would hide who jumps where
 */
export function cheapPoints(code: Uint8Array): CheapPoints {
  const shape = shapeOf(code);
  if (shape === null) return { entry: null, exit: null };
  const [entry, exit] = [entryPoint(shape), exitPoint(shape)];
  // One instruction cannot be both: which probe is hit first there is not said.
  return { entry, exit: exit?.at === entry?.at ? null : exit };
}

interface Step {
  instruction: Instruction;
  /** Bytes on the stack before it. */
  depth: number;
  next: number[];
}

/** Every instruction that can be reached, by its offset. */
type Shape = ReadonlyMap<number, Step>;

/** Null when an instruction is not known, a jump leaves the function, or the stack is not the same on two ways to a place. */
function shapeOf(code: Uint8Array): Shape | null {
  const steps = new Map<number, Step>();
  const open: [at: number, depth: number][] = [[0, 0]];
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    const [at, depth] = place;
    const known = steps.get(at);
    if (known !== undefined) {
      if (known.depth !== depth) return null;
      continue;
    }
    const instruction = decodeInstruction(code, at);
    if (instruction === null) return null;
    const next = nextOf(instruction, code.length);
    const depthAfter = depth + instruction.stack;
    if (next === null || depthAfter < 0 || (instruction.flow === "return" && depth !== 0)) return null;
    steps.set(at, { instruction, depth, next });
    open.push(...next.map((to): [number, number] => [to, depthAfter]));
  }
  return overlaps(steps) ? null : steps;
}

/** Null when it leaves the function other than by a return or a call. */
function nextOf({ flow, end, target }: Instruction, length: number): number[] | null {
  // What ends with a call ends with one that does not return, such as __stack_chk_fail.
  if (flow === "return" || flow === "trap" || (flow === "call" && end === length)) return [];
  const next = flow === "jump" ? [] : [end];
  if (target !== null) next.push(target);
  return next.every((to) => to >= 0 && to < length) ? next : null;
}

function overlaps(steps: Shape): boolean {
  const inOrder = [...steps.values()].sort((a, b) => a.instruction.at - b.instruction.at);
  return inOrder.some(({ instruction }, i) => (inOrder[i + 1]?.instruction.at ?? Infinity) < instruction.end);
}

/** A call that the kernel imitates is left alone: it would not be on the shadow stack of a process that has one. */
function isCheap({ emulated, flow }: Instruction): boolean {
  return emulated && flow !== "call";
}

/** The first cheap instruction of the straight line from the start, if no loop leads back to it or before it. */
function entryPoint(shape: Shape): CheapPoint | null {
  for (let step = shape.get(0); step !== undefined; step = shape.get(step.instruction.end)) {
    const { instruction, depth } = step;
    if (isCheap(instruction)) {
      const isOnce = !reachable(shape, step.next).has(instruction.at);
      return isOnce ? { at: instruction.at, frameBias: depth } : null;
    }
    const changesArgument = instruction.writes.some((register) => argumentRegisters.includes(register));
    if (changesArgument || instruction.flow !== "next") return null;
  }
  return null;
}

/** The last cheap jump without which no return can be reached, and after which the result is not touched. */
function exitPoint(shape: Shape): CheapPoint | null {
  const returns = [...shape.values()].filter(({ instruction }) => instruction.flow === "return");
  if (returns.length === 0) return null;
  const jumps = [...shape.values()]
    .filter(({ instruction }) => isCheap(instruction) && instruction.target !== null)
    .sort((a, b) => b.instruction.at - a.instruction.at);
  const leadsToReturn = (at: number) =>
    returns.some(({ instruction }) => reachable(shape, [at]).has(instruction.at));
  for (const { instruction, depth, next } of jumps) {
    const { at } = instruction;
    const around = reachable(shape, [0], at);
    if (returns.some((step) => around.has(step.instruction.at))) continue;
    const after = reachable(shape, next);
    if (after.has(at)) continue;
    const touchesResult = [...after].some(
      (place) =>
        shape.get(place)?.instruction.writes.includes(registers.rax) === true && leadsToReturn(place),
    );
    if (!touchesResult) return { at, frameBias: depth };
  }
  return null;
}

/** Every place that can be reached from these, themselves included, without passing `without`. */
function reachable(shape: Shape, from: readonly number[], without?: number): Set<number> {
  const seen = new Set<number>();
  const open = [...from];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    if (at === without || seen.has(at)) continue;
    seen.add(at);
    open.push(...(shape.get(at)?.next ?? []));
  }
  return seen;
}
