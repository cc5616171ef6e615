// Go's crypto/tls in a program: its methods by name, from .gopclntab, and their code, which must be as expected before
// a probe may go there. The names are the same from Go 1.2 on, the calling convention since Go 1.17.
import type { ElfFile, ElfSection, GoBuild, GoFunction } from "../elf/elf-file.ts";
import type { ProbeRole } from "../../tracer/messages.ts";
import type { FoundFunction, StackFinding } from "./finding.ts";
import { goPoints } from "./go-points.ts";

/** Where plaintext becomes TLS records, under the connection's lock. It defers, so that it is never inlined. */
const write = "crypto/tls.(*Conn).writeRecordLocked";
const read = "crypto/tls.(*Conn).Read";

/** A program has those that it uses. */
const roles: Readonly<Record<string, ProbeRole>> = {
  [write]: "go-write",
  [read]: "go-read",
  "crypto/tls.(*Conn).clientHandshake": "go-handshake",
  "crypto/tls.(*Conn).serverHandshake": "go-handshake",
  "crypto/tls.(*Conn).Close": "go-close",
};

/** What a function calls when its stack is too small: all that are probed do. */
const growStack = "runtime.morestack_noctxt";

const comparedBytes = 16;

/** The stack, if the program has it; without functions and with the obstacle unless both directions can be probed. */
export function findGoTls(elf: ElfFile, { version, pclntab }: GoBuild): Omit<StackFinding, "file">[] {
  const holds = ({ fileOffset, size }: ElfSection): boolean =>
    pclntab !== null && fileOffset <= pclntab.fileOffset && pclntab.fileOffset < fileOffset + size;
  const section = elf.sections.find((candidate) => candidate.type === "progbits" && holds(candidate));
  if (!elf.containsText(read, section?.name)) return [];
  const found = {
    stack: "go",
    linkage: "static",
    buildId: elf.buildId,
    version: version?.replace(/^go/, "") ?? null,
    symbols: "gopclntab",
  } as const;
  const { functions, evidence, obstacle } = findFunctions(elf);
  if (obstacle === null) return [{ ...found, evidence, functions }];
  return [{ ...found, evidence: [`${read} in .gopclntab`, obstacle], functions: [], obstacle }];
}

function findFunctions(elf: ElfFile): {
  functions: FoundFunction[];
  evidence: string[];
  obstacle: string | null;
} {
  const nothing = { functions: [], evidence: [] };
  if (elf.machine !== "x86_64") return { ...nothing, obstacle: "this version captures them for x86-64 only" };
  const known = elf.problems.length;
  const named = elf.goFunctions(new Set([...Object.keys(roles), growStack]));
  const runtime = named.find(({ name }) => name === growStack);

  const functions: FoundFunction[] = [];
  const evidence: string[] = [];
  const obstacles = new Map<string, string>();
  for (const place of named) {
    const role = roles[place.name];
    if (role === undefined || runtime === undefined) continue;
    const { found, refused } = findFunction(elf, place, role, runtime.address);
    if (found === null) obstacles.set(place.name, refused);
    else {
      functions.push(found);
      const returns = found.returns === undefined ? "" : `, ${found.returns.length} returns`;
      evidence.push(`${place.name} in .gopclntab at 0x${place.address.toString(16)}${returns}`);
    }
  }
  const missing = [write, read].find((name) => !functions.some((it) => it.name === name));
  if (missing === undefined) return { functions, evidence, obstacle: null };
  const problem = elf.problems[known]?.text ?? `its place is not in .gopclntab`;
  return { ...nothing, obstacle: `of ${missing}: ${obstacles.get(missing) ?? problem}` };
}

function findFunction(
  elf: ElfFile,
  { name, address, fileOffset, size }: GoFunction,
  role: ProbeRole,
  runtime: bigint,
): { found: FoundFunction; refused: null } | { found: null; refused: string } {
  const code = elf.bytesAt(fileOffset, size);
  const { entry, returns, refused } = goPoints(code, address, runtime);
  if (entry === null) return { found: null, refused };
  const bytes = code.slice(entry, entry + comparedBytes);
  const found = { name, role, fileOffset: fileOffset + entry, bytes };
  // The end of a Close tells nothing.
  if (role === "go-close") return { found, refused: null };
  const places = returns.map((at) => ({
    fileOffset: fileOffset + at,
    bytes: code.slice(at, at + comparedBytes),
  }));
  return { found: { ...found, returns: places }, refused: null };
}
