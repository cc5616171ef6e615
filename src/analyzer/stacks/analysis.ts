// Analyses one ELF file: which TLS stacks it carries, and where their functions are. What that means for a process is
// for coverage/; which files to open is for the scan.
import { stackTitles } from "../../protocol/coverage.ts";
import type { ByteReader } from "../bytes.ts";
import type { DebugLink, ElfFile, ElfReading, ElfSymbol } from "../elf/elf-file.ts";
import type { FoundFunction, StackFinding } from "./finding.ts";
import { findGoTls } from "./go-tls.ts";
import { libraryKind, stackRows } from "./table.ts";
import type { StackRow } from "./table.ts";

/** A stack in a file, whichever process maps it. */
export type FoundStack = Omit<StackFinding, "file">;

export interface FileAnalysis {
  stacks: FoundStack[];
  /** Functions through which the plaintext of a stack of another file passes, where a process has that stack. */
  boundary: FoundStack | null;
  /** The runtime that the file itself is. */
  runtime: "node" | "go" | "jvm" | null;
  /** OpenSSL's version where this file is its libcrypto. */
  cryptoVersion: string | null;
  /** Why the file could not be understood, or null. */
  problem: string | null;
  /** What names the separate debug file, where its symbols would tell where a stack's functions are. */
  debugFile: { buildId: string | null; debugLink: DebugLink | null } | null;
}

/** A separate debug file, opened. */
export interface DebugFile {
  /** As the process sees it. */
  path: string;
  reader: ByteReader;
}

/** `node::Start(int, char**)`, which the executable of Node (or libnode) defines. */
const nodeStart = "_ZN4node5StartEiPPc";
/** The entry of every JVM. */
const jvmEntry = "JNI_CreateJavaVM";

/** Bytes kept of each function, compared again just before a probe goes there. */
const entryBytes = 16;
/** A function of more code than this is probed at its entry only. */
const mostCodeBytes = 1024;

const namesOfInterest: ReadonlySet<string> = new Set([
  ...stackRows.flatMap((row) => [
    ...[...row.markers, ...row.plaintext, ...Object.keys(row.functions)],
    ...Object.keys(row.boundary?.functions ?? {}),
  ]),
  nodeStart,
  jvmEntry,
]);

/** With the path of the debug file that names it, where the file itself does not. */
type Symbol = ElfSymbol & { debugFile?: string };
type Symbols = ReadonlyMap<string, readonly Symbol[]>;

/**
 * Never throws.
 * @param baseName of the file, which tells a library of its own from a stack that was linked in
 * @param debugFile where an analysis without it asked for one and there is one
 */
export function analyseElf(
  reading: ElfReading,
  baseName: string,
  debugFile: DebugFile | null = null,
): FileAnalysis {
  if (reading.elf === null) return { ...nothing, problem: reading.notElf.text };
  const { elf } = reading;
  const kind = libraryKind(baseName);
  if (kind === "crypto") return { ...nothing, cryptoVersion: versionText(elf, "openssl") };

  const { symbols, refused } = symbolsByName(elf, debugFile);
  const stacks = stackRows.flatMap((row) => findStack(elf, row, symbols, baseName));
  const isStripped = stacks.some((found) => found.symbols === "none" && canBeNamed(found));
  if (refused !== null)
    for (const { symbols: table, evidence } of stacks) if (table === "none") evidence.push(refused);
  const go = elf.goBuild();
  if (go !== null) stacks.push(...findGoTls(elf, go));
  const jvm = symbols.has(jvmEntry);
  if (jvm) stacks.push(javaTls(elf));
  // Bun and Electron define some of Node's names too, but not on OpenSSL.
  const node = symbols.has(nodeStart) && !stacks.some(({ stack }) => stack === "boringssl");
  return {
    stacks,
    boundary: stackRows.flatMap((row) => findBoundary(elf, row, symbols, baseName))[0] ?? null,
    runtime: node ? "node" : jvm ? "jvm" : go === null ? null : "go",
    cryptoVersion: null,
    problem: null,
    debugFile: isStripped ? { buildId: elf.buildId, debugLink: elf.debugLink } : null,
  };
}

const nothing: FileAnalysis = {
  stacks: [],
  boundary: null,
  runtime: null,
  cryptoVersion: null,
  problem: null,
  debugFile: null,
};

/** Whether symbols would tell where this stack's functions are. */
function canBeNamed({ stack }: FoundStack): boolean {
  return stackRows.some((row) => row.stack === stack && Object.keys(row.functions).length > 0);
}

function findStack(elf: ElfFile, row: StackRow, symbols: Symbols, baseName: string): FoundStack[] {
  const linkage = row.library?.test(baseName) === true ? "dynamic" : "static";
  const found = { stack: row.stack, linkage, buildId: elf.buildId } as const;
  const marker = row.markers.find((name) => symbols.has(name));
  const defined = row.plaintext.flatMap((name) => symbols.get(name)?.[0] ?? []);
  if (marker !== undefined && defined.length === row.plaintext.length) {
    if (claimedEarlier(row, symbols)) return [];
    return [
      {
        ...found,
        version: versionText(elf, row.stack) ?? versionTag(row, symbols),
        symbols: tableOf(defined),
        evidence: evidenceOf([...row.plaintext, ...Object.keys(row.functions), marker], symbols),
        functions: functionsOf(elf, row.functions, symbols),
      },
    ];
  }
  // Where the names are there, the text says nothing more; and another row has claimed them.
  if (row.plaintext.some((name) => symbols.has(name))) return [];
  const text = firstTrace(elf, row);
  if (text === null) return [];
  return [
    {
      ...found,
      version: text.version,
      symbols: "none",
      evidence: [
        `the text ${JSON.stringify(text.found)}, which ${stackTitles[row.stack]}'s sources leave in a program`,
      ],
      functions: [],
    },
  ];
}

