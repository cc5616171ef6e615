// What is left of an event when its contents are not to be kept: who, when, what kind, how much, how long.
import type { ExchangeEvent, MessageEvent, RequestView, ResponseView } from "../../protocol/traffic.ts";

/** Without headers, trailers, bodies, and the query of the target, which is content as well. */
export function withoutContents<Event extends ExchangeEvent | MessageEvent>(event: Event): Event {
  if (event.type === "message") return { ...event, preview: { text: "" } };
  const { request, response } = event;
  return { ...event, request: request && bareRequest(request), response: response && bareResponse(response) };
}

function bareRequest({ method, target, authority, bodySize }: RequestView): RequestView {
  const path = target?.replace(/[?#][^]*$/, "") ?? null;
  return { method, target: path, authority, headers: [], bodySize, body: null };
}

function bareResponse({ status, reason, bodySize }: ResponseView): ResponseView {
  return { status, reason, headers: [], bodySize, body: null };
}
