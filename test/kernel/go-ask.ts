// The Go client of test/fixtures/go-ask, built.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fixtures } from "./rig.ts";

/** Gives the program, which is in this folder. */
export function buildGoAsk(folder: string): string {
  const program = join(folder, "go-ask");
  const environment = { ...process.env, GOENV: "off", GOFLAGS: "", GOTOOLCHAIN: "local" };
  execFileSync("go", ["build", "-o", program, "."], {
    cwd: join(fixtures, "go-ask"),
    env: environment,
    stdio: "inherit",
  });
  return program;
}
