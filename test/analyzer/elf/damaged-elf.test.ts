// Files with random bytes in random places, and cut anywhere: nothing throws, and nothing is read out of range.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readElf } from "../../../src/analyzer/elf/elf-file.ts";
import { askEverything } from "./ask-everything.ts";
import { forgeElf } from "./forged-elf.ts";

void describe("elf: random damage", () => {
  /** Bytes at random places of the header and the tables, which steer all the rest. */
  const damage = (length: number) =>
    fc.array(fc.tuple(fc.nat(length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 12 });
  const damaged = (
    sound: Uint8Array,
    flips: [number, number][],
    place: (at: number) => number,
  ): Uint8Array => {
    const bytes = Uint8Array.from(sound);
    for (const [at, value] of flips) bytes[place(at)] = value;
    return bytes;
  };

  for (const wide of [true, false]) {
    for (const littleEndian of [true, false]) {
      void it(`in any place of a ${wide ? 64 : 32}-bit ${littleEndian ? "little" : "big"}-endian file`, () => {
        const { bytes } = forgeElf({ wide, littleEndian });
        fc.assert(
          fc.property(damage(bytes.length), (flips) => void askEverything(damaged(bytes, flips, (at) => at))),
          { numRuns: 300 },
        );
      });
    }
  }

  void it("in the header and the tables of a real program, cut anywhere", () => {
    const real = readFileSync("/bin/true");
    const sectionTable = Number(real.readBigUInt64LE(40));
    const headers = 64 + 13 * 56;
    const place = (at: number): number => (at < headers ? at : sectionTable + at - headers);
    const cut = fc.oneof(fc.constant(real.length), fc.nat(real.length));
    fc.assert(
      fc.property(damage(headers + real.length - sectionTable), cut, (flips, length) => {
        askEverything(damaged(real, flips, place).subarray(0, length));
      }),
      { numRuns: 300 },
    );
  });

  void it("in a file that shrinks while it is read", () => {
    const { bytes } = forgeElf();
    const names = new Set(["SSL_write", "static_write"]);
    fc.assert(
      fc.property(fc.array(fc.nat(bytes.length), { minLength: 1, maxLength: 40 }), (sizes) => {
        let reads = 0;
        const { elf } = readElf({
          size: bytes.length,
          read: (offset, length) => {
            const left = sizes[Math.floor(reads++ / 4) % sizes.length] ?? 0;
            return bytes.subarray(Math.min(offset, left), Math.min(offset + length, left));
          },
        });
        elf?.definedSymbols(names);
        elf?.findText("OpenSSL ", /never/);
        elf?.goBuild();
        assert.ok(reads < 1000, `${reads} reads`);
      }),
      { numRuns: 300 },
    );
  });
});
