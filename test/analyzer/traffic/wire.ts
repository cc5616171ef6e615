// Writes a connection's bytes for the traffic tests, feeds them to a parser, and tells briefly what it found.
import { createConnectionParser } from "../../../src/analyzer/traffic/connection-parser.ts";
import type { ParsedBody, ParsedEvent, ParsedExchange } from "../../../src/analyzer/traffic/parsed.ts";
import type { Direction } from "../../../src/protocol/traffic.ts";

export type Step = [Direction, string | Uint8Array] | [Direction, { lost: number | null }];

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** All events of a connection. Step n happens at n milliseconds, the end at the number of steps. */
export function feed(
  steps: readonly Step[],
  options: { fromStart?: boolean; bodyLimit?: number; end?: "closed" | "untraced" } = {},
): ParsedEvent[] {
  const { fromStart = true, bodyLimit = 1_000_000, end = "closed" } = options;
  const parser = createConnectionParser({ fromStart, bodyLimit });
  const events = steps.flatMap(([direction, what], atMs) => {
    if (typeof what === "string") return parser.data(direction, bytesOf(what), atMs);
    if (what instanceof Uint8Array) return parser.data(direction, what, atMs);
    return parser.lost(direction, what.lost, atMs);
  });
  return [...events, ...parser.end(end, steps.length)];
}

/** The exchanges in their last state, in the order of their keys. */
export function exchanges(events: readonly ParsedEvent[]): ParsedExchange[] {
  return events
    .filter((event) => event.type === "exchange")
    .filter((exchange) => exchange.state !== "pending")
    .sort((a, b) => a.key - b.key);
}

const body = ({ size, kept, complete }: ParsedBody): string => {
  const text = Buffer.from(kept).toString("latin1");
  const shown = kept.length === size ? JSON.stringify(text) : `${JSON.stringify(text)} of ${size}`;
  return size === 0 && complete ? "" : ` ${shown}${complete ? "" : " cut"}`;
};

/** One line an event: `POST /a "body" -> 200 "answer"`, with the problem in brackets; messages with their direction. */
export function told(events: readonly ParsedEvent[]): string[] {
  const messages = events.filter((event) => event.type === "message");
  return [
    ...exchanges(events).map(({ request, response, state, problem }) => {
      const asked = request === null ? "?" : `${request.method} ${request.target}${body(request.body)}`;
      const answered = response === null ? "?" : `${response.status}${body(response.body)}`;
      const note = state === "complete" && problem === null ? "" : ` [${state}: ${problem?.code}]`;
      return `${asked} -> ${answered}${note}`;
    }),
    ...messages.map(
      ({ direction, protocol, size, preview }) =>
        `${direction} ${protocol} ${size} ${JSON.stringify(Buffer.from(preview).toString("latin1"))}`,
    ),
  ];
}
