// The bounded table of the connections whose ClientHello is being put together: pieces of packets in, each connection
// told once. Time is given in; whose a connection is, and which pieces belong together, the caller knows.
import type { Reason } from "../../../protocol/coverage.ts";
import { type HelloFacts, readClientHello } from "./client-hello.ts";
import { QuicAssembly } from "./quic-assembly.ts";
import { RecordAssembly } from "./record-assembly.ts";

export interface Piece<Context> {
  /** One end's view of one flow, client to server, made by the caller. */
  key: string;
  transport: "tcp" | "quic";
  /** TCP: from the first byte of the first record, in bytes. QUIC: not looked at, a piece is a datagram. */
  offset: number;
  bytes: Uint8Array;
  atMs: number;
  /** What the caller knows beside: that of a flow's first piece comes back with its outcome. */
  context: Context;
}

export type FlowOutcome<Context> = { key: string; context: Context } & (
  { facts: HelloFacts } | { problem: Reason }
);

interface Flow<Context> {
  context: Context;
  assembly: RecordAssembly | QuicAssembly;
  lastMs: number;
}

type HelloReading = ReturnType<typeof readClientHello>;

const incomplete: Reason = { code: "hello-incomplete", text: "the rest of the ClientHello never came" };
const crowdedOut: Reason = {
  code: "too-many-hellos",
  text: "more ClientHellos began at once than can be put together",
};

/** Of all flows together, in which an ordinary hello is 1 or 2 KiB. */
const maximumHeldBytes = 64 * 2 ** 20;

export class HelloFlows<Context> {
  readonly #limits: { flows: number; ageMs: number; remembered: number };
  /** By the time of their last piece. */
  readonly #flows = new Map<string, Flow<Context>>();
  #heldBytes = 0;
  /** Keys that were told, the oldest first. */
  readonly #told = new Set<string>();
  #last: { transport: Piece<Context>["transport"]; handshake: Uint8Array; reading: HelloReading } | null =
    null;
  /** Given up for want of room, to be told by the next expire. */
  #crowdedOut: FlowOutcome<Context>[] = [];

  /**
   * @param limits how many flows are put together at once; how long after its last piece a flow is given up; how many
   * keys are remembered as told
   */
  constructor(limits = { flows: 4096, ageMs: 10_000, remembered: 65_536 }) {
    this.#limits = limits;
  }

  /** Memory held for what is being put together, in bytes. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Whether there is anything that expire may tell, now or later. */
  get isWaiting(): boolean {
    return this.#flows.size > 0 || this.#crowdedOut.length > 0;
  }

  /**
   * An outcome is of the piece's own key.
   * @returns null: nothing to tell yet, or it was told already (a key is told once: retransmissions, and the same packet
   * seen on another interface, do not count twice)
   */
  push(piece: Piece<Context>): FlowOutcome<Context> | null {
    const { key, transport, atMs } = piece;
    if (this.#told.has(key)) return null;
    const flow = this.#take(key) ?? {
      assembly: assemblyFor(transport),
      lastMs: atMs,
      context: piece.context,
    };
    const { assembly, context } = flow;
    const assembled =
      assembly instanceof QuicAssembly
        ? assembly.push(piece.bytes)
        : assembly.push(piece.offset, piece.bytes);
    switch (assembled.state) {
      case "whole":
        return this.#tell({ key, context, ...this.#read(assembled.handshake, transport) });
      case "problem":
        return this.#tell({ key, context, problem: assembled.reason });
      case "not-tls":
        return null;
      case "incomplete":
        // A client's first packet has a part of its hello (RFC 9000 17.2.2): a datagram before that is nobody's.
        if (transport === "quic" && !assembly.isBegun) return null;
        if (!this.#makeRoom(assembly.heldBytes)) {
          return assembly.isBegun ? this.#tell({ key, context, problem: crowdedOut }) : null;
        }
        this.#flows.set(key, { ...flow, lastMs: Math.max(flow.lastMs, atMs) });
        this.#heldBytes += assembly.heldBytes;
        return null;
    }
  }

  /**
   * Has the caller tell the flow itself: nothing more is told of it here.
   * @returns false: it was told already
   */
  conclude(key: string): boolean {
    if (this.#told.has(key)) return false;
    this.#take(key);
    this.#remember(key);
    return true;
  }

  /**
   * Flows whose rest never came, as problems: `hello-incomplete`, or `too-many-hellos` for those that others crowded
   * out. Only those whose first byte was a ClientHello's are told; the rest was not TLS, and vanishes.
   */
  expire(nowMs: number): FlowOutcome<Context>[] {
    const outcomes = this.#crowdedOut;
    this.#crowdedOut = [];
    for (const [key, { assembly, lastMs, context }] of this.#flows) {
      if (nowMs - lastMs <= this.#limits.ageMs) continue;
      this.#take(key);
      if (assembly.isBegun) outcomes.push(this.#tell({ key, context, problem: incomplete }));
    }
    return outcomes;
  }

  /** As expire, of all that is left. */
  end(): FlowOutcome<Context>[] {
    return this.expire(Infinity);
  }

  /** Over loopback, and on its way from a container, the same hello passes twice in a row: it is read once. */
  #read(handshake: Uint8Array, transport: Piece<Context>["transport"]): HelloReading {
    const last = this.#last;
    if (last?.transport === transport && Buffer.compare(last.handshake, handshake) === 0) return last.reading;
    const reading = readClientHello(handshake, transport);
    this.#last = { transport, handshake, reading };
    return reading;
  }

  #take(key: string): Flow<Context> | null {
    const flow = this.#flows.get(key);
    if (flow === undefined) return null;
    this.#flows.delete(key);
    this.#heldBytes -= flow.assembly.heldBytes;
    return flow;
  }

  /** Gives up the flows that were silent longest; false when too many wait to be told already. */
  #makeRoom(bytes: number): boolean {
    for (const [key, { assembly, context }] of this.#flows) {
      if (this.#flows.size < this.#limits.flows && this.#heldBytes + bytes <= maximumHeldBytes) break;
      if (assembly.isBegun) {
        if (this.#crowdedOut.length >= this.#limits.flows) return false;
        this.#crowdedOut.push(this.#tell({ key, context, problem: crowdedOut }));
      }
      this.#take(key);
    }
    return true;
  }

  #tell(outcome: FlowOutcome<Context>): FlowOutcome<Context> {
    this.#remember(outcome.key);
    return outcome;
  }

  #remember(key: string): void {
    this.#told.add(key);
    for (const oldest of this.#told) {
      if (this.#told.size <= this.#limits.remembered) break;
      this.#told.delete(oldest);
    }
  }
}

const assemblyFor = (transport: Piece<unknown>["transport"]) =>
  transport === "quic" ? new QuicAssembly() : new RecordAssembly();
