// Gets the programs of the reference matrix from the registries into a cache of their own; Debian's packages go where
// Debian puts them, without starting a service. What cannot be got is told as a reason.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import type { Source, Target } from "./target.ts";

const root = new URL("../../", import.meta.url).pathname;
const cache = join(root, ".plainsight/targets");
export const programs = join(root, "test/targets/programs");

const minutes = 60_000;
const run = (command: string, args: string[], cwd = root, environment: Record<string, string> = {}) => {
  execFileSync(command, args, {
    cwd,
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 10 * minutes,
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", ...environment },
  });
};

function isThere(name: string): boolean {
  if (name.startsWith("/")) return existsSync(name);
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.some((folder) => existsSync(join(folder, name)));
}

const missingOf = ({ needs = [] }: Source): string[] => needs.filter((name) => !isThere(name));

/** Installs the Debian packages of all targets at once; each target finds out for itself what is still missing. */
export function installPackages(targets: readonly Target[]): void {
  const lacking = targets.filter(({ source }) => missingOf(source).length > 0);
  const packages = [...new Set(lacking.flatMap(({ source }) => source.apt ?? []))];
  if (packages.length === 0) return;
  if (process.geteuid?.() !== 0) return;
  // Debian asks this file before it starts a service: 101 means that it may not (invoke-rc.d(8)).
  const policy = "/usr/sbin/policy-rc.d";
  const isOurs = !existsSync(policy);
  if (isOurs) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  try {
    spawnSync("apt-get", ["update"], { stdio: "ignore" });
    for (const name of packages) {
      const options = ["install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=600"];
      const { status } = spawnSync("apt-get", [...options, name], {
        stdio: "ignore",
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
      });
      if (status !== 0) console.error(`matrix: apt-get install ${name} failed`);
    }
  } finally {
    if (isOurs) spawnSync("rm", [policy]);
  }
}

/** The program's path, empty where the command names it itself; throws with the reason when it cannot be got. */
export async function installProgram({ source, id }: Target, folder: string): Promise<string> {
  const missing = missingOf(source);
  if (missing.length > 0) throw new Error(`not on this machine: ${missing.join(", ")}`);
  if (source.npm) return fromNpm(source.npm);
  if (source.pip) return fromPip(source.pip, id);
  if (source.go) return fromGo(source.go, id);
  if (source.java) return fromJava(source.java, folder);
  if (source.build === undefined) return "";
  const kept = join(cache, "build", id);
  mkdirSync(kept, { recursive: true });
  for (const line of source.build) {
    const variables = [["$PROGRAMS", programs] as const, ["$DIR", folder] as const, ["$KEPT", kept] as const];
    const command = variables.reduce((text, [name, value]) => text.replaceAll(name, value), line);
    run("/bin/sh", ["-c", command]);
  }
  return join(folder, "program");
}

function fromNpm({ name, program }: NonNullable<Source["npm"]>): string {
  const folder = join(cache, "npm", name.replaceAll("/", "_"));
  const path = join(folder, "package", program);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  run("npm", ["pack", "--silent", "--pack-destination", folder, name], folder);
  const archive = readdirSync(folder).find((file) => file.endsWith(".tgz"));
  if (archive === undefined) throw new Error(`npm has no ${name}`);
  run("tar", ["-xzf", archive], folder);
  run("chmod", ["+x", path]);
  return path;
}

function fromPip(requirements: string[], id: string): string {
  const folder = join(cache, "pip", id);
  if (existsSync(folder)) return folder;
  // Moved into place when it is whole.
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  const options = ["--quiet", "--no-deps", "--only-binary=:all:", "--target", part];
  run("/usr/bin/python3", ["-m", "pip", "install", ...options, ...requirements]);
  renameSync(part, folder);
  return folder;
}

async function fromGo({ version, options }: NonNullable<Source["go"]>, id: string): Promise<string> {
  const folder = join(cache, "go-programs", id);
  const path = join(folder, "https");
  if (existsSync(path) && version !== null) return path;
  mkdirSync(folder, { recursive: true });
  const go = version === null ? "go" : await goToolchain(version);
  const environment = { GOENV: "off", GOFLAGS: "", GOTOOLCHAIN: "local", GO111MODULE: "off" };
  run(go, ["build", ...options, "-o", path, join(programs, "https.go")], folder, environment);
  return path;
}

/** The module proxy carries whole toolchains (go.dev/doc/toolchain). */
async function goToolchain(version: string): Promise<string> {
  const folder = join(cache, "go", version);
  const name = `golang.org/toolchain@v0.0.1-go${version}.linux-amd64`;
  const path = join(folder, name, "bin/go");
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const [module = "", tag = ""] = name.split("@");
  const proxies = execFileSync("go", ["env", "GOPROXY"], { encoding: "utf8" });
  const proxy = proxies.split(/[,|\n]/).find((url) => url.startsWith("http")) ?? "https://proxy.golang.org";
  await download(`${proxy}/${module}/@v/${tag}.zip`, join(folder, "toolchain.zip"));
  run("python3", ["-m", "zipfile", "-e", "toolchain.zip", "."], folder);
  run("/bin/sh", ["-c", "rm toolchain.zip; chmod -R u+w .; chmod +x */*/bin/* */*/pkg/tool/*/*"], folder);
  return path;
}

/** A class path: the compiled main class, and the jars from Maven Central. */
async function fromJava(
  { main, jars, shaded }: NonNullable<Source["java"]>,
  folder: string,
): Promise<string> {
  const kept = join(cache, "maven");
  mkdirSync(kept, { recursive: true });
  const paths: string[] = [];
  for (const jar of jars) {
    const [group = "", artifact = "", version = "", classifier] = jar.split(":");
    const name = `${[artifact, version, ...(classifier === undefined ? [] : [classifier])].join("-")}.jar`;
    const path = join(kept, name);
    const base = "https://repo1.maven.org/maven2";
    if (!existsSync(path))
      await download(`${base}/${group.replaceAll(".", "/")}/${artifact}/${version}/${name}`, path);
    paths.push(path);
  }
  let program = join(programs, `${main}.java`);
  if (shaded !== undefined) {
    const text = readFileSync(program, "utf8").replaceAll("io.netty.", `${shaded}.io.netty.`);
    program = join(folder, `${main}.java`);
    writeFileSync(program, text);
  }
  run("javac", ["-cp", paths.join(":") || ".", "-d", folder, program]);
  return [folder, ...paths].join(":");
}

async function download(url: string, path: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5 * minutes) });
  if (!response.ok) throw new Error(`download ${new URL(url).pathname}: status ${response.status}`);
  await writeFile(path, Buffer.from(await response.arrayBuffer()));
}
