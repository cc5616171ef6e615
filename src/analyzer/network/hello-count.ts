// The TLS connections that begin while something is measured: what may be decrypted is counted against them.
import type { HelloEvent } from "../../protocol/traffic.ts";
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
  const begun = new Map<string, HelloEvent>();
  /** Connections that no server has answered: no TLS came of them. */
  const unanswered = new Set<string>();
  try {
    const session = await openHelloSession({
      interfaces: null,
      tracer,
      onEvent: (event) => {
        if (event.type === "hello") begun.set(event.id, event);
        if (
          event.type === "connection" &&
          event.state === "closed" &&
          isUnanswered(begun.get(event.id), event)
        ) {
          unanswered.add(event.id);
        }
      },
      onEnded: () => undefined, // told by the tracer's owner
    });
    return {
      close: async () => {
        const endMs = Date.now();
        await session.close();
        const connections = [...begun.values()]
          .filter(({ id, at }) => !unanswered.has(id) && Date.parse(at) < endMs - graceMs)
          .flatMap(({ pid, connection: { local, remote, serverName } }) =>
            local === null || remote === null ? [] : [{ pid, local, remote, serverName }],
          );
        return { interfaces: session.interfaces.map(({ name }) => name), connections };
      },
    };
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    return { close: () => Promise.resolve({ interfaces: [], connections: null }) };
  }
}

function isUnanswered(
  hello: HelloEvent | undefined,
  { bytesIn, bytesOut }: { bytesIn: number | null; bytesOut: number | null },
): boolean {
  return (hello?.direction === "out" ? bytesIn : bytesOut) === 0;
}
