// Functions by name: the hash table for .dynsym, one pass for .symtab. What has no place in an executable segment is
// not given, for a probe would go there.
import type { AddressMap } from "./address-map.ts";
import type { Dynamic } from "./dynamic.ts";
import type { FileBytes } from "./file-bytes.ts";
import { openGnuHash, symbolsHashed } from "./gnu-hash.ts";
import type { ProblemList } from "./problems.ts";
import { scanSymbols } from "./symbol-scan.ts";
import { entryAt, entrySize, dynamicTable, tableFromSections, type SymbolTable } from "./symbol-tables.ts";
import { readVersionNames, versionOf, type VersionNames } from "./symbol-versions.ts";
import type { Tables } from "./tables.ts";

/** A function that the file itself defines, in a segment that is mapped executable. */
export interface ElfSymbol {
  name: string;
  /** Version node such as `OPENSSL_3.0.0`, or null where the symbol has none. */
  version: string | null;
  /** Virtual address, before relocation. */
  address: bigint;
  /** Where a probe goes: the offset in the file, not the virtual address. */
  fileOffset: number;
  /** Bytes, 0 when the table does not say. */
  size: number;
  table: "dynsym" | "symtab";
}

export class Symbols {
  readonly dynsym: SymbolTable | null;
  readonly symtab: SymbolTable | null;
  readonly #bytes: FileBytes;
  readonly #dynamic: Dynamic | null;
  readonly #addresses: AddressMap;
  readonly #problems: ProblemList;
  #versionNames: VersionNames | null = null;

  constructor(tables: Tables, dynamic: Dynamic | null, addresses: AddressMap, problems: ProblemList) {
    this.#bytes = tables.bytes;
    this.#dynamic = dynamic;
    this.#addresses = addresses;
    this.#problems = problems;
    this.dynsym = dynamicTable(tables, dynamic, problems);
    this.symtab = tableFromSections(tables, "symtab", problems);
  }

  defined(names: ReadonlySet<string>): ElfSymbol[] {
    const wanted = new Map<string, Uint8Array>();
    for (const name of names) if (name !== "" && !name.includes("\0")) wanted.set(name, Buffer.from(name));

    const found = new Map<string, ElfSymbol>();
    for (const table of [this.dynsym, this.symtab]) {
      if (table === null) continue;
      for (const { index, name } of this.#indexes(table, wanted)) {
        const symbol = this.#symbol(table, index, name);
        if (symbol === null) continue;
        const key = `${name} ${symbol.address}`;
        if (!found.has(key)) found.set(key, symbol);
      }
    }
    return [...found.values()];
  }

  #indexes(table: SymbolTable, names: ReadonlyMap<string, Uint8Array>): { index: number; name: string }[] {
    const hashAt = table.kind === "dynsym" ? (this.#dynamic?.gnuHash ?? null) : null;
    const hash = hashAt === null ? null : openGnuHash(this.#bytes, hashAt, this.#problems);
    if (hash === null) return scanSymbols(this.#bytes, table, names, this.#problems);

    const found: { index: number; name: string }[] = [];
    for (const [name, text] of names) {
      for (const index of symbolsHashed(this.#bytes, hash, text, this.#problems)) {
        if (this.#isNamed(table, index, name, text)) found.push({ index, name });
      }
    }
    return found;
  }

  #isNamed(table: SymbolTable, index: number, name: string, text: Uint8Array): boolean {
    const at = this.#bytes.record(table.entries.fileOffset + index * entrySize(this.#bytes), 4)?.u32(0);
    if (at === undefined) return false;
    return this.#bytes.text(table.strings.fileOffset + at, text.length + 1) === name;
  }

  #symbol(table: SymbolTable, index: number, name: string): ElfSymbol | null {
    const length = entrySize(this.#bytes);
    const fields = this.#bytes.record(table.entries.fileOffset + index * length, length);
    if (fields === null) return null;
    const entry = entryAt(fields, 0, this.#bytes.layout.wide);
    if (!entry.isDefinedFunction) return null;

    const address = BigInt(entry.address);
    const fileOffset = this.#addresses.fileOffsetOf(address);
    if (fileOffset === null || this.#addresses.segmentOf(address)?.executable !== true) {
      this.#problems.add(
        "symbol-not-executable",
        `${name} in .${table.kind} is in no executable part of the file`,
      );
      return null;
    }
    const version = table.kind === "dynsym" ? this.#versionOf(index) : null;
    return { name, version, address, fileOffset, size: entry.size, table: table.kind };
  }

  #versionOf(index: number): string | null {
    if (this.#dynamic === null) return null;
    this.#versionNames ??= readVersionNames(this.#bytes, this.#dynamic, this.#problems);
    return versionOf(this.#bytes, this.#dynamic, this.#versionNames, index);
  }
}
