// Ties what is decrypted to what the network tells of the same connection, where both are watched in one process. The two
// come on ways of their own, so that all but the hellos waits a moment here, in its order; what is tied is theirs to show.
import type {
  Connection,
  ConnectionEvent,
  ExchangeEvent,
  HelloEvent,
  MessageEvent,
  TraceEvent,
} from "../../protocol/traffic.ts";

export interface TiesOptions {
  onEvent(event: TraceEvent): void;
  /** Whether the network is watched: nothing waits without it. */
  isWatching(): boolean;
}

/** A connection whose hello was told. */
interface Greeted {
  hello: HelloEvent;
  beganMs: number;
  /** Infinity while it goes on. */
  endedMs: number;
  /** Its content's `Connection.id`. */
  decrypted: string | null;
  /** The same, of its other end. */
  decryptedThere: string | null;
}

/** Longer than a hello waits for its owner (hello-session.ts). */
const delayMs = 200;
/** Clocks of two tracers are read to the millisecond, and plaintext may be told after its connection has ended. */
const slackMs = 100;
/** Connections: ends that are used again replace those before. */
const mostGreeted = 20_000;

export class Ties {
  readonly #options: TiesOptions;
  readonly #waiting: { event: TraceEvent; untilMs: number }[] = [];
  /** By end. */
  readonly #greeted = new Map<string, Greeted>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: TiesOptions) {
    this.#options = options;
  }

  receive(event: TraceEvent): void {
    // Marks what is known by now: a connection's end may be told before its content.
    if (event.type === "connection") this.#end(event);
    else if (event.type === "exchange" || event.type === "message") this.#helloOf(event);
    if (event.type === "hello") {
      this.#greet(event);
      this.#options.onEvent(event);
    } else if (this.#waiting.length > 0 || this.#options.isWatching()) {
      this.#waiting.push({ event, untilMs: performance.now() + delayMs });
      this.#timer ??= setTimeout(this.#release, delayMs);
    } else this.#options.onEvent(this.#tied(event));
  }

  /** Tells what waits. */
  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    for (const { event } of this.#waiting.splice(0)) this.#options.onEvent(this.#tied(event));
  }

  readonly #release = (): void => {
    const nowMs = performance.now();
    const next = this.#waiting.findIndex(({ untilMs }) => untilMs > nowMs);
    const due = this.#waiting.splice(0, next < 0 ? this.#waiting.length : next);
    const [first] = this.#waiting;
    this.#timer = first ? setTimeout(this.#release, first.untilMs - nowMs) : null;
    for (const { event } of due) this.#options.onEvent(this.#tied(event));
  };

  /** What probes see is TCP. */
  #greet(hello: HelloEvent): void {
    if (hello.transport !== "tcp") return;
    const key = endKey(hello.connection);
    this.#greeted.delete(key);
    this.#greeted.set(key, {
      hello,
      beganMs: Date.parse(hello.at),
      endedMs: Infinity,
      decrypted: null,
      decryptedThere: null,
    });
    if (this.#greeted.size <= mostGreeted) return;
    const [oldest] = this.#greeted.keys();
    if (oldest !== undefined) this.#greeted.delete(oldest);
  }

  #tied(event: TraceEvent): TraceEvent {
    switch (event.type) {
      case "exchange":
      case "message":
        return this.#withHello(event);
      case "connection":
        return this.#withContent(event);
      default:
        return event;
    }
  }

  #withHello(event: ExchangeEvent | MessageEvent): ExchangeEvent | MessageEvent {
    const hello = this.#helloOf(event);
    if (hello === null) return event;
    // A name beside an encrypted hello may be a cover.
    const named = hello.encryptedClientHello ? null : hello.serverName;
    const { connection } = event;
    const serverName = connection.serverName ?? named;
    return { ...event, connection: { ...connection, serverName, hello: hello.id } };
  }

  #helloOf(event: ExchangeEvent | MessageEvent): HelloEvent | null {
    const { connection, pid } = event;
    if (connection.local === null || connection.remote === null) return null;
    const atMs = Date.parse(event.type === "exchange" ? event.startedAt : event.at);
    const here = this.#find(connection, atMs);
    const there = this.#find({ local: connection.remote, remote: connection.local }, atMs);
    const own = here && (here.hello.pid ?? pid) === pid ? here : null;
    if (own) own.decrypted = connection.id;
    if (there) there.decryptedThere = connection.id;
    return (own ?? there)?.hello ?? null;
  }

  #withContent(event: ConnectionEvent): ConnectionEvent {
    const greeted = this.#of(event);
    const decrypted = greeted?.decrypted ?? greeted?.decryptedThere ?? null;
    return decrypted === null ? event : { ...event, decrypted };
  }

  #end(event: ConnectionEvent): void {
    const greeted = this.#of(event);
    if (greeted) greeted.endedMs = Date.parse(event.startedAt) + event.durationMs;
  }

  #of({ id, connection }: ConnectionEvent): Greeted | null {
    const greeted = this.#greeted.get(endKey(connection));
    return greeted?.hello.id === id ? greeted : null;
  }

  #find(ends: Pick<Connection, "local" | "remote">, atMs: number): Greeted | null {
    const greeted = this.#greeted.get(endKey(ends));
    if (!greeted || atMs < greeted.beganMs - slackMs || atMs > greeted.endedMs + slackMs) return null;
    return greeted;
  }
}

const endKey = ({ local, remote }: Pick<Connection, "local" | "remote">): string => `${local} ${remote}`;
