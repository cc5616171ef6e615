// `npm run matrix [-- ID…]`: runs the targets, one after the other, and writes docs/support-matrix.json and .md. With
// ids only those are run, and the rows of the others stay as they were.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { arch, release, tmpdir } from "node:os";
import { join } from "node:path";
import { format } from "prettier";
import { stackTitles } from "../../src/protocol/coverage.ts";
import { clients } from "./clients.ts";
import { exercise, watchHellos } from "./exercise.ts";
import { installPackages } from "./install.ts";
import { makeCertificates } from "./peer.ts";
import { agrees, markdown, type Matrix, type Row } from "./render.ts";
import { servers } from "./servers.ts";
import { vendorSays, type Target } from "./target.ts";

const docs = new URL("../../docs/", import.meta.url).pathname;
const targets: readonly Target[] = [...clients, ...servers];

async function rowOf(target: Target, folder: string): Promise<Row> {
  const { id, name, side, family, unverified = false } = target;
  const head = { id, name, side, unverified, vendor: family === null ? null : vendorSays[family] };
  try {
    const outcome = await exercise(target, certificates, join(folder, id), hellos);
    const { version, report, measured, byProxy, byHello } = outcome;
    const stack = report?.stacks[0] ?? null;
    return {
      ...head,
      version,
      skipped: null,
      stack: stack && {
        ...{ name: stackTitles[stack.stack], version: stack.version },
        ...{ linkage: stack.linkage, symbols: stack.symbols },
      },
      class: report?.class ?? null,
      path: report?.path ?? null,
      predicted: report?.verdict ?? null,
      reason: report?.reason.text ?? null,
      ...{ measured, byProxy, byHello },
    };
  } catch (error) {
    const skipped = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    const scanned = { stack: null, class: null, path: null, predicted: null, reason: null };
    const seen = { measured: null, byProxy: null, byHello: null };
    return { ...head, ...scanned, ...seen, version: null, skipped };
  }
}

function before(): Map<string, Row> {
  const path = join(docs, "support-matrix.json");
  if (!existsSync(path)) return new Map();
  const { rows } = JSON.parse(readFileSync(path, "utf8")) as Matrix;
  return new Map(rows.map((row) => [row.id, row]));
}

const chosen = new Set(process.argv.slice(2));
const unknown = [...chosen].filter((id) => !targets.some((target) => target.id === id));
if (unknown.length > 0) {
  console.error(
    `matrix: no such target: ${unknown.join(", ")}; there are ${targets.map(({ id }) => id).join(" ")}`,
  );
  process.exit(2);
}
if (process.geteuid?.() !== 0) {
  console.error("matrix: tracing needs root: sudo npm run matrix");
  process.exit(3);
}
const known = chosen.size > 0 ? before() : new Map<string, Row>();
const wanted = targets.filter(({ id }) => chosen.size === 0 || chosen.has(id));
installPackages(wanted);
const folder = mkdtempSync(join(tmpdir(), "plainsight-matrix-"));
chmodSync(folder, 0o755); // Apache and PostgreSQL give up root
const certificates = makeCertificates(folder);
process.env.XDG_STATE_HOME = join(folder, "state"); // the proxy's authority goes with the run
const hellos = await watchHellos();
for (const target of wanted) {
  const row = await rowOf(target, folder);
  known.set(row.id, row);
  const outcome =
    row.skipped ??
    `${row.class ?? "?"}, ${row.predicted ?? "?"}, ${row.measured?.state ?? "?"}; by proxy ` +
      `${row.byProxy?.state ?? "?"} (${row.byProxy?.reason ?? ""}), hello ${row.byHello?.state ?? "?"}` +
      (row.byHello?.process === true ? "" : ", of no process of it");
  console.error(`${row.skipped === null && !agrees(row) ? "!" : " "} ${target.id}: ${outcome}`);
}
await hellos.close();
rmSync(folder, { recursive: true });

const matrix: Matrix = {
  schema: "plainsight.matrix/1",
  generatedAt: new Date().toISOString(),
  kernel: /^[\d.]*\d/.exec(release())?.[0] ?? release(),
  arch: arch() === "x64" ? "x86_64" : arch(),
  rows: targets.flatMap(({ id }) => known.get(id) ?? []),
};
mkdirSync(docs, { recursive: true });
for (const [name, text, parser] of [
  ["support-matrix.json", JSON.stringify(matrix), "json"],
  ["support-matrix.md", markdown(matrix), "markdown"],
] as const) {
  writeFileSync(join(docs, name), await format(text, { parser, printWidth: 110 }));
}
// Programs may leave children behind that keep a pipe of ours open.
process.exit(0);
