export function disassembler(): typeof import("iced-x86");
