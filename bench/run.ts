// The benchmark: `npm run bench` runs every part, `npm run bench -- calls scan` the named ones. It prints ratios against
// baselines measured beside them in the same run; the absolute values are of this machine at this moment.
import { existsSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release } from "node:os";
import { measureCalls } from "./calls.ts";
import { measureHost } from "./host.ts";
import { measureNetwork } from "./network.ts";
import { measureNginx } from "./nginx.ts";
import { measureProxy } from "./proxy.ts";
import { measureRecords } from "./records.ts";
import type { Row } from "./rounds.ts";
import { measureScan } from "./scan.ts";
import { findProgram, Workplace } from "./workplace.ts";

interface Part {
  /** Programs (or, with a slash, files) without which it cannot run, and the Debian package of each. */
  needs: Record<string, string>;
  needsRoot: boolean;
  measure(workplace: Workplace): Promise<Row[]>;
}

const caller = { cc: "gcc", "/usr/include/openssl/ssl.h": "libssl-dev", openssl: "openssl" };

const parts: Record<string, Part> = {
  calls: { needs: caller, needsRoot: true, measure: measureCalls },
  records: { needs: caller, needsRoot: true, measure: measureRecords },
  scan: { needs: { readelf: "binutils", python3: "python3" }, needsRoot: false, measure: measureScan },
  host: { needs: { readelf: "binutils", python3: "python3" }, needsRoot: true, measure: measureHost },
  nginx: {
    needs: { nginx: "nginx-light", wrk: "wrk", openssl: "openssl" },
    needsRoot: true,
    measure: measureNginx,
  },
  network: {
    needs: { bpftool: "bpftool", clang: "clang", cc: "gcc", nginx: "nginx-light", openssl: "openssl" },
    needsRoot: true,
    measure: measureNetwork,
  },
  proxy: {
    needs: { nginx: "nginx-light", mitmdump: "mitmproxy", openssl: "openssl" },
    needsRoot: true,
    measure: measureProxy,
  },
};

function obstacle({ needs, needsRoot }: Part): string | null {
  if (needsRoot && process.geteuid?.() !== 0) return "it needs root: sudo npm run bench";
  const missing = Object.keys(needs).filter(
    (name) => !(name.startsWith("/") ? existsSync(name) : findProgram(name)),
  );
  if (missing.length === 0) return null;
  const packages = missing.map((program) => needs[program]).join(" ");
  return `${missing.join(", ")} not installed: sudo apt-get install ${packages}`;
}

function print(rows: Row[]): void {
  const cells = [
    ["what", "baseline", "ours", "ratio"],
    ...rows.map(({ what, baseline, ours, ratio }) => [what, baseline, ours, `×${ratio.toFixed(2)}`]),
  ];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  for (const line of cells) {
    const padded = line.map((cell, column) =>
      column === 3 ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    );
    console.log(padded.join("  "));
  }
}

const named = process.argv.slice(2);
const unknown = named.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0) {
  console.error(`bench: no part ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}`);
  process.exit(2);
}

let current: Workplace | null = null;
let failed = false;
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    void (current?.close() ?? Promise.resolve()).finally(() => process.exit(130));
  });
}

const rows: Row[] = [];
for (const [name, part] of Object.entries(parts)) {
  if (named.length > 0 && !named.includes(name)) continue;
  const reason = obstacle(part);
  if (reason !== null) {
    console.error(`bench: ${name} SKIPPED: ${reason}`);
    continue;
  }
  const startedMs = performance.now();
  const workplace = (current = new Workplace());
  try {
    rows.push(...(await part.measure(workplace)));
  } catch (error) {
    failed = true;
    console.error(`bench: ${name} FAILED: ${error instanceof Error ? error.message : String(error)}`);
  } finally {
    await workplace.close();
  }
  console.error(`bench: ${name} took ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
}

if (rows.length > 0) print(rows);
const load = loadavg().map((value) => value.toFixed(1));
console.log(
  `on ${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "an unknown CPU"}, Linux ${release()}, ` +
    `Node ${process.version}, load ${load.join(" ")}`,
);
process.exitCode = failed ? 1 : 0;
