// The symbol table that was split off into a separate debug file. Its addresses are the stripped file's, so the places
// of functions come from the stripped file alone; whether the two belong together is checked before.
import zlib from "node:zlib";
import type { ByteReader } from "../bytes.ts";
import type { AddressMap } from "./address-map.ts";
import { readBuildId } from "./notes.ts";
import { ProblemList } from "./problems.ts";
import { Symbols, type ElfSymbol } from "./symbols.ts";
import { readTables, type Tables } from "./tables.ts";

/** What .gnu_debuglink says: a file name, and the CRC-32 of that file's bytes. */
export interface DebugLink {
  name: string;
  crc32: number;
}

/** Exactly one of the two is there. */
export type DebugSymbols = { symbols: ElfSymbol[]; refused: null } | { symbols: null; refused: string };

/** The file that lacks its symbols. */
export interface Stripped {
  tables: Tables;
  addresses: AddressMap;
  buildId: string | null;
  debugLink: DebugLink | null;
}

const refuse = (refused: string): DebugSymbols => ({ symbols: null, refused });

/**
 * Functions of these names that the debug file's .symtab places in the stripped file. The two belong together by an
 * equal build id, or, where one has none, by the checksum in the debug link.
 */
export function readDebugSymbols(
  { tables, addresses, buildId, debugLink }: Stripped,
  debug: ByteReader,
  names: ReadonlySet<string>,
): DebugSymbols {
  const problems = new ProblemList();
  const reading = readTables(debug, problems);
  if (reading.tables === null) return refuse(reading.notElf.text);
  const own = reading.tables;
  if (own.machine !== tables.machine || own.bytes.layout.wide !== tables.bytes.layout.wide)
    return refuse("it is of another machine");
  const ownId = readBuildId(own, problems);
  if (buildId !== null && ownId !== null) {
    if (ownId !== buildId) return refuse("its build id is another one");
  } else if (debugLink?.crc32 !== checksum(debug))
    return refuse("its checksum is not that of the debug link");

  const symbols = new Symbols(own, null, addresses, problems);
  if (symbols.symtab === null) return refuse(problems.list[0]?.text ?? "it has no table of symbols");
  return { symbols: symbols.defined(names), refused: null };
}

const chunkBytes = 1 << 20;

/** CRC-32 as gzip has it, over the whole file. */
function checksum(reader: ByteReader): number {
  let sum = 0;
  for (let at = 0; at < reader.size; at += chunkBytes)
    sum = zlib.crc32(reader.read(at, Math.min(chunkBytes, reader.size - at)), sum);
  return sum;
}
