// Facts of an ELF file as a test states them, for the rooms that judge such facts and never see a byte.
import type { ElfFile, ElfReading, ElfSymbol, GoBuild } from "../../../src/analyzer/elf/elf-file.ts";

export interface StatedFile {
  dynsym?: string[];
  symtab?: string[];
  /** Version node of all symbols. */
  version?: string;
  /** Runs of printable text in .rodata. */
  texts?: string[];
  machine?: ElfFile["machine"];
  go?: GoBuild;
  /** Texts in .gopclntab. */
  goTexts?: string[];
}

/** The symbols stand at 0x401000, 0x401100, …, in a file whose code is mapped 0x400000 higher. */
export function elfOf(stated: StatedFile): ElfReading {
  const {
    dynsym = [],
    symtab = [],
    version = null,
    texts = [],
    machine = "x86_64",
    go = null,
    goTexts = [],
  } = stated;
  const symbols = [...dynsym, ...symtab].map((name, index): ElfSymbol => {
    const fileOffset = 0x1000 + index * 0x100;
    const table = dynsym.includes(name) ? "dynsym" : "symtab";
    return { name, version, address: BigInt(0x400000 + fileOffset), fileOffset, size: 64, table };
  });
  const elf: ElfFile = {
    class: 64,
    byteOrder: "little",
    machine,
    kind: "executable",
    sections: [
      {
        name: ".gopclntab",
        type: "progbits",
        address: 0n,
        fileOffset: 0x9000,
        size: 0x1000,
        link: 0,
        info: 0,
      },
    ],
    segments: [],
    interpreter: null,
    soname: null,
    needed: [],
    buildId: "b11d",
    debugLink: null,
    hasDynsym: dynsym.length > 0,
    hasSymtab: symtab.length > 0,
    problems: [],
    definedSymbols: (names) => symbols.filter(({ name }) => names.has(name)),
    debugSymbols: () => ({ symbols: null, refused: "it is not there" }),
    fileOffsetOf: () => null,
    bytesAt: (fileOffset, length) => new Uint8Array(length).fill((fileOffset >> 8) & 255),
    goBuild: () => go,
    goFunctions: () => [],
    findText(start, pattern) {
      const runs = texts.flatMap((text) => (text.includes(start) ? [text.slice(text.indexOf(start))] : []));
      return runs.find((run) => pattern?.test(run) !== false) ?? null;
    },
    containsText: (text, section) =>
      (section === ".gopclntab" ? goTexts : texts).some((it) => it.includes(text)),
  };
  return { elf, notElf: null };
}
