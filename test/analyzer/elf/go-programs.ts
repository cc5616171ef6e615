// Real Go programs for tests: built here by the toolchain of this machine, or by others of the versions asked for,
// where the machine has them.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

const folder = mkdtempSync(join(tmpdir(), "plainsight-go-"));
after(() => {
  rmSync(folder, { recursive: true });
});

const source = `package main

import (
	"crypto/tls"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) > 2 {
		http.ListenAndServeTLS(":0", "", "", nil)
	}
	if connection, err := tls.Dial("tcp", os.Args[1], nil); err == nil {
		connection.Write([]byte("x"))
		connection.Read(make([]byte, 1))
		connection.Close()
	}
}
`;
const withC = source.replace("import (", 'import "C"\n\nimport (');

const built = new Map<string, string>();

export interface GoBuildOptions {
  /** Such as `go1.21.13`, which Go fetches when it may; else the machine's own. */
  toolchain?: string;
  /** Linked by the C compiler, so that code of C stands before that of Go. */
  withC?: boolean;
  options: string[];
}

/** The path of the program. Throws when it cannot be built. */
export function buildGoProgram({
  toolchain = "local",
  withC: linksC = false,
  options,
}: GoBuildOptions): string {
  const key = JSON.stringify([toolchain, linksC, options]);
  const known = built.get(key);
  if (known !== undefined) return known;
  const home = mkdtempSync(join(folder, "build-"));
  writeFileSync(join(home, "go.mod"), "module example.test/program\n\ngo 1.17\n");
  writeFileSync(join(home, "main.go"), linksC ? withC : source);
  const program = join(home, "program");
  execFileSync("go", ["build", ...options, "-o", program, "."], {
    cwd: home,
    env: {
      ...process.env,
      GOENV: "off",
      GOFLAGS: "",
      GOTOOLCHAIN: toolchain,
      CGO_ENABLED: linksC ? "1" : "0",
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  built.set(key, program);
  return program;
}

const stripped = ["-ldflags", "-s -w"];

/** What real programs are: with symbols and without, movable or not, with code of C before that of Go. */
export const goBuilds: readonly [about: string, build: GoBuildOptions][] = [
  ["with symbols", { options: [] }],
  ["stripped", { options: stripped }],
  ["stripped PIE", { options: ["-buildmode=pie", ...stripped] }],
  ["stripped, linked by the C compiler", { withC: true, options: ["-ldflags", "-s -w -linkmode=external"] }],
  [
    "stripped PIE, linked by the C compiler",
    { withC: true, options: ["-buildmode=pie", "-ldflags", "-s -w -linkmode=external"] },
  ],
];
