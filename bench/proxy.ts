// What the local proxy costs a client: Node asks nginx over TLS directly, through our proxy, and through Debian's
// mitmproxy in turns. All that is measured is the client's own experience.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { accepts, freePort, startNginx } from "./nginx.ts";
import { milliseconds, perSecond } from "./quantities.ts";
import { compare, inTurns, type Row } from "./rounds.ts";
import type { Workplace } from "./workplace.ts";

const rounds = 3;
const largeBytes = 1024 * 1024;
const client = join(import.meta.dirname, "fixtures/https-client.mjs");
const program = join(import.meta.dirname, "../bin/plainsight");

/** What the client prints. */
interface Experience {
  requestMs: number;
  connectionMs: number;
  requestsPerSecond: number;
  largeMs: number;
}

export async function measureProxy(workplace: Workplace): Promise<Row[]> {
  const { folder } = workplace;
  const port = await freePort();
  writeFileSync(join(folder, "large"), Buffer.alloc(largeBytes, "x"));
  writeFileSync(join(folder, "small"), Buffer.alloc(1024, "x"));
  await startNginx(workplace, port, `root ${folder};`);
  const other = await startMitmproxy(workplace, port);
  const environment = {
    ...process.env,
    XDG_STATE_HOME: join(folder, "state"),
    SSL_CERT_FILE: workplace.certificate().certificate,
  };
  const measured = await inTurns(rounds, {
    direct: () => run([client, String(port)]),
    ours: () =>
      run(
        [program, "trace", "--path", "mitm", "--json", "--", process.execPath, client, String(port)],
        environment,
      ),
    mitmproxy: () => run([client, String(other)]),
  });
  const rows: [what: string, of: keyof Experience, show: (value: number) => string][] = [
    ["a request of 1 KiB by way of the proxy", "requestMs", milliseconds],
    ["a new connection and its request by way of the proxy", "connectionMs", milliseconds],
    ["a response of 1 MiB by way of the proxy", "largeMs", milliseconds],
    ["requests on 16 connections by way of the proxy", "requestsPerSecond", perSecond],
  ];
  const values = (way: keyof typeof measured, of: keyof Experience) => measured[way].map((one) => one[of]);
  return rows.flatMap(([what, of, show]) =>
    (["direct", "mitmproxy"] as const).map((way) =>
      compare({ what, against: way, baseline: values(way, of), ours: values("ours", of), show }),
    ),
  );
}

async function run(args: string[], environment: NodeJS.ProcessEnv = process.env): Promise<Experience> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
    env: environment,
    maxBuffer: 2 ** 28,
  });
  const line = /^\{"requestMs".*\}$/m.exec(stdout + stderr)?.[0];
  if (line === undefined)
    throw new Error(`run ${args.join(" ")}: the client found nothing: ${stderr.slice(-500)}`);
  const exchanges = /"type":"summary","exchanges":(\d+)/.exec(stdout)?.[1];
  if (exchanges === "0") throw new Error("measure the proxy: it opened nothing");
  return JSON.parse(line) as Experience;
}

/** Gives its port: it forwards to this one, as a proxy that opens TLS on both sides. */
async function startMitmproxy(workplace: Workplace, port: number): Promise<number> {
  const own = await freePort();
  const home = `confdir=${join(workplace.folder, "mitmproxy")}`;
  const mode = ["--mode", `reverse:https://127.0.0.1:${port}`, "--listen-host", "127.0.0.1"];
  const args = [...mode, "--listen-port", String(own), "--ssl-insecure", "--quiet", "--set", home];
  const child = workplace.start("mitmdump", args, { quiet: true });
  while (!(await accepts(own))) {
    if (child.exitCode !== null) throw new Error(`start mitmdump: it exited with status ${child.exitCode}`);
  }
  return own;
}
