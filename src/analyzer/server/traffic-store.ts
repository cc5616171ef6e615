// Holds the newest exchanges and messages whole, for the editor to ask about. Bounded by number and by bytes: the
// oldest go first, and what has gone answers null.
import type { BodyView, ExchangeEvent, Header, MessageEvent } from "../../protocol/traffic.ts";

export interface StoreLimits {
  items: number;
  /** Approximate bytes of memory, by the length of the text that is held. */
  bytes: number;
}

export type StoredEvent = ExchangeEvent | MessageEvent;

export class TrafficStore {
  readonly #limits: StoreLimits;
  /** In order of first arrival, which is the order of leaving. */
  readonly #items = new Map<string, { event: StoredEvent; bytes: number }>();
  #bytes = 0;

  constructor(limits: StoreLimits) {
    this.#limits = limits;
  }

  /** Adds an event, or replaces the one with the same id. */
  put(event: StoredEvent): void {
    const bytes = sizeOf(event);
    this.#bytes += bytes - (this.#items.get(event.id)?.bytes ?? 0);
    this.#items.set(event.id, { event, bytes });
    for (const [id, item] of this.#items) {
      if (this.#items.size <= this.#limits.items && this.#bytes <= this.#limits.bytes) break;
      this.#items.delete(id);
      this.#bytes -= item.bytes;
    }
  }

  get(id: string): StoredEvent | null {
    return this.#items.get(id)?.event ?? null;
  }

  clear(): void {
    this.#items.clear();
    this.#bytes = 0;
  }
}

/** What an event costs beyond its bodies and headers: its object, addresses and map entry. */
const baseBytes = 1024;

function sizeOf(event: StoredEvent): number {
  if (event.type === "message") return baseBytes + bodySize(event.preview);
  let bytes = baseBytes;
  for (const half of [event.request, event.response]) {
    if (half) bytes += headersSize(half.headers) + headersSize(half.trailers) + bodySize(half.body);
  }
  return bytes;
}

function headersSize(headers: Header[] | undefined): number {
  let bytes = 0;
  for (const [name, value] of headers ?? []) bytes += 64 + (name?.length ?? 0) + (value?.length ?? 0);
  return bytes;
}

/** Two bytes a character: the worst that a JavaScript string needs. */
function bodySize(body: BodyView | null): number {
  return 2 * ((body?.text?.length ?? 0) + (body?.hex?.length ?? 0));
}
