// Generates src/analyzer/capture/layout.ts from bpf/events.h: the compiler says where each field is, so TypeScript
// never repeats an offset by hand. `--check` only says whether the file is current.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const target = join(root, "src/analyzer/capture/layout.ts");
const header = readFileSync(join(root, "bpf/events.h"), "utf8").replace(/\/\*[\s\S]*?\*\//g, "");

const structs = [...header.matchAll(/struct (ps_\w+) \{([^}]*)\}/g)].map(([, name, body]) => ({
  name,
  fields: [...body.matchAll(/(\w+)(?:\[\w+\])?;/g)]
    .map(([, field]) => field)
    .filter((field) => field !== "reserved"),
}));
const constants = [
  ...[...header.matchAll(/enum ps_\w+ \{([^}]*)\}/g)].flatMap(([, body]) =>
    [...body.matchAll(/(PS_\w+)/g)].map(([name]) => name),
  ),
  ...[...header.matchAll(/#define (PS_\w+) \d+/g)].map(([, name]) => name),
];

const program = [
  "#include <stddef.h>",
  "#include <stdio.h>",
  `#include "${join(root, "bpf/events.h")}"`,
  "int main(void) {",
  ...structs.flatMap(({ name, fields }) => [
    `printf("struct ${name} %zu\\n", sizeof(struct ${name}));`,
    ...fields.map((field) => `printf("field ${field} %zu\\n", offsetof(struct ${name}, ${field}));`),
  ]),
  ...constants.map((name) => `printf("constant ${name} %d\\n", (int)${name});`),
  "return 0; }",
].join("\n");

const folder = mkdtempSync(join(tmpdir(), "plainsight-layout-"));
let printed;
try {
  execFileSync("cc", ["-x", "c", "-", "-o", join(folder, "layout")], { input: program });
  printed = execFileSync(join(folder, "layout"), { encoding: "utf8" });
} finally {
  rmSync(folder, { recursive: true });
}

/** @param {string} name */
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());
const lines = [
  "// Generated from bpf/events.h by scripts/layout.mjs: sizes and byte offsets of its records. Do not edit.",
];
let open = false;
for (const [kind, name, value] of printed
  .trim()
  .split("\n")
  .map((line) => line.split(" "))) {
  if (kind !== "field" && open) lines.push("} as const;");
  open = kind !== "constant";
  if (kind === "struct")
    lines.push("", `export const ${camel(name.replace("ps_", ""))}Layout = {`, `  bytes: ${value},`);
  if (kind === "field") lines.push(`  ${camel(name)}: ${value},`);
  if (kind === "constant") lines.push(`export const ${name} = ${value};`);
}
const text = `${lines.join("\n")}\n`;

if (process.argv.includes("--check")) {
  if (readFileSync(target, "utf8") !== text) {
    console.error(
      "src/analyzer/capture/layout.ts is not what bpf/events.h says: run node scripts/layout.mjs",
    );
    process.exit(1);
  }
} else writeFileSync(target, text);
