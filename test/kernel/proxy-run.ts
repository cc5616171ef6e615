// `plainsight trace`, by the proxy above all, as a user runs it, from the build, with a state folder and a trusted authority of the
// test's own.
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import http2 from "node:http2";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { TestContext } from "node:test";
import type { ExchangeEvent, SkippedEvent, TraceEvent } from "../../src/protocol/traffic.ts";
import { certificate } from "../analyzer/network/certificates.ts";
import { listening, temporaryFolder } from "../analyzer/network/proxy-rig.ts";

const program = join(import.meta.dirname, "../../bin/plainsight");

export interface Shop {
  port: number;
  /** Of the test. */
  folder: string;
  /** What a client of the test is started with: it trusts the shop's authority beside the usual ones. */
  environment: NodeJS.ProcessEnv;
}

/**
 * A server on loopback that speaks HTTP/1.1 and HTTP/2. `/big` is a megabyte of x; `/echo` is what it was sent;
 * `/hang` begins an answer and never ends it; anything else is the number of bytes that it was sent.
 */
export async function openShop(t: TestContext): Promise<Shop> {
  const folder = temporaryFolder(t);
  const issuer = await certificate({ commonName: "A company's authority" });
  const own = await certificate({ issuer, dnsNames: ["localhost"] });
  const server = http2.createSecureServer(
    { cert: own.cert, key: own.key, allowHTTP1: true },
    (request, response) => {
      if (request.url === "/echo") {
        response.setHeader("content-type", "text/plain");
        request.pipe(response);
        return;
      }
      let size = 0;
      request.on("data", (bytes: Buffer) => (size += bytes.length));
      request.on("end", () => {
        if (request.url === "/big") response.end("x".repeat(1024 * 1024));
        else if (request.url === "/hang") response.write("…");
        else response.end(`${size} bytes`);
      });
    },
  );
  const file = join(folder, "company.pem");
  writeFileSync(file, issuer.cert);
  // Without what this machine's own environment says about trust.
  const others = Object.entries(process.env).filter(([name]) => !/CERT|_CA_|CAINFO/.test(name));
  const environment = {
    ...Object.fromEntries(others),
    XDG_STATE_HOME: join(folder, "state"),
    NODE_EXTRA_CA_CERTS: file,
    SSL_CERT_FILE: file,
  };
  return { port: await listening(t, server), folder, environment };
}

export interface RunAs {
  prefix: string[];
  program?: string;
}

export interface ProxyRun {
  child: ChildProcessByStdio<null, Readable, Readable>;
  /** What the command printed, and what was said about the trace. */
  said(): string;
  events(): TraceEvent[];
  exchanges(): ExchangeEvent[];
  skipped(): SkippedEvent[];
  /** Resolves once it was said. */
  hears(text: RegExp): Promise<void>;
  /** Resolves with the exit code when all output has come. */
  ended: Promise<number | null>;
}

/** @param as what runs it (`setpriv` and its options, for instance), and where it is unless here */
export function traceByProxy(
  t: TestContext,
  environment: NodeJS.ProcessEnv,
  args: string[],
  as?: RunAs,
): ProxyRun {
  return trace(t, environment, ["--path", "mitm", ...args], as);
}

export function trace(
  t: TestContext,
  environment: NodeJS.ProcessEnv,
  args: string[],
  as: RunAs = { prefix: [] },
): ProxyRun {
  const line = [...as.prefix, process.execPath, as.program ?? program, "trace", "--json", ...args];
  const child = spawn("env", line, { stdio: ["ignore", "pipe", "pipe"], env: environment });
  t.after(() => child.kill("SIGKILL"));
  let [out, errors] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const events = () =>
    out
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as TraceEvent);
  return {
    child,
    said: () => errors,
    events,
    exchanges: () => events().filter((event): event is ExchangeEvent => event.type === "exchange"),
    skipped: () => events().filter((event): event is SkippedEvent => event.type === "skipped"),
    hears: async (text) => {
      while (!text.test(errors)) {
        const over = once(child, "close").then(() => {
          throw new Error(`it ended without ${String(text)}: ${errors}`);
        });
        await Promise.race([once(child.stderr, "data"), over]);
      }
    },
    ended: once(child, "close").then(([status]) => status as number | null),
  };
}
