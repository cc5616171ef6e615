// Where the two symbol tables are, and how one entry of them reads (System V gABI, "Symbol Table").
import type { Dynamic } from "./dynamic.ts";
import type { Fields, FileBytes, FileRange } from "./file-bytes.ts";
import type { ProblemList } from "./problems.ts";
import type { ElfSection } from "./table-entries.ts";
import type { Tables } from "./tables.ts";

export interface SymbolTable {
  kind: "dynsym" | "symtab";
  entries: FileRange;
  strings: FileRange;
}

export interface SymbolEntry {
  /** Offset in the table's strings. */
  name: number;
  isDefinedFunction: boolean;
  address: number;
  size: number;
}

const functionType = 2;

export const entrySize = ({ layout }: FileBytes): number => (layout.wide ? 24 : 16);

/** The entry at `at`, all of which must be in `fields`. */
export function entryAt(fields: Fields, at: number, wide: boolean): SymbolEntry {
  const info = fields.u8(at + (wide ? 4 : 12));
  const section = fields.u16(at + (wide ? 6 : 14));
  const address = fields.word(at + (wide ? 8 : 4));
  return {
    name: fields.u32(at),
    isDefinedFunction: (info & 0xf) === functionType && section !== 0 && address !== 0,
    address,
    size: fields.word(at + (wide ? 16 : 8)),
  };
}

/** The table of this kind that the section table names. */
export function tableFromSections(
  { sections }: Tables,
  kind: "dynsym" | "symtab",
  problems: ProblemList,
): SymbolTable | null {
  const entries = sections.find(({ type }) => type === kind);
  if (entries === undefined) return null;
  const strings: ElfSection | undefined = sections[entries.link];
  if (strings?.type === "strtab") return { kind, entries, strings };
  problems.add("symbol-strings", `.${kind} is linked to a section that holds no strings`);
  return null;
}

/**
 * The dynamic symbols as the dynamic linker finds them, which needs no section table. Their number is that of the
 * section where it is the same table, else that of DT_HASH, else unknown: then only a hash table finds them.
 */
export function dynamicTable(
  tables: Tables,
  dynamic: Dynamic | null,
  problems: ProblemList,
): SymbolTable | null {
  const { bytes } = tables;
  const named = tableFromSections(tables, "dynsym", problems);
  if (dynamic?.symbols == null || dynamic.strings === null) return named;
  if (named?.entries.fileOffset === dynamic.symbols) return named;
  const counts = dynamic.sysvHash === null ? null : bytes.record(dynamic.sysvHash, 8);
  const size = (counts?.u32(4) ?? 0) * entrySize(bytes);
  return { kind: "dynsym", entries: { fileOffset: dynamic.symbols, size }, strings: dynamic.strings };
}
