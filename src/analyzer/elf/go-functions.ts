// Go functions by name, from .gopclntab, which the linker keeps even when it strips everything else. Whether the code
// there is what the table says is for who uses it to check.
import type { AddressMap } from "./address-map.ts";
import type { FileRange } from "./file-bytes.ts";
import { readGoModule } from "./go-module.ts";
import { readPclntab, type Pclntab } from "./go-pclntab.ts";
import type { ProblemList } from "./problems.ts";
import type { Tables } from "./tables.ts";
import { occurrences } from "./text-search.ts";

export interface GoFunction {
  name: string;
  /** Virtual address of its first instruction. */
  address: bigint;
  fileOffset: number;
  /** Bytes up to the next function, with what pads it. */
  size: number;
}

/** Far above any real function, which has some ten KiB. */
const largestFunction = 1 << 20;

/**
 * The functions of these names. One that is there twice, or lies outside of the program's code, is left out and told
 * as a problem: a place that is not certain is none.
 */
export function readGoFunctions(
  tables: Tables,
  addresses: AddressMap,
  range: FileRange,
  wanted: ReadonlySet<string>,
  problems: ProblemList,
): GoFunction[] {
  const table = readPclntab(tables, range, problems);
  if (table === null) return [];
  const names = placesOfNames(tables, table, wanted);
  if (names.size === 0) return [];
  const module = readGoModule(tables, addresses, table, problems);
  if (module === null) return [];

  const found = new Map<string, GoFunction>();
  const uncertain = new Set<string>();
  for (const { number, nameOffset } of table.functionsNamed(names)) {
    const name = names.get(nameOffset) ?? "";
    const place = table.placeOf(number, module.text);
    if (found.has(name)) {
      uncertain.add(name);
      problems.add("go-function-twice", `.gopclntab has ${name} more than once`);
    } else if (place === null || place.address < module.text || place.address + place.size > module.end) {
      problems.add("go-function-outside", `${name} of .gopclntab is not in the program's code`);
    } else {
      const address = BigInt(place.address);
      const fileOffset = addresses.fileOffsetOf(address);
      const last = addresses.fileOffsetOf(address + BigInt(place.size - 1));
      const isWhole = fileOffset !== null && last === fileOffset + place.size - 1;
      if (isWhole && place.size <= largestFunction && addresses.segmentOf(address)?.executable === true)
        found.set(name, { name, address, fileOffset, size: place.size });
      else problems.add("go-function-outside", `${name} of .gopclntab is not in the file`);
    }
  }
  return [...found.values()].filter(({ name }) => !uncertain.has(name));
}

/** The names by where they stand among the table's names. A name is one only between two NULs. */
function placesOfNames(
  { bytes }: Tables,
  { names }: Pclntab,
  wanted: ReadonlySet<string>,
): Map<number, string> {
  const places = new Map<number, string>();
  for (const name of wanted) {
    for (const fileOffset of occurrences(bytes, [names], Buffer.from(`${name}\0`))) {
      const isStart = fileOffset === names.fileOffset || bytes.read(fileOffset - 1, 1)[0] === 0;
      if (isStart) places.set(fileOffset - names.fileOffset, name);
    }
  }
  return places;
}
