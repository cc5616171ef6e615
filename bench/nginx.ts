// What tracing costs a server: nginx with one worker answers keep-alive requests over TLS, untraced, traced by us and
// traced by bpftrace in turns. Requests a second include the tracer's own share of the machine; CPU a request is
// nginx's alone.
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { libsslOf, ownLibssl } from "./calls.ts";
import { nanoseconds, perSecond } from "./quantities.ts";
import { compare, inTurns, median, type Row } from "./rounds.ts";
import { traceByBpftrace, traceByUs, type Tracing } from "./tracers.ts";
import { findProgram, type Child, type Workplace } from "./workplace.ts";

const rounds = 5;
const roundSeconds = 1;
const connections = 8;
const bodyBytes = 1024;

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  try {
    return await new Promise((resolve) => {
      socket.once("connect", () => {
        resolve(true);
      });
      socket.once("error", () => {
        resolve(false);
      });
    });
  } finally {
    socket.destroy();
  }
}

const oneBody = `location / { return 200 "${"x".repeat(bodyBytes)}"; }`;

/** @param locations what it serves, as nginx's configuration says it */
export async function startNginx(
  workplace: Workplace,
  port: number,
  locations: string = oneBody,
): Promise<Child> {
  const { folder } = workplace;
  const { key, certificate } = workplace.certificate();
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${join(folder, name)};`,
  );
  const configuration = `
    daemon off;
    master_process off;
    pid ${join(folder, "nginx.pid")};
    error_log stderr error;
    events {}
    http {
      access_log off;
      keepalive_requests 1000000000;
      ${temporary.join(" ")}
      server {
        listen 127.0.0.1:${port} ssl;
        ssl_certificate ${certificate};
        ssl_certificate_key ${key};
        ${locations}
      }
    }`;
  const file = join(folder, "nginx.conf");
  writeFileSync(file, configuration);
  const program = findProgram("nginx") ?? "nginx";
  const environment = ownLibssl(workplace, program);
  const child = workplace.start(program, ["-p", folder, "-e", "stderr", "-c", file], { environment });
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`start nginx: it exited with status ${child.exitCode}`);
  }
  return child;
}

/** Time on a CPU so far: Documentation/scheduler/sched-stats.rst. /proc/PID/stat counts in steps of 10 ms. */
function cpuNs(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/schedstat`, "utf8").split(" ")[0]);
}

interface Load {
  requests: number;
  perSecond: number;
  cpuNsPerRequest: number;
}

/** What a mode of load is good for: one shows how much nginx can do, the other, slow enough that no tracer loses anything,
 * what a request costs it. */
const modes = ["full", "gentle"] as const;
type Mode = (typeof modes)[number];

/** wrk asks it before each request of a connection. */
const gentleScript = "function delay() return 1 end\n";

interface Server {
  pid: number;
  port: number;
  script: string;
}

async function load({ pid, port, script }: Server, mode: Mode): Promise<Load> {
  const before = cpuNs(pid);
  const args = [
    "-t1",
    `-c${connections}`,
    `-d${roundSeconds}s`,
    ...(mode === "gentle" ? ["-s", script] : []),
  ];
  const { stdout } = await promisify(execFile)("wrk", [...args, `https://127.0.0.1:${port}/`]);
  const requests = Number(/^\s*(\d+) requests in/m.exec(stdout)?.[1]);
  const rate = Number(/^Requests\/sec:\s*([\d.]+)/m.exec(stdout)?.[1]);
  if (!(requests > 0) || stdout.includes("Non-2xx")) throw new Error(`load nginx: wrk said ${stdout}`);
  return { requests, perSecond: rate, cpuNsPerRequest: (cpuNs(pid) - before) / requests };
}

/** As {@link load} by a tracing that begins before and ends after; says what was lost. */
async function loadTraced(server: Server, mode: Mode, begin: () => Promise<Tracing>): Promise<Load & Lost> {
  const tracing = await begin();
  const result = await load(server, mode);
  return { ...result, lost: (await tracing.end()).lost };
}

interface Lost {
  lost: number;
}

/** A request and its response are two records. */
function lostShare(loads: (Load & Lost)[]): string | null {
  const lost = loads.reduce((sum, one) => sum + one.lost, 0);
  const records = loads.reduce((sum, one) => sum + 2 * one.requests, 0);
  return lost === 0 ? null : `${((100 * lost) / records).toFixed(0)} % of records lost`;
}

async function measureMode(workplace: Workplace, server: Server, mode: Mode): Promise<Row[]> {
  const { pid } = server;
  const library = libsslOf(pid);
  const withBpftrace = findProgram("bpftrace") !== null;
  const untraced = async () => ({ ...(await load(server, mode)), lost: 0 });
  await untraced();
  const loads = await inTurns(rounds, {
    untraced,
    ours: () => loadTraced(server, mode, () => traceByUs(workplace, pid)),
    theirs: withBpftrace
      ? () => loadTraced(server, mode, () => traceByBpftrace(workplace, pid, library))
      : untraced,
  });
  const value = (one: Load) => (mode === "full" ? one.perSecond : one.cpuNsPerRequest);
  const remark = lostShare(loads.ours);
  const row = (against: string, baseline: Load[]) =>
    compare({
      what:
        mode === "full" ? "nginx, requests of 1 KiB" : `nginx at ${rateOf(loads.untraced)}, CPU of a request`,
      against,
      baseline: baseline.map(value),
      ours: loads.ours.map(value),
      show: mode === "full" ? perSecond : nanoseconds,
      ...(remark === null ? {} : { remark }),
    });
  const lostByThem = lostShare(loads.theirs);
  return [
    row("untraced", loads.untraced),
    ...(withBpftrace
      ? [row(`with bpftrace${lostByThem === null ? "" : ` (${lostByThem})`}`, loads.theirs)]
      : []),
  ];
}

const rateOf = (loads: Load[]) => perSecond(median(loads.map((one) => one.perSecond)));

export async function measureNginx(workplace: Workplace): Promise<Row[]> {
  if (!findProgram("bpftrace"))
    console.error("bench: nginx: no bpftrace to compare with (apt-get install bpftrace)");
  const port = await freePort();
  const { pid } = await startNginx(workplace, port);
  const script = join(workplace.folder, "gentle.lua");
  writeFileSync(script, gentleScript);
  const rows: Row[] = [];
  for (const mode of modes) rows.push(...(await measureMode(workplace, { pid, port, script }, mode)));
  return rows;
}
