// The proxy's part of the reference matrix: a client started with trust in the proxy by its environment, a server with
// its own certificate and key given to it, and what was seen of the same exchange.
import { readFileSync } from "node:fs";
import { ownCertificate } from "../../src/analyzer/network/own-certificate.ts";
import { openProxySession, type ProxySession } from "../../src/analyzer/network/proxy-session.ts";
import type { TraceEvent } from "../../src/protocol/traffic.ts";
import { byProxy, measuredExchange, measuredMessages, nothing, type ByProxy } from "./measured.ts";
import type { Said } from "./peer.ts";
import { settled, type Stage } from "./stage.ts";

/** Never rejects: what went wrong is the reason. */
export async function throughProxy(stage: Stage): Promise<ByProxy> {
  try {
    return await measure(stage);
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    return { ...nothing, state: "not-tried", reason };
  }
}

async function measure(stage: Stage): Promise<ByProxy> {
  const events: TraceEvent[] = [];
  let missing: string | null = null;
  const session = await openProxySession({
    traffic: { bodyLimit: 1 << 20, showSecrets: true, metadataOnly: false },
    passThrough: [],
    onEvent: (event) => events.push(event),
    onEnded: ({ text }) => (missing = text),
  });
  missing ??= session.fallback?.text ?? null;
  try {
    if (missing !== null) throw new Error(missing);
    const run = stage.what.side === "client" ? client : server;
    return await stage.play(() => run(stage, session, events));
  } finally {
    await session.close();
  }
}

async function client(stage: Stage, session: ProxySession, events: TraceEvent[]): Promise<ByProxy> {
  const heard: Said[] = [];
  await stage.openPeer((said) => heard.push(said));
  const given = { ...process.env, ...stage.environment() };
  const launched = stage.launch(session.variablesFor(given));
  await session.add(launched.pid);
  launched.release();
  await launched.ended;
  return judged(stage, events, heard[0] ?? null, heard.length > 0);
}

async function server(stage: Stage, session: ProxySession, events: TraceEvent[]): Promise<ByProxy> {
  const { cert, key } = stage.certificates;
  const { pid, port } = await stage.startServer();
  await stage.ask().catch(() => undefined);
  const own = ownCertificate(readFileSync(cert, "utf8"), readFileSync(key, "utf8"));
  const reason = await session.serve({ pid, command: stage.what.id, port }, own);
  if (reason) throw new Error(reason.text);
  const asked = await stage.ask().then(
    (said) => ({ said, isDone: true }),
    () => ({ said: null, isDone: false }),
  );
  return judged(stage, events, asked.said, asked.isDone);
}

/** @param isDone whether the two ends had their exchange */
async function judged(
  { what: { says } }: Stage,
  events: readonly TraceEvent[],
  said: Said | null,
  isDone: boolean,
): Promise<ByProxy> {
  const result = () =>
    byProxy(
      typeof says === "string" ? measuredExchange(events, said) : measuredMessages(events, says),
      isDone,
      events,
    );
  return settled(result, ({ state, reason }) => state === "confirmed" || reason !== null);
}
