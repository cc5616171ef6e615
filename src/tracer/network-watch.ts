// The tracer's hold on the network: programs that look for ClientHellos on interfaces, each where it costs least and can
// be had (XDP in the driver, else tcx, whose links fall away with the tracer; on older kernels generic XDP and clsact
// filters), whose connections are, and which names are refused.
import { readFileSync, readlinkSync } from "node:fs";
import type { InterfacePlace, lookAtInterface, Programs } from "../../native/index.d.ts";
import type { Reason } from "../protocol/coverage.ts";
import { cgroupRoot } from "./cgroup-root.ts";
import { u32 } from "./map-words.ts";
import type { NetworkPlaces, TracerAnswer, WatchedInterface } from "./messages.ts";
import { nameKey } from "./name-key.ts";

/** ARPHRD_ETHER and ARPHRD_LOOPBACK of linux/if_arp.h: their packets begin with an Ethernet header, as XDP expects. */
const ethernetLike = new Set([1, 772]);

/**
 * Generic XDP copies every large packet into one piece first, which cost an eighth of loopback's throughput where tcx
 * cost a fiftieth, so it is for kernels without tcx.
 */
const ingressPlaces: readonly InterfacePlace[] = [
  "xdp-native",
  "tcx-ingress",
  "xdp-generic",
  "clsact-ingress",
];
const egressPlaces: readonly InterfacePlace[] = ["tcx-egress", "clsact-egress"];

/** `enum ps_verdict` of bpf/events.h. */
const verdicts = { allowed: 2, blocked: 3 };

/** Byte offsets in `struct ps_flow` of bpf/network.h. */
const flowLayout = { bytes: 28, start: 0, verdict: 8 };

/** Byte offset in `struct ps_ends` of bpf/events.h, and IPPROTO_UDP. */
const protocolAt = 38;
const udp = 17;

const isXdp = (place: InterfacePlace): boolean => place.startsWith("xdp");
const outlives = (place: InterfacePlace): boolean => place.startsWith("clsact");
const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));

export type WatchOutcome = Omit<Extract<TracerAnswer, { type: "watching" }>, "type">;

/** An interface with its programs; null: none could be had there. */
interface Held {
  watched: WatchedInterface | null;
  handles: number[];
}

export class NetworkWatch {
  readonly #programs: Programs;
  readonly #look: typeof lookAtInterface;
  readonly #load: (name: string) => void;
  /** What is refused now; null: nothing was ever. */
  #names: Set<string> | null = null;
  /** By index: an interface has programs once, whatever names it has. */
  readonly #held = new Map<number, Held>();
  #isOpen = false;

  /** @param load loads one object of bpf/ by its name */
  constructor(programs: Programs, look: typeof lookAtInterface, load: (name: string) => void) {
    this.#programs = programs;
    this.#look = look;
    this.#load = load;
  }

  watch(names: readonly string[], places: NetworkPlaces): WatchOutcome {
    const missing = this.#isOpen ? [] : this.#open();
    const interfaces: WatchedInterface[] = [];
    const present = new Set<number>();
    for (const name of names) {
      const outcome = this.#watchInterface(name, places, present);
      if (outcome === null) continue;
      if ("code" in outcome) missing.push(outcome);
      else interfaces.push(outcome);
    }
    const gone: WatchedInterface[] = [];
    for (const [index, { watched, handles }] of this.#held) {
      if (present.has(index)) continue;
      this.#held.delete(index);
      for (const handle of handles) this.#programs.detach(handle);
      if (watched) gone.push(watched);
    }
    return { interfaces, gone, missing };
  }

  tellOpenConnections(): void {
    this.#programs.runIterator("still_open");
    this.#programs.runIterator("quic_open", "quic_ends");
  }

  tellIdleConnections(idleMs: number): void {
    const idleNs = new BigUint64Array([BigInt(idleMs) * 1_000_000n]);
    this.#programs.updateMap("quic_idle_ns", u32(0), new Uint8Array(idleNs.buffer));
    this.#programs.runIterator("quic_idle", "quic_ends");
  }

