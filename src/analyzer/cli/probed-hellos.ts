// The ClientHellos of what `trace` opens by probes: read off the network by the same tracer, for who asks for them.
import type { TraceEvent } from "../../protocol/traffic.ts";
import type { TraceSession } from "../capture/trace-session.ts";
import { TracerUnavailable } from "../capture/tracer-launch.ts";
import { openHelloSession, type HelloSession } from "../network/hello-session.ts";
import { tellProblem } from "./trace-printer.ts";
import type { Uncovered } from "./uncovered.ts";

/** Null where the network cannot be watched, which is said; to be closed before the trace. */
export async function openHellos(
  trace: Pick<TraceSession, "tracer" | "traced">,
  uncovered: Pick<Uncovered, "traced">,
  onEvent: (event: TraceEvent) => void,
): Promise<HelloSession | null> {
  const isIn = (traced: { pid: number }[], pid: number | null) => traced.some((one) => one.pid === pid);
  try {
    return await openHelloSession({
      interfaces: null,
      tracer: trace.tracer,
      // What is not covered has its hellos told already.
      wants: ({ pid }) => isIn(trace.traced, pid) && !isIn(uncovered.traced, pid),
      onEvent,
      onEnded: () => undefined, // told by the tracer's owner
    });
  } catch (error) {
    if (!(error instanceof TracerUnavailable)) throw error;
    tellProblem(error.problem);
    return null;
  }
}
