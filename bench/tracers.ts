// The two that are compared: a trace session of ours, and a bpftrace one-liner that prints the same plaintext.
import { openTraceSession } from "../src/analyzer/capture/trace-session.ts";
import { stop, type Workplace } from "./workplace.ts";

export interface Tracing {
  /** Ends it; gives how many exchanges and messages were shown and how many records were lost. */
  end(): Promise<{ shown: number; lost: number }>;
}

/** A session as `plainsight trace --pid` opens it, without the printing. */
export async function traceByUs(workplace: Workplace, pid: number): Promise<Tracing> {
  const session = await openTraceSession({
    bodyLimit: 64 * 1024,
    showSecrets: false,
    onEvent: () => undefined,
  });
  let ended: ReturnType<Tracing["end"]> | null = null;
  const end = () =>
    (ended ??= session
      .close()
      .then(({ exchanges, messages, lost }) => ({ shown: exchanges + messages, lost })));
  workplace.atEnd(end);
  const { skipped } = await session.add([pid], { followChildren: false });
  if (skipped[0]) throw new Error(`trace ${pid}: ${skipped[0].reason.text}`);
  return { end };
}

/** What bpftrace 0.17 copies of a call at most; ours copies all of it. */
export const bpftraceBytes = 200;

/** The interval is attached last (it is first among the kinds that are attached in reverse), so it tells that all are. */
const program = (library: string) => `
  interval:ms:50 { if (!@ready) { printf("ready\\n"); @ready = 1; } }
  uprobe:${library}:SSL_write, uprobe:${library}:SSL_read { @buffer[tid] = arg1; }
  uretprobe:${library}:SSL_write, uretprobe:${library}:SSL_read /@buffer[tid]/ {
    if ((int32)retval > 0) { printf("%d %d %s\\n", pid, (int32)retval, str(@buffer[tid], (uint64)retval)); }
    delete(@buffer[tid]);
  }`;

export async function traceByBpftrace(workplace: Workplace, pid: number, library: string): Promise<Tracing> {
  const environment = { BPFTRACE_STRLEN: String(bpftraceBytes) };
  const args = ["-p", String(pid), "-e", program(library)];
  // Where tracefs is not mounted it grumbles at its end, though it needs none.
  const child = workplace.start("bpftrace", args, { environment, quiet: true });
  let shown = 0;
  let lost = 0;
  await new Promise<void>((resolve, reject) => {
    child.once("exit", (status) => {
      reject(new Error(`bpftrace exited with status ${status ?? "unknown"} before it was attached`));
    });
    child.stdout.setEncoding("latin1").on("data", (text: string) => {
      if (text.includes("ready\n")) resolve();
      for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) shown++;
      for (const [, count] of text.matchAll(/^Lost (\d+) events/gm)) lost += Number(count);
    });
  });
  return {
    end: async () => {
      await stop(child);
      return { shown, lost };
    },
  };
}