  /** From now on hellos with these names, or `*.suffix`, are refused, and no others. Throws before Linux 6.5. */
  block(names: readonly string[]): void {
    if (this.#names === null) this.#load("reset");
    const refused = (this.#names ??= new Set());
    const wanted = new Set(names);
    // What may fail comes first, and leaves all that was refused before.
    for (const name of wanted) {
      if (refused.has(name)) continue;
      this.#programs.updateMap("blocked_names", nameKey(name), u32(1));
      refused.add(name);
    }
    for (const name of refused) {
      if (wanted.has(name)) continue;
      this.#programs.deleteFromMap("blocked_names", nameKey(name));
      refused.delete(name);
    }
    this.#programs.updateMap("blocking", u32(0), u32(1));
  }

  /**
   * Says what becomes of a connection whose hello was put together elsewhere.
   * @param ends hex of struct ps_ends
   * @param start of the flow that the verdict is for
   */
  judge(ends: string, start: number, isBlocked: boolean): void {
    const key = new Uint8Array(Buffer.from(ends, "hex"));
    const known = this.#programs.readMap("flows", key);
    const flow = known ?? new Uint8Array(flowLayout.bytes);
    const view = new DataView(flow.buffer, flow.byteOffset, flow.byteLength);
    const knownStart = known && view.getUint32(flowLayout.start, true);
    if (new DataView(key.buffer).getUint16(protocolAt, true) === udp) {
      // Only verdicts are there, and one that blocks replaces that of an earlier connection.
      if (!isBlocked && knownStart !== start) return;
    } else if (knownStart !== null && knownStart !== start && knownStart !== 0) {
      return; // another connection of the same ends by now
    }
    view.setUint32(flowLayout.start, start, true);
    view.setUint32(flowLayout.verdict, isBlocked ? verdicts.blocked : verdicts.allowed, true);
    this.#programs.updateMap("flows", key, flow);
    if (isBlocked) this.#programs.updateMap("doomed", key, u32(1));
  }

  /** Resets the connections that were refused since the last time. */
  reset(): void {
    this.#programs.runIterator("reset_doomed");
  }

  #open(): Reason[] {
    this.#isOpen = true;
    this.#load("tcp");
    this.#load("hello");
    this.#load("quic");
    // Whose connections are comes first: it is asked when a hello is seen.
    return this.#watchConnections();
  }

  #watchConnections(): Reason[] {
    const inode = /\[(\d+)\]/.exec(readlinkSync("/proc/self/ns/net"))?.[1];
    this.#programs.updateMap("watched_namespace", u32(0), u32(Number(inode)));
    const purposes = {
      state_changed: "whose connections are, and how much they carry",
      first_received: "which process of a server has a connection (Linux 6.3)",
      quic_sent: "which process has a QUIC connection (Linux 6.3)",
      quic_received: "which process has a QUIC connection (Linux 6.3)",
      quic_released: "when a QUIC connection ends, but for its silence",
    };
    return Object.entries(purposes).flatMap(([program, purpose]) => {
      try {
        if (program === "quic_released") this.#attachToAllSockets(program);
        else this.#programs.attachRawTracepoint(program);
        return [];
      } catch (error) {
        return [{ code: `no-${program.replace("_", "-")}`, text: `${purpose}: ${errorText(error)}` }];
      }
    });
  }

  #attachToAllSockets(program: string): void {
    const root = cgroupRoot(readFileSync("/proc/self/mountinfo", "utf8"));
    if (root === null) throw new Error("cgroup2 is not mounted (mount -t cgroup2)");
    this.#programs.attachCgroup(program, root);
  }

  /** @param present the interfaces that are there, by index; this one joins them. Gives null for one that is held. */
  #watchInterface(
    name: string,
    places: NetworkPlaces,
    present: Set<number>,
  ): WatchedInterface | Reason | null {
    try {
      const { index, isUp, hardware } = this.#look(name);
      if (present.has(index)) return null;
      present.add(index);
      const held = this.#held.get(index);
      if (held) {
        if (held.watched === null || held.watched.name === name) return null;
        held.watched = { ...held.watched, name };
        return held.watched;
      }
      if (!isUp) {
        const text = `the interface ${name} is down: nothing passes it (ip link set ${name} up)`;
        return { code: "interface-down", text };
      }
      return this.#attach(name, index, ethernetLike.has(hardware), places);
    } catch (error) {
      const code = error instanceof Error && "code" in error ? String(error.code).toLowerCase() : "failed";
      return code === "enodev"
        ? { code: "no-interface", text: `there is no interface ${name} here (ip link lists them)` }
        : { code, text: `${name}: ${errorText(error)}` };
    }
  }

  /** Throws where no place can be had; that is not tried again. */
  #attach(name: string, index: number, hasEthernet: boolean, places: NetworkPlaces): WatchedInterface {
    const held: Held = { watched: null, handles: [] };
    this.#held.set(index, held);
    const programAt = (place: InterfacePlace) =>
      isXdp(place) ? "hello_xdp" : `hello_${place.replace(/.*-/, "")}${hasEthernet ? "" : "_ip"}`;
    const attach = (wanted: InterfacePlace | null, offered: readonly InterfacePlace[]) =>
      firstThat(
        (wanted === null ? offered : [wanted]).filter(
          (place) => (hasEthernet || !isXdp(place)) && !(places.withTracer && outlives(place)),
        ),
        (place) => {
          held.handles.push(this.#programs.attachInterface(programAt(place), index, place));
        },
      );
    try {
      const egress = attach(places.egress, egressPlaces);
      const ingress = attach(places.ingress, ingressPlaces);
      held.watched = { name, index, ingress, egress };
      return held.watched;
    } catch (error) {
      // Half of it would tell half of the connections.
      for (const handle of held.handles.splice(0)) this.#programs.detach(handle);
      throw error;
    }
  }
}

/** The first candidate that can be attached; throws what the last one said. */
function firstThat(
  candidates: readonly InterfacePlace[],
  attach: (place: InterfacePlace) => void,
): InterfacePlace {
  let failure: unknown = new Error("this kernel has no place for a program there that ends with the tracer");
  for (const place of candidates) {
    try {
      attach(place);
      return place;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
