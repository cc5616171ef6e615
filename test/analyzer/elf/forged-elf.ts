// Builds a small, sound ELF file in any class and byte order, and says where each of its fields is, so that a test can
// break exactly one of them. Every part is in one loaded segment, at an address that differs from its file offset.

export interface ForgedElf {
  bytes: Buffer;
  wide: boolean;
  /** Where each section's bytes are. */
  part: (name: SectionName) => { fileOffset: number; size: number };
  /** Overwrite one field of the header, of a section's entry or of a program header; the size is the field's own. */
  setHeader: (field: HeaderField, value: number) => ForgedElf;
  setSection: (name: SectionName | "", field: SectionField, value: number) => ForgedElf;
  setSegment: (type: SegmentType, field: SegmentField, value: number) => ForgedElf;
  /** Overwrite an address-sized value, or one of four or two bytes, anywhere. */
  setWord: (fileOffset: number, value: number) => ForgedElf;
  set32: (fileOffset: number, value: number) => ForgedElf;
  set16: (fileOffset: number, value: number) => ForgedElf;
  /** Where the value of a dynamic entry is. */
  dynamicValue: (tag: number) => number;
  sectionTable: { fileOffset: number; entrySize: number };
  programTable: { fileOffset: number; entrySize: number };
}

const headerFields = {
  type: [16, 16, 2],
  machine: [18, 18, 2],
  phoff: [28, 32, 0],
  shoff: [32, 40, 0],
  phentsize: [42, 54, 2],
  phnum: [44, 56, 2],
  shentsize: [46, 58, 2],
  shnum: [48, 60, 2],
  shstrndx: [50, 62, 2],
} as const;
const sectionFields = {
  name: [0, 0, 4],
  type: [4, 4, 4],
  address: [12, 16, 0],
  fileOffset: [16, 24, 0],
  size: [20, 32, 0],
  link: [24, 40, 4],
  info: [28, 44, 4],
} as const;
const segmentFields = {
  type: [0, 0, 4],
  flags: [24, 4, 4],
  fileOffset: [4, 8, 0],
  address: [8, 16, 0],
  fileSize: [16, 32, 0],
} as const;
const segmentTypes = { load: 1, dynamic: 2, interp: 3, note: 4 } as const;
export type HeaderField = keyof typeof headerFields;
export type SectionField = keyof typeof sectionFields;
export type SegmentField = keyof typeof segmentFields;
export type SegmentType = keyof typeof segmentTypes;

export const baseAddress = 0x40_0000;
export const functionSize = 16;
/** Symbols as [name, type, defined]: 2 is a function, 1 data, 10 an IFUNC resolver. */
const dynamicSymbols = [
  ["SSL_imported", 2, false],
  ["SSL_write", 2, true],
  ["SSL_table", 1, true],
  ["SSL_resolver", 10, true],
  ["SSL_read", 2, true],
] as const;
const firstHashed = 2;

const sectionTypeNumbers = {
  ".interp": 1,
  ".note.gnu.build-id": 7,
  ".gnu.hash": 0x6ffffff6,
  ".hash": 5,
  ".dynsym": 11,
  ".dynstr": 3,
  ".gnu.version": 0x6fffffff,
  ".gnu.version_d": 0x6ffffffd,
  ".dynamic": 6,
  ".text": 1,
  ".rodata": 1,
  ".go.buildinfo": 1,
  ".gopclntab": 1,
  ".gnu_debuglink": 1,
  ".symtab": 2,
  ".strtab": 3,
  ".shstrtab": 3,
} as const;
export type SectionName = keyof typeof sectionTypeNumbers;
const sectionNames = Object.keys(sectionTypeNumbers) as SectionName[];
const indexOf = (name: SectionName): number => 1 + sectionNames.indexOf(name);

const strings = (...texts: string[]): Buffer => Buffer.from(`\0${texts.join("\0")}\0`, "latin1");
const dynstr = strings(
  ...dynamicSymbols.map(([name]) => name),
  "libneeded.so.1",
  "libforged.so.2",
  "FORGED_1.0",
);
const strtab = strings("BIO_static_write", "main");
const shstrtab = strings(...sectionNames);

function gnuHash(name: string): number {
  let hash = 5381;
  for (const byte of Buffer.from(name)) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}

