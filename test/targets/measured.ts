// What a trace proves of one exchange: each half seen byte for byte, or not; through the proxy, what became of it; and
// of its beginning on the wire, whether the name and the process were told. Pure.
import type {
  Direction,
  ExchangeEvent,
  HelloEvent,
  MessageEvent,
  SkippedEvent,
  TraceEvent,
} from "../../src/protocol/traffic.ts";
import type { Said } from "./peer.ts";
import type { Messages } from "./target.ts";

export interface Measured {
  /** `confirmed`: both halves byte for byte; `partly`: something of it; `nothing`: not one byte. */
  state: "confirmed" | "partly" | "nothing";
  protocol: string | null;
  /** Whether what the program read and wrote was seen as it was. */
  request: boolean;
  response: boolean;
}

export interface ByProxy extends Omit<Measured, "state"> {
  /**
   * Beside those of {@link Measured}: `passed-through`: the program had its exchange, unopened; `refused`: it did not;
   * `not-tried`: the proxy or the program could not be run so.
   */
  state: Measured["state"] | "passed-through" | "refused" | "not-tried";
  /** Why it was not opened, in the product's words. */
  reason: string | null;
}

export interface ByHello {
  /**
   * `named`: seen with the server's name as it was sent; `none-sent`: seen, and it has none; `misnamed`: seen with
   * another name, or without the one that it has; `nothing`: not seen.
   */
  state: "named" | "none-sent" | "misnamed" | "nothing";
  /** Whether it was told to be of the program's own process. */
  process: boolean;
}

/** The connection of an exchange, as the program has it. */
export interface Spoken {
  direction: Direction;
  /** Of its own end. */
  port: number;
  /** Of the program's processes. */
  pids: readonly number[];
  /** The server's name in the hello, as the server met it. */
  name: string | null;
}

const isExchange = (event: TraceEvent): event is ExchangeEvent =>
  event.type === "exchange" && event.state !== "pending";
const isMessage = (event: TraceEvent): event is MessageEvent => event.type === "message";

/** The best of the captured exchanges for this target. */
export function measuredExchange(events: readonly TraceEvent[], said: Said | null): Measured {
  const candidates = events.filter(isExchange).map((event): Measured => {
    const { request, response } = event;
    const asked = request?.target === said?.target && textOf(request?.body) === said?.request;
    const answered = textOf(response?.body) === said?.response;
    const state = asked && answered ? "confirmed" : "partly";
    return { state, protocol: event.protocol, request: asked, response: answered };
  });
  const best = candidates.find(({ state }) => state === "confirmed") ?? candidates[0];
  return best ?? { ...nothing, state: events.some(isMessage) ? "partly" : "nothing" };
}

export const nothing = {
  state: "nothing",
  protocol: null,
  request: false,
  response: false,
} satisfies Measured;

const textOf = (body: { text?: string } | null | undefined): string => body?.text ?? "";

/** Whether the texts that client and server exchanged went by, each in its direction. */
export function measuredMessages(events: readonly TraceEvent[], { sent, received }: Messages): Measured {
  const messages = events.filter(isMessage);
  const has = (direction: MessageEvent["direction"], text: string): boolean =>
    messages.some(
      (event) => event.direction === direction && bytesOf(event.preview).includes(Buffer.from(text)),
    );
  const [request, response] = [has("in", received), has("out", sent)];
  const state = request && response ? "confirmed" : messages.length > 0 ? "partly" : "nothing";
  return { state, protocol: messages[0]?.protocol ?? null, request, response };
}

function bytesOf(preview: { text: string } | { hex: string }): Buffer {
  return "text" in preview ? Buffer.from(preview.text) : Buffer.from(preview.hex, "hex");
}

/** Which server it was, and on which port, differs by run. */
function withoutServer({ connection, reason: { text } }: SkippedEvent): string {
  const prefix = `${connection?.serverName ?? connection?.remote ?? ""}: `;
  return text.startsWith(prefix) ? text.slice(prefix.length) : text;
}

/** @param isDone whether the two ends had their exchange */
export function byProxy(measured: Measured, isDone: boolean, events: readonly TraceEvent[]): ByProxy {
  const isSkipped = (event: TraceEvent): event is SkippedEvent => event.type === "skipped";
  const skipped = events.find(isSkipped);
  const reason = skipped === undefined ? null : withoutServer(skipped);
  if (measured.state === "confirmed") return { ...measured, reason: null };
  if (!isDone) return { ...measured, state: "refused", reason };
  return { ...measured, state: reason === null ? measured.state : "passed-through", reason };
}

export function byHello(hellos: readonly HelloEvent[], { direction, port, pids, name }: Spoken): ByHello {
  const ours = hellos.filter(
    ({ connection, ...hello }) =>
      hello.direction === direction && connection.local?.endsWith(`:${port}`) === true,
  );
  const process = ours.some(({ pid }) => pid !== null && pids.includes(pid));
  if (ours.length === 0) return { state: "nothing", process };
  if (!ours.some(({ serverName }) => serverName === name)) return { state: "misnamed", process };
  return { state: name === null ? "none-sent" : "named", process };
}
