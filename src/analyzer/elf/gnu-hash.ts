// Looks names up in a GNU hash table: some tens of bytes read for each name, however many symbols there are.
// Layout: counts, Bloom filter (skipped here), buckets, then one hash for each symbol, the lowest bit ending a chain.
import { Fields, type FileBytes } from "./file-bytes.ts";
import type { ProblemList } from "./problems.ts";

/** A chain holds a handful of symbols; a forged one may claim to be endless. */
const longestChain = 1024;

export interface GnuHash {
  bucketCount: number;
  firstSymbol: number;
  buckets: number;
  chains: number;
}

/** The table at this file offset, or null (with a problem) when its parts do not fit the file. */
export function openGnuHash(bytes: FileBytes, fileOffset: number, problems: ProblemList): GnuHash | null {
  const header = bytes.record(fileOffset, 16);
  const bucketCount = header?.u32(0) ?? 0;
  const buckets = fileOffset + 16 + (header?.u32(8) ?? 0) * bytes.wordSize;
  const chains = buckets + bucketCount * 4;
  if (header === null || bucketCount === 0 || chains > bytes.size) {
    problems.add("gnu-hash-broken", "the GNU hash table does not fit into the file");
    return null;
  }
  return { bucketCount, firstSymbol: header.u32(4), buckets, chains };
}

/** Indexes of the symbols whose hash is that of `name`: the caller compares the names. */
export function symbolsHashed(
  bytes: FileBytes,
  table: GnuHash,
  name: Uint8Array,
  problems: ProblemList,
): number[] {
  const hash = gnuHash(name);
  const first = bytes.record(table.buckets + (hash % table.bucketCount) * 4, 4)?.u32(0) ?? 0;
  const found: number[] = [];
  if (first < table.firstSymbol) return found;
  const chain = bytes.read(table.chains + (first - table.firstSymbol) * 4, longestChain * 4);
  const fields = new Fields(chain, bytes.layout);
  for (let at = 0; at + 4 <= chain.length; at += 4) {
    const hashThere = fields.u32(at);
    if ((hashThere ^ hash) >>> 1 === 0) found.push(first + at / 4);
    if (hashThere % 2 === 1) return found;
  }
  problems.add("gnu-hash-chain", "a chain of the GNU hash table has no end");
  return found;
}

/** Bernstein's hash with 5381 and 33, as in glibc's dl-new-hash.h. */
function gnuHash(name: Uint8Array): number {
  let hash = 5381;
  for (const byte of name) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}