function findBoundary(
  elf: ElfFile,
  { stack, boundary }: StackRow,
  symbols: Symbols,
  baseName: string,
): FoundStack[] {
  if (boundary?.library.test(baseName) !== true) return [];
  const defined = boundary.plaintext.flatMap((name) => symbols.get(name)?.[0] ?? []);
  if (defined.length < boundary.plaintext.length) return [];
  const functions = functionsOf(elf, boundary.functions, symbols);
  const evidence = evidenceOf(Object.keys(boundary.functions), symbols);
  const about = { linkage: "dynamic", buildId: elf.buildId, version: null } as const;
  return [{ ...about, stack, symbols: tableOf(defined), evidence, functions }];
}

function symbolsByName(
  elf: ElfFile,
  debugFile: DebugFile | null,
): { symbols: Symbols; refused: string | null } {
  const separate = debugFile && elf.debugSymbols(debugFile.reader, namesOfInterest);
  const symbols = new Map<string, Symbol[]>();
  const all: Symbol[] = [
    ...elf.definedSymbols(namesOfInterest),
    ...(separate?.symbols ?? []).map((symbol) => ({ ...symbol, debugFile: debugFile?.path ?? "" })),
  ];
  for (const symbol of all) {
    const same = symbols.get(symbol.name);
    if (same === undefined) symbols.set(symbol.name, [symbol]);
    else same.push(symbol);
  }
  const refused = separate?.refused ?? null;
  return { symbols, refused: refused && `the debug file ${debugFile?.path ?? ""} is not used: ${refused}` };
}

function firstTrace(elf: ElfFile, { traces }: StackRow): { found: string; version: string | null } | null {
  for (const { start, pattern } of traces) {
    const found = elf.findText(start, pattern);
    if (found !== null) return { found, version: pattern.exec(found)?.[1] ?? null };
  }
  return null;
}

function tableOf(defined: readonly Symbol[]): FoundStack["symbols"] {
  if (defined.some(({ debugFile }) => debugFile !== undefined)) return "debug-file";
  return defined.every(({ table }) => table === "dynsym") ? "dynsym" : "symtab";
}

/** An earlier row of the same functions has the stronger marker. */
function claimedEarlier(row: StackRow, symbols: Symbols): boolean {
  return stackRows
    .slice(0, stackRows.indexOf(row))
    .some(
      (other) =>
        other.plaintext.length > 0 &&
        other.plaintext.every((name) => row.plaintext.includes(name)) &&
        other.markers.some((name) => symbols.has(name)),
    );
}

function functionsOf(elf: ElfFile, roles: StackRow["functions"], symbols: Symbols): FoundFunction[] {
  if (elf.machine !== "x86_64") return [];
  return Object.entries(roles).flatMap(([name, role]) =>
    role === undefined
      ? []
      : (symbols.get(name) ?? []).map(({ fileOffset, size }) => ({
          name,
          role,
          fileOffset,
          bytes: elf.bytesAt(fileOffset, entryBytes),
          ...(size > 0 && size <= mostCodeBytes ? { code: elf.bytesAt(fileOffset, size) } : {}),
        })),
  );
}

function evidenceOf(names: readonly string[], symbols: Symbols): string[] {
  return [...new Set(names)].flatMap((name) =>
    (symbols.get(name) ?? []).map(
      ({ table, address, version, debugFile }) =>
        `${name} in ${debugFile ?? `.${table}`} at 0x${address.toString(16)}` +
        (version === null ? "" : ` (${version})`),
    ),
  );
}

function versionText(elf: ElfFile, stack: StackRow["stack"]): string | null {
  const version = stackRows.find((row) => row.stack === stack)?.version ?? null;
  if (version === null) return null;
  const text = elf.findText(version.start, version.pattern);
  return text === null ? null : (version.pattern.exec(text)?.[1] ?? null);
}

/** The least that OpenSSL's symbol versions say: `OPENSSL_3.0.0` is a 3, `OPENSSL_1_1_1` a 1.1. */
function versionTag(row: StackRow, symbols: Symbols): string | null {
  if (row.stack !== "openssl") return null;
  const tags = ["SSL_CTX_new_ex", "SSL_read_ex", "SSL_read"].flatMap((name) => symbols.get(name) ?? []);
  for (const { version } of tags) {
    if (version?.startsWith("OPENSSL_3") === true) return "3";
    if (version?.startsWith("OPENSSL_1_1") === true) return "1.1";
  }
  return symbols.has("SSL_CTX_new_ex") ? "3" : null;
}

function javaTls(elf: ElfFile): FoundStack {
  return {
    stack: "jsse",
    linkage: "managed",
    buildId: elf.buildId,
    version: null,
    symbols: "none",
    evidence: [`${jvmEntry} in the JVM's library: Java brings its own TLS`],
    functions: [],
  };
}
