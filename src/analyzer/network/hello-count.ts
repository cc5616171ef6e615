// The TLS connections that begin while something is measured: what may be decrypted is counted against them.
import type { ConnectionEvent, HelloEvent, TraceEvent } from "../../protocol/traffic.ts";
import type { SharedTracer } from "../capture/tracer-client.ts";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import type { HelloConnection } from "../coverage/measurement.ts";
import { openHelloSession } from "./hello-session.ts";

export interface HelloCount {
  close(): Promise<HelloCounted>;
}

export interface HelloCounted {
  interfaces: string[];
  /** Null where the network could not be watched. */
  connections: HelloConnection[] | null;
}

/** A connection that began this shortly before the end may not have said anything yet. */
const graceMs = 500;

/** Counts from now on all interfaces that are up. Without the rights or the kernel for it, it counts nothing. */
export async function countHellos(tracer: SharedTracer): Promise<HelloCount> {
  const begun = new BegunConnections();
  try {
    const session = await openHelloSession({
      interfaces: null,
      tracer,
      onEvent: (event) => {
        begun.event(event);
      },
      onEnded: () => undefined, // told by the tracer's owner
    });
    return {
      close: async () => {
        const endMs = Date.now();
        await session.close();
        const interfaces = session.interfaces.map(({ name }) => name);
        return { interfaces, connections: begun.before(endMs - graceMs) };
      },
    };
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    return { close: () => Promise.resolve({ interfaces: [], connections: null }) };
  }
}

/**
 * Which hellos became connections that had something to decrypt: a handshake that failed, or that was all, as a port
 * scan leaves it, is no plaintext that anybody missed. The kernel tells it by the client's TLS records (bpf/said.h);
 * where it does not, as of QUIC, a connection counts that was answered.
 */
export class BegunConnections {
  readonly #hellos: HelloEvent[] = [];
  /** By id. */
  readonly #carried = new Map<string, ConnectionEvent>();

  event(event: TraceEvent): void {
    if (event.type === "hello") this.#hellos.push(event);
    else if (event.type === "connection") this.#carried.set(event.id, event);
  }

  before(timeMs: number): HelloConnection[] {
    return this.#hellos
      .filter((hello) => Date.parse(hello.at) < timeMs)
      .filter((hello) => {
        const carried = this.#carried.get(hello.id);
        return carried === undefined || hadPlaintext(hello, carried);
      })
      .flatMap(({ pid, connection: { local, remote, serverName } }) =>
        local === null || remote === null ? [] : [{ pid, local, remote, serverName }],
      );
  }
}

function hadPlaintext(
  hello: HelloEvent,
  { state, carriedData, bytesIn, bytesOut }: ConnectionEvent,
): boolean {
  if (carriedData !== undefined) return carriedData;
  const answered = hello.direction === "out" ? bytesIn : bytesOut;
  return state === "open" || answered !== 0;
}
