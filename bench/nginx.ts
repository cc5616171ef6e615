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
import { compare, inTurns, type Row } from "./rounds.ts";
import { traceByBpftrace, traceByUs, type Tracing } from "./tracers.ts";
import { findProgram, type Child, type Workplace } from "./workplace.ts";

const rounds = 5;
const roundSeconds = 2;
const connections = 8;
const bodyBytes = 1024;
/** Of /proc/PID/stat: USER_HZ, which is 100 on x86-64 (include/asm-generic/param.h). */
const tickNs = 1e7;

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function accepts(port: number): Promise<boolean> {
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

async function startNginx(workplace: Workplace, port: number): Promise<Child> {
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
        location / { return 200 "${"x".repeat(bodyBytes)}"; }
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

/** User and system time so far: fields 14 and 15 of proc_pid_stat(5), counted after the name in parentheses. */
function cpuNs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) * tickNs;
}

interface Load {
  perSecond: number;
  cpuNsPerRequest: number;
}

async function load(pid: number, port: number): Promise<Load> {
  const before = cpuNs(pid);
  const args = ["-t1", `-c${connections}`, `-d${roundSeconds}s`, `https://127.0.0.1:${port}/`];
  const { stdout } = await promisify(execFile)("wrk", args);
  const requests = Number(/^\s*(\d+) requests in/m.exec(stdout)?.[1]);
  const rate = Number(/^Requests\/sec:\s*([\d.]+)/m.exec(stdout)?.[1]);
  if (!(requests > 0) || stdout.includes("Non-2xx")) throw new Error(`load nginx: wrk said ${stdout}`);
  return { perSecond: rate, cpuNsPerRequest: (cpuNs(pid) - before) / requests };
}

export async function measureNginx(workplace: Workplace): Promise<Row[]> {
  const port = await freePort();
  const { pid } = await startNginx(workplace, port);
  const library = libsslOf(pid);
  const ends: Record<string, { shown: number; lost: number }> = {};
  const traced = (name: string, begin: () => Promise<Tracing>) => async () => {
    const tracing = await begin();
    const result = await load(pid, port);
    const end = await tracing.end();
    const total = (ends[name] ??= { shown: 0, lost: 0 });
    total.shown += end.shown;
    total.lost += end.lost;
    return result;
  };
  const untraced = () => load(pid, port);
  const ours = traced("ours", () => traceByUs(workplace, pid));
  const theirs = traced("bpftrace", () => traceByBpftrace(workplace, pid, library));
  const withBpftrace = findProgram("bpftrace") !== null;
  if (!withBpftrace) console.error("bench: nginx: no bpftrace to compare with (apt-get install bpftrace)");
  await untraced();
  const loads = await inTurns<"untraced" | "ours" | "theirs", Load>(rounds, {
    untraced,
    ours,
    theirs: withBpftrace ? theirs : untraced,
  });
  for (const [name, { shown, lost }] of Object.entries(ends)) {
    if (lost > 0) console.error(`bench: nginx: ${name} lost ${lost} records, showed ${shown}`);
  }

  const rows: Row[] = [];
  const baselines = [
    { against: "untraced", from: loads.untraced },
    ...(withBpftrace ? [{ against: "with bpftrace", from: loads.theirs }] : []),
  ];
  for (const { against, from } of baselines) {
    const rates = (of: Load[]) => of.map((one) => one.perSecond);
    const cpu = (of: Load[]) => of.map((one) => one.cpuNsPerRequest);
    rows.push(
      compare({
        what: "nginx, requests of 1 KiB",
        against,
        baseline: rates(from),
        ours: rates(loads.ours),
        show: perSecond,
      }),
      compare({
        what: "nginx, CPU of a request",
        against,
        baseline: cpu(from),
        ours: cpu(loads.ours),
        show: nanoseconds,
      }),
    );
  }
  return rows;
}
