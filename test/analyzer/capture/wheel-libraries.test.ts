import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { wheelLibraries, type PythonProcess } from "../../../src/analyzer/capture/wheel-libraries.ts";

/** A process's root. */
const root = mkdtempSync(join(tmpdir(), "plainsight-wheels-"));
after(() => {
  rmSync(root, { recursive: true });
});

const paths = {
  system: "/usr/lib/python3/dist-packages/psycopg2_binary.libs/libssl-0cc6e7db.so.3",
  virtual: "/srv/app/venv/lib/python3.11/site-packages/opencv_python.libs/libssl-28bef1ac.so.1.1",
  own: "/home/ada/.local/lib/python3.12/site-packages/some.libs/libgnutls-9a6f1c2b.so.30",
  given: "/opt/packages/other.libs/libmbedtls-77aa01.so.14",
  linkedIn: "/srv/tool/lib/python3.11/site-packages/cryptography/hazmat/bindings/_rust.abi3.so",
};
const beside = [
  "/usr/lib/python3/dist-packages/psycopg2_binary.libs/libpq-5d385a52.so.5.16",
  "/usr/lib/python3/dist-packages/psycopg2/libssl-0cc6e7db.so.3",
  "/usr/lib/node_modules/site-packages/some.libs/libssl.so.3",
  "/srv/app/venv/lib/python3.11/some.libs/libssl.so.3",
  "/srv/tool/lib/python3.11/site-packages/cryptography/hazmat/bindings/_openssl.pyi",
  "/srv/tool/lib/python3.11/site-packages/unknown/_rust.abi3.so",
];
for (const path of [...Object.values(paths), ...beside]) {
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), "");
}

const python: PythonProcess = {
  executable: "/usr/bin/python3.11",
  arguments: ["python3", "app.py"],
  environment: [],
};
const cases: [about: string, process: Partial<PythonProcess>, found: string[]][] = [
  ["of the installation that its executable is of", {}, [paths.system]],
  [
    "of the virtual environment by whose path it was called",
    { arguments: ["/srv/app/venv/bin/python3", "app.py"] },
    [paths.virtual, paths.system],
  ],
  [
    "of the virtual environment that is first on its path",
    { environment: ["PATH=/srv/app/venv/bin:/usr/bin"] },
    [paths.system, paths.virtual],
  ],
  [
    "that are linked into a module of a package that is known for it",
    { executable: "/srv/tool/bin/python3.11" },
    [paths.linkedIn],
  ],
  ["of its user", { environment: ["SHELL=/bin/sh", "HOME=/home/ada"] }, [paths.system, paths.own]],
  [
    "of the folders that it was given, but none that depends on where it is",
    { environment: ["PYTHONPATH=lib:/opt/packages::/none"] },
    [paths.given, paths.system],
  ],
];
for (const [about, process, found] of cases) {
  test(`wheels: finds the TLS libraries ${about}`, () => {
    assert.deepStrictEqual(wheelLibraries(root, { ...python, ...process }).sort(), [...found].sort());
  });
}

test("wheels: finds nothing for a process of which nothing is known", () => {
  const unknown = { executable: null, arguments: [], environment: [] };
  assert.deepStrictEqual(wheelLibraries(root, unknown), []);
});
