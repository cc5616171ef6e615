// An HTTP/3 server (aioquic) of a test's own in a network namespace.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { aioquicFolder } from "../../scripts/http3.mjs";
import type { Namespace } from "./network-rig.ts";
import { fixtures, type Certificate } from "./rig.ts";

const aioquic = aioquicFolder();

/** What runs a program that needs aioquic. */
export const http3Python = ["env", `PYTHONPATH=${aioquic}`, "/usr/bin/python3"] as const;

/** For skipReason: empty where it is there. */
export const http3Needs = existsSync(aioquic) ? [] : ["aioquic (npm run setup -- --for-tests)"];

/** What an end counted of its own datagrams. */
export interface CountedDatagrams {
  sent: number;
  received: number;
}

export interface Http3Server {
  pid: number;
  port: string;
  /** Resolves with what was counted of the next connection that its client closed. */
  next(): Promise<CountedDatagrams & { peer: string }>;
}

/** It answers `/1000` with 1000 bytes. @param retry whether a client is first asked to say its hello again */
export async function startHttp3(
  namespace: Namespace,
  { key, cert }: Certificate,
  retry: "retry" | "at-once",
): Promise<Http3Server> {
  const child = namespace.start(...http3Python, join(fixtures, "http3-server.py"), key, cert, retry);
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const line = async () => {
    const next = await lines.next();
    if (next.done === true) throw new Error("read what the HTTP/3 server counted: it has ended");
    return next.value;
  };
  const port = await line();
  return {
    pid: child.pid,
    port,
    next: async () => JSON.parse(await line()) as CountedDatagrams & { peer: string },
  };
}
