// From what was found in a file to the probes on it. Pure: where cheaper or other probe points are known, they are
// chosen here and the engine does not change.
import type { ProbePlan, ProbePoint, ProbeRole } from "../../tracer/messages.ts";
import type { FoundFunction, MappedFile, StackFinding } from "../stacks/finding.ts";
import { cheapPoints } from "./cheap-points.ts";

/** Where each role is probed: what it needs is known at the call, at its return, or takes both. */
const sites: Record<ProbeRole, ("entry" | "return")[]> = {
  write: ["entry", "return"],
  read: ["entry", "return"],
  "write-ex": ["entry", "return"],
  "read-ex": ["entry", "return"],
  free: ["entry"],
  "set-server-name": ["entry", "return"],
  "get-server-name": ["entry", "return"],
  "ctrl-server-name": ["entry", "return"],
  new: ["entry", "return"],
  library: ["entry"],
  // Their returns come with the function.
  "go-write": ["entry"],
  "go-read": ["entry"],
  "go-handshake": ["entry"],
  "go-close": ["entry"],
  "write-known": ["entry", "return"],
  "read-known": ["entry", "return"],
  "receive-known": ["entry", "return"],
  "new-known": ["entry", "return"],
  "typed-server-name": ["entry", "return"],
};

/** The return address has left the stack when a return probe fires. */
const returnBias = -8;

/** Bytes compared at each point just before a probe is attached there. */
const comparedBytes = 16;

/** All probe points of these functions; two names of one address are probed once. */
export function planPoints(functions: FoundFunction[]): ProbePoint[] {
  const byOffset = new Map(functions.map((found) => [found.fileOffset, found]));
  return [...byOffset.values()].flatMap(pointsOf);
}

function pointsOf(found: FoundFunction): ProbePoint[] {
  return [...pointsByShape(found), ...returnsOf(found)];
}

function returnsOf({ name, role, returns = [] }: FoundFunction): ProbePoint[] {
  return returns.map(({ fileOffset, bytes }) => ({
    function: name,
    role,
    site: "exit",
    fileOffset,
    frameBias: 0,
    expectedBytes: hex(bytes),
  }));
}

function pointsByShape(found: FoundFunction): ProbePoint[] {
  const { code = new Uint8Array() } = found;
  const { entry, exit } = cheapPoints(code);
  return sites[found.role].map((site) => {
    const cheap = site === "entry" ? entry : exit;
    const named = { function: found.name, role: found.role };
    if (cheap === null) {
      const frameBias = site === "return" ? returnBias : 0;
      return { ...named, site, fileOffset: found.fileOffset, frameBias, expectedBytes: hex(found.bytes) };
    }
    return {
      ...named,
      site: site === "entry" ? "entry" : "exit",
      fileOffset: found.fileOffset + cheap.at,
      frameBias: cheap.frameBias,
      expectedBytes: hex(code.subarray(cheap.at, cheap.at + comparedBytes)),
    };
  });
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/**
 * The plan for one file, without its number; `pid` is the process through which it is opened and, with scope `process`,
 * the one probed.
 */
export function planFile(
  pid: number,
  file: MappedFile,
  functions: FoundFunction[],
  scope: ProbePlan["scope"],
): Omit<ProbePlan, "file"> {
  return { pid, path: file.path, range: file.range, inode: file.inode, scope, points: planPoints(functions) };
}

/** A finding by the files in which its functions are, in the order in which they are probed. */
export function partsOf({
  file,
  functions,
}: StackFinding): { file: MappedFile; functions: FoundFunction[] }[] {
  const files = new Set([...functions.map((found) => found.file ?? file), file]);
  return [...files].map((part) => ({
    file: part,
    functions: functions.filter((found) => (found.file ?? file) === part),
  }));
}

/** Whether a finding can be captured: it has at least one function that carries plaintext. */
export function isCapturable(finding: StackFinding): boolean {
  return finding.functions.some(({ role }) => /^(?:go-)?(?:write|read|receive)(?:-ex|-known)?$/.test(role));
}
