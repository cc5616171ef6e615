// Builds what is stale into dist/: the BPF objects (clang), the addon (c++) with the libraries it needs beside it, and
// the bundles (esbuild). `--watch` is not needed: a second run takes a fraction of a second.
import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, realpathSync } from "node:fs";
import { basename, join } from "node:path";
import * as esbuild from "esbuild";
import { writeNotices } from "./notices.mjs";
import { whenStale } from "./stale.mjs";

const root = new URL("..", import.meta.url).pathname;
process.chdir(root);
const triplet = "x86_64-linux-gnu";

/** @param {string} program @param {string[]} args */
function run(program, args) {
  try {
    execFileSync(program, args, { stdio: ["ignore", "inherit", "inherit"] });
  } catch (error) {
    throw new Error(`build: ${program} ${args.at(-1)} failed`, { cause: error });
  }
}

async function buildBpf() {
  mkdirSync("dist/bpf", { recursive: true });
  const headers = readdirSync("bpf")
    .filter((name) => name.endsWith(".h"))
    .map((name) => join("bpf", name));
  for (const source of readdirSync("bpf").filter((name) => name.endsWith(".bpf.c"))) {
    const object = join("dist/bpf", source.replace(/\.c$/, ".o"));
    await whenStale(`bpf-${source}`, { inputs: [join("bpf", source), ...headers], outputs: [object] }, () => {
      // mcpu=v3 has 32-bit jumps, without which the verifier loses bounds it needs.
      const flags = [
        "-g",
        "-O2",
        "-target",
        "bpf",
        "-mcpu=v3",
        "-D__TARGET_ARCH_x86",
        "-Wall",
        "-Wextra",
        "-Werror",
      ];
      run("clang", [...flags, `-I/usr/include/${triplet}`, "-o", object, "-c", join("bpf", source)]);
      run("llvm-strip", ["-g", object]);
    });
  }
}

/** Where the system's loader finds a library, by its soname. @param {string} soname */
function library(soname) {
  const found = [`/lib/${triplet}`, `/usr/lib/${triplet}`, "/usr/lib64", "/lib64"]
    .map((folder) => join(folder, soname))
    .find((path) => existsSync(path));
  if (!found) throw new Error(`build: ${soname} is not installed (apt-get install libbpf-dev)`);
  return realpathSync(found);
}

async function buildNative() {
  mkdirSync("dist/native", { recursive: true });
  const output = "dist/native/plainsight.node";
  const sources = readdirSync("native")
    .filter((name) => name.endsWith(".cc"))
    .map((name) => join("native", name));
  const shipped = ["libbpf.so.1", "libelf.so.1", "libz.so.1"];
  const outputs = [output, ...shipped.map((name) => join("dist/native", name))];
  await whenStale("native", { inputs: ["native"], outputs }, () => {
    const include = ["node_modules/node-addon-api", "node_modules/node-api-headers/include"].map(
      (path) => `-I${path}`,
    );
    const flags = ["-std=c++17", "-O2", "-fPIC", "-Wall", "-Wextra", "-Werror", "-DNAPI_VERSION=8"];
    // DT_RPATH rather than DT_RUNPATH: it also applies to the libraries that libbpf itself needs.
    const link = ["-shared", "-Wl,--disable-new-dtags", "-Wl,-rpath,$ORIGIN", "-Wl,--no-as-needed"];
    run("c++", [
      ...flags,
      ...include,
      ...link,
      "-o",
      output,
      ...sources,
      "-lbpf",
      "-l:libelf.so.1",
      "-l:libz.so.1",
    ]);
    for (const name of shipped) copyFileSync(library(name), join("dist/native", name));
  });
}

/** @type {Record<string, esbuild.BuildOptions>} */
const bundles = {
  "dist/cli.js": { entryPoints: ["src/analyzer/cli.ts"], format: "esm", platform: "node", target: "node20" },
  "dist/tracer.js": {
    entryPoints: ["src/tracer/main.ts"],
    format: "esm",
    platform: "node",
    target: "node20",
  },
  "dist/extension.cjs": {
    entryPoints: ["src/extension/extension.ts"],
    format: "cjs",
    platform: "node",
    target: "node20",
    external: ["vscode"],
  },
  "dist/webview/live-traffic.js": {
    entryPoints: ["webview/live-traffic/main.ts"],
    format: "iife",
    target: "es2022",
  },
  "dist/report/report.js": {
    entryPoints: ["webview/report/main.ts"],
    format: "iife",
    target: "es2022",
    minify: true,
  },
  "dist/report/report.css": { entryPoints: ["webview/report/report.css"], minify: true },
  "dist/webview/live-traffic.css": { entryPoints: ["webview/live-traffic/live-traffic.css"] },
};

const notices = "dist/THIRD_PARTY_NOTICES.txt";

// Bundled CommonJS packages ask for Node's own modules by require, and for their folder, which an ES module does not have.
const commonjsShim =
  'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);' +
  " const __dirname = import.meta.dirname;";

/** What the disassembler loads from the folder that it is in. */
const disassembler = "dist/iced_x86_bg.wasm";

async function buildBundles() {
  const inputs = ["src", "webview", "package.json", "package-lock.json", "scripts/build.mjs"];
  const outputs = [...Object.keys(bundles), disassembler, notices];
  await whenStale("bundles", { inputs, outputs }, async () => {
    const built = await Promise.all(
      Object.entries(bundles).map(([outfile, options]) =>
        esbuild.build({
          bundle: true,
          metafile: true,
          logLevel: "warning",
          legalComments: "none",
          loader: { ".ttf": "file" },
          ...(options.format === "esm" ? { banner: { js: commonjsShim } } : {}),
          ...options,
          outfile,
        }),
      ),
    );
    copyFileSync("node_modules/iced-x86/iced_x86_bg.wasm", disassembler);
    writeNotices(
      built.map(({ metafile }) => metafile),
      notices,
    );
  });
}

const steps = { bpf: buildBpf, native: buildNative, bundles: buildBundles };
const wanted = process.argv.slice(2);
for (const [name, step] of Object.entries(steps)) {
  if (wanted.length === 0 || wanted.includes(name)) await step();
}
console.error(`built ${wanted.join(", ") || "all"} in ${basename(root)}/dist`);
