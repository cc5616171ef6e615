// The plaintext of one proxied connection as the events of the traffic contract, as everywhere masked unless the user
// asked otherwise. In metadata-only mode contents are dropped here, before anything else sees them.
import type { Connection, Direction, ExchangeEvent, MessageEvent } from "../../protocol/traffic.ts";
import { createConnectionParser } from "../traffic/connection-parser.ts";
import { withoutContents } from "../traffic/metadata-only.ts";
import type { ParsedEvent } from "../traffic/parsed.ts";
import { presentExchange, presentMessage } from "../traffic/present.ts";

export interface TrafficOptions {
  /** Bytes kept of each body. */
  bodyLimit: number;
  showSecrets: boolean;
  /** Keep method, path, status, sizes and times; no headers, no bodies. */
  metadataOnly: boolean;
}

export interface ProxiedTraffic {
  seen(direction: Direction, bytes: Buffer): void;
  end(): void;
}

/** @param options read at each event: they may change while the connection lives */
export function proxiedTraffic(
  who: { pid: number; command: string; connection: Connection },
  options: TrafficOptions,
  onEvent: (event: ExchangeEvent | MessageEvent) => void,
): ProxiedTraffic {
  const bodyLimit = options.metadataOnly ? 0 : options.bodyLimit;
  const parser = createConnectionParser({ bodyLimit, fromStart: true });
  const show = (events: ParsedEvent[]) => {
    for (const event of events) {
      const id = `${who.connection.id}:${event.type === "exchange" ? "x" : "m"}${event.key}`;
      const context = { ...who, id, path: "mitm" as const };
      const shown =
        event.type === "exchange"
          ? presentExchange(event, context, options)
          : presentMessage(event, context, options);
      onEvent(options.metadataOnly ? withoutContents(shown) : shown);
    }
  };
  return {
    seen: (direction, bytes) => {
      show(parser.data(direction, bytes, nowMs()));
    },
    end: () => {
      show(parser.end("closed", nowMs()));
    },
  };
}

/** Since the epoch, with fractions, which Date.now() has not. */
const nowMs = (): number => performance.timeOrigin + performance.now();
