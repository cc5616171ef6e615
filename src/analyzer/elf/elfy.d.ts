// The part of elfy 1.0 that this room uses; the package brings no types. Its names are elfy's own.

declare module "elfy" {
  interface ElfyHeader {
    class: "32" | "64";
    endian: "lsb" | "msb";
    type: string | undefined;
    machine: string | undefined;
    phoff: number;
    phentsize: number;
    phnum: number;
    shoff: number;
    shentsize: number;
    shnum: number;
    shstrndx: number;
  }

  interface ElfyProgram {
    type: string | undefined;
    offset: number;
    vaddr: number;
    filesz: number;
    flags: { r?: true; w?: true; x?: true };
  }

  /** elfy reads `entsize` and `addralign` from the wrong place on ELF64: they are left out on purpose. */
  interface ElfySection {
    /** Offset in the table of section names. */
    name: number;
    type: string | number;
    addr: number;
    off: number;
    size: number;
    link: number;
    info: number;
  }

  interface ElfyParser {
    /** Remembers the byte order for the other two. */
    parseHeader(buffer: Buffer): ElfyHeader;
    parsePrograms(buffer: Buffer, header: ElfyHeader): ElfyProgram[];
    parseSections(buffer: Buffer, header: ElfyHeader): ElfySection[];
  }

  const elfy: { Parser: new () => ElfyParser };
  export default elfy;
  export type { ElfyHeader, ElfyProgram, ElfySection };
}
