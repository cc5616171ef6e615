// The version nodes of dynamic symbols, such as OPENSSL_3.0.0: they tell one API from the next where names are alike.
// Structures follow the "Symbol Versioning" chapter of the Linux Standard Base.
import type { Dynamic } from "./dynamic.ts";
import type { FileBytes } from "./file-bytes.ts";
import type { ProblemList } from "./problems.ts";

/** Versions that a library defines, by their index: glibc, with the most, has some 40. */
export type VersionNames = ReadonlyMap<number, string>;

const mostVersions = 1024;
const longestName = 256;
const hiddenBit = 0x8000;
/** Indexes 0 and 1 are "local" and "global": no version. */
const firstVersion = 2;

export function readVersionNames(bytes: FileBytes, dynamic: Dynamic, problems: ProblemList): VersionNames {
  const names = new Map<number, string>();
  const { strings } = dynamic;
  let at = dynamic.versionDefinitions;
  for (let count = 0; at !== null && strings !== null; count++) {
    const definition = bytes.record(at, 20);
    const name = definition && bytes.record(at + definition.u32(12), 8);
    if (!name || count === mostVersions) {
      problems.add("version-definitions", "the version definitions do not end where they should");
      break;
    }
    const text = bytes.text(strings.fileOffset + name.u32(0), longestName);
    if (text !== null) names.set(definition.u16(4), text);
    const next = definition.u32(16);
    at = next === 0 ? null : at + next;
  }
  return names;
}

/** The version of the dynamic symbol with this index. */
export function versionOf(
  bytes: FileBytes,
  dynamic: Dynamic,
  names: VersionNames,
  symbol: number,
): string | null {
  if (dynamic.versionIndexes === null) return null;
  const index = (bytes.record(dynamic.versionIndexes + symbol * 2, 2)?.u16(0) ?? 0) % hiddenBit;
  return index < firstVersion ? null : (names.get(index) ?? null);
}
