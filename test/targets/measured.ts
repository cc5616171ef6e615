// What a trace proves of one exchange: each half seen byte for byte, or not. Pure.
import type { ExchangeEvent, MessageEvent, TraceEvent } from "../../src/protocol/traffic.ts";
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

const nothing: Measured = { state: "nothing", protocol: null, request: false, response: false };

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