/** A shared library `libforged.so.2` that exports SSL_write and SSL_read (FORGED_1.0) and hides static_write. */
export function forgeElf({ wide = true, littleEndian = true } = {}): ForgedElf {
  const word = wide ? 8 : 4;
  const raw = (size: number, value: number): Buffer => {
    const buffer = Buffer.alloc(size);
    if (size === 8) buffer[littleEndian ? "writeBigUInt64LE" : "writeBigUInt64BE"](BigInt(value));
    else buffer[littleEndian ? "writeUIntLE" : "writeUIntBE"](value, 0, size);
    return buffer;
  };
  const pack = (...fields: [size: number, value: number][]): Buffer =>
    Buffer.concat(fields.map(([size, value]) => raw(size, value)));
  const symbol = (name: number, type: number, defined: boolean, address: number): Buffer =>
    wide
      ? pack([4, name], [1, 16 + type], [1, 0], [2, defined ? 1 : 0], [8, address], [8, functionSize])
      : pack([4, name], [4, address], [4, functionSize], [1, 16 + type], [1, 0], [2, defined ? 1 : 0]);
  const emptySymbol = Buffer.alloc(wide ? 24 : 16);

  /** Contents, given where each section will be; called first with zeros to learn the sizes. */
  const contents = (place: (name: SectionName) => number): Record<SectionName, Buffer> => {
    const address = (name: SectionName): number => baseAddress + place(name);
    const code = (index: number): number => address(".text") + index * functionSize;
    const hashed = dynamicSymbols.slice(firstHashed - 1);
    const tags: [number, number][] = [
      [1, dynstr.indexOf("libneeded.so.1")],
      [14, dynstr.indexOf("libforged.so.2")],
      [4, address(".hash")],
      [5, address(".dynstr")],
      [6, address(".dynsym")],
      [10, dynstr.length],
      [0x6ffffef5, address(".gnu.hash")],
      [0x6ffffff0, address(".gnu.version")],
      [0x6ffffffc, address(".gnu.version_d")],
      [0, 0],
    ];
    return {
      ".interp": Buffer.from("/lib/ld-forged.so.1\0"),
      ".note.gnu.build-id": Buffer.concat([
        pack([4, 4], [4, 4], [4, 1], [4, 0x474e5500], [4, 0]),
        pack([4, 4], [4, 5], [4, 3]),
        Buffer.from("GNU\0\x01\x23\x45\x67\x89\0\0\0", "latin1"),
      ]),
      ".gnu.hash": Buffer.concat([
        pack([4, 1], [4, firstHashed], [4, 1], [4, 6], [word, 0], [4, firstHashed]),
        ...hashed.map(([name], i) =>
          raw(4, ((gnuHash(name) & ~1) | (i === hashed.length - 1 ? 1 : 0)) >>> 0),
        ),
      ]),
      ".hash": pack([4, 0], [4, 1 + dynamicSymbols.length]),
      ".dynsym": Buffer.concat([
        emptySymbol,
        ...dynamicSymbols.map(([name, type, defined], i) =>
          symbol(dynstr.indexOf(`\0${name}\0`) + 1, type, defined, defined ? code(i) : 0),
        ),
      ]),
      ".dynstr": dynstr,
      ".gnu.version": pack([2, 0], [2, 1], [2, 2], [2, 1], [2, 1], [2, 0x8002]),
      ".gnu.version_d": pack(
        ...([
          [2, 1],
          [2, 0],
          [2, 2],
          [2, 1],
          [4, 0],
          [4, 20],
          [4, 0],
        ] as [number, number][]),
        [4, dynstr.indexOf("FORGED_1.0")],
        [4, 0],
      ),
      ".dynamic": Buffer.concat(tags.map(([tag, value]) => pack([word, tag], [word, value]))),
      ".text": Buffer.alloc(8 * functionSize, 0xc3),
      ".rodata": Buffer.from("\0OpenSSL engine\0OpenSSL 3.1.4 forged\0", "latin1"),
      ".go.buildinfo": Buffer.concat([
        Buffer.from("\xff Go buildinf:", "latin1"),
        Buffer.from([word, 2]),
        Buffer.alloc(16),
        Buffer.from("\x08go1.99.1", "latin1"),
      ]),
      ".gopclntab": Buffer.concat([Buffer.from([0xf1, 0xff, 0xff, 0xff, 0, 0, 1, word]), raw(word, 3)]),
      ".gnu_debuglink": Buffer.from("forged.debug\0\0\0\0\0\0\0\0", "latin1"),
      ".symtab": Buffer.concat([
        emptySymbol,
        symbol(strtab.indexOf("static_write"), 2, true, code(6)),
        symbol(strtab.indexOf("main"), 2, true, code(7)),
      ]),
      ".strtab": strtab,
      ".shstrtab": shstrtab,
    };
  };

  const headerSize = wide ? 64 : 52;
  const programTable = { fileOffset: headerSize, entrySize: wide ? 56 : 32 };
  const segments: SegmentType[] = ["load", "interp", "note", "dynamic"];
  const sizes = contents(() => 0);
  const places = new Map<SectionName, number>();
  let end = headerSize + segments.length * programTable.entrySize;
  for (const name of sectionNames) {
    end = Math.ceil(end / 16) * 16;
    places.set(name, end);
    end += sizes[name].length;
  }
  const place = (name: SectionName): number => places.get(name) ?? 0;
  const sectionTable = { fileOffset: Math.ceil(end / 16) * 16, entrySize: wide ? 64 : 40 };
  const bytes = Buffer.alloc(sectionTable.fileOffset + (1 + sectionNames.length) * sectionTable.entrySize);
  const bodies = contents(place);
  for (const name of sectionNames) bodies[name].copy(bytes, place(name));

  const write = (at: number, size: number, value: number): ForgedElf => {
    raw(size, value).copy(bytes, at);
    return forged;
  };
  type FieldPlace = readonly [narrow: number, wide: number, size: number];
  const setField = (start: number, [narrowAt, wideAt, size]: FieldPlace, value: number): ForgedElf =>
    write(start + (wide ? wideAt : narrowAt), size || word, value);
  const forged: ForgedElf = {
    bytes,
    wide,
    sectionTable,
    programTable,
    part: (name) => ({ fileOffset: place(name), size: sizes[name].length }),
    setHeader: (field, value) => setField(0, headerFields[field], value),
    setSection: (name, field, value) => {
      const index = name === "" ? 0 : indexOf(name);
      return setField(sectionTable.fileOffset + index * sectionTable.entrySize, sectionFields[field], value);
    },
    setSegment: (type, field, value) => {
      const start = programTable.fileOffset + segments.indexOf(type) * programTable.entrySize;
      return setField(start, segmentFields[field], value);
    },
    setWord: (at, value) => write(at, word, value),
    set32: (at, value) => write(at, 4, value),
    set16: (at, value) => write(at, 2, value),
    dynamicValue: (tag) => {
      for (let at = place(".dynamic"); ; at += 2 * word) {
        if (raw(word, tag).equals(bytes.subarray(at, at + word))) return at + word;
      }
    },
  };

  Buffer.from([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, littleEndian ? 1 : 2, 1]).copy(bytes);
  forged.setHeader("type", 3).setHeader("machine", 62);
  forged.setHeader("phoff", programTable.fileOffset).setHeader("phentsize", programTable.entrySize);
  forged.setHeader("phnum", segments.length).setHeader("shoff", sectionTable.fileOffset);
  forged.setHeader("shentsize", sectionTable.entrySize).setHeader("shnum", 1 + sectionNames.length);
  forged.setHeader("shstrndx", indexOf(".shstrtab"));
  const segmentParts = { interp: ".interp", note: ".note.gnu.build-id", dynamic: ".dynamic" } as const;
  for (const type of segments) {
    const range = type === "load" ? { fileOffset: 0, size: bytes.length } : forged.part(segmentParts[type]);
    forged.setSegment(type, "type", segmentTypes[type]).setSegment(type, "flags", type === "load" ? 7 : 4);
    forged.setSegment(type, "fileOffset", range.fileOffset).setSegment(type, "fileSize", range.size);
    forged.setSegment(type, "address", baseAddress + range.fileOffset);
  }
  const links: Partial<Record<SectionName, SectionName>> = { ".dynsym": ".dynstr", ".symtab": ".strtab" };
  for (const name of sectionNames) {
    const link = links[name];
    forged.setSection(name, "name", shstrtab.indexOf(`\0${name}\0`) + 1);
    forged.setSection(name, "type", sectionTypeNumbers[name]);
    forged.setSection(name, "address", baseAddress + place(name));
    forged.setSection(name, "fileOffset", place(name)).setSection(name, "size", sizes[name].length);
    if (link !== undefined) forged.setSection(name, "link", indexOf(link));
  }
  return forged;
}

/** The file with something behind it that is loaded too; `connect` is given its file offset. */
export function extended(
  elf: ForgedElf,
  more: Uint8Array,
  connect: (fileOffset: number) => ForgedElf,
): Uint8Array {
  const fileOffset = elf.bytes.length;
  elf.setSegment("load", "fileSize", fileOffset + more.length);
  return Buffer.concat([connect(fileOffset).bytes, more]);
}
