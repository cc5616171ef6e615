// Loads the disassembler at its first use: it is a megabyte of WebAssembly and takes 40 ms, and few files need it.
// CommonJS, because only a call of require is both bundled and put off.
exports.disassembler = () => require("iced-x86");
