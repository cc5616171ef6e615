// Ethernet frames made by hand, with what the kernel's own TCP would never send. Nobody answers them: they carry no
// checksums, and the address of no interface. Formats: IEEE 802.1Q, RFC 768, RFC 791, RFC 8200, RFC 9293.
import { number } from "../analyzer/network/hello/hellos.ts";

export interface Flow {
  family: 4 | 6;
  clientPort: number;
  /** Sequence number of its SYN. */
  start: number;
  /** VLAN tags, the outer first. */
  tags: number[];
  /** IPv4 options, or an IPv6 hop-by-hop header, and TCP options: headers as long as they may be. */
  hasOptions: boolean;
}

export const ends = {
  4: { client: "192.0.2.1", server: "192.0.2.2" },
  6: { client: "2001:db8::1", server: "2001:db8::2" },
};
export const serverPort = 9443;

const addressBytes = {
  4: { client: Buffer.of(192, 0, 2, 1), server: Buffer.of(192, 0, 2, 2) },
  6: {
    client: Buffer.from("20010db8000000000000000000000001", "hex"),
    server: Buffer.from("20010db8000000000000000000000002", "hex"),
  },
};
const [tcp, udp] = [6, 17];
const flags = { syn: 0x02, push: 0x18 };

/** @param at distance of the payload from the SYN's sequence number */
function segment(flow: Flow, at: number, flag: number, payload: Uint8Array): Buffer {
  const options = Buffer.alloc(flow.hasOptions ? 40 : 0, 1);
  const header = Buffer.concat([
    number(2, flow.clientPort),
    number(2, serverPort),
    number(4, (flow.start + at) % 2 ** 32),
    number(4, 0),
    Buffer.of((5 + options.length / 4) << 4, flag),
    Buffer.alloc(6),
    options,
  ]);
  return ethernet(flow, tcp, Buffer.concat([header, payload]));
}

function ethernet(flow: Flow, protocol: number, packet: Uint8Array): Buffer {
  const tags = flow.tags.map((tag, index) =>
    Buffer.concat([number(2, index + 1 < flow.tags.length ? 0x88a8 : 0x8100), number(2, tag)]),
  );
  const ip = flow.family === 4 ? ipv4(flow, protocol, packet) : ipv6(flow, protocol, packet);
  return Buffer.concat([Buffer.from("020000000001020000000002", "hex"), ...tags, ip]);
}

function ipv4({ hasOptions }: Flow, protocol: number, packet: Uint8Array): Buffer {
  const options = Buffer.alloc(hasOptions ? 40 : 0, 1);
  const { client, server } = addressBytes[4];
  return Buffer.concat([
    number(2, 0x0800),
    Buffer.of(0x40 | (5 + options.length / 4), 0),
    number(2, 20 + options.length + packet.length),
    Buffer.from([0, 0, 0x40, 0, 64, protocol, 0, 0]),
    client,
    server,
    options,
    packet,
  ]);
}

function ipv6({ hasOptions }: Flow, protocol: number, packet: Uint8Array): Buffer {
  // Padding (PadN) in units of 8 bytes.
  const extension = hasOptions ? Buffer.of(protocol, 1, 1, 12, ...Buffer.alloc(12)) : Buffer.alloc(0);
  const { client, server } = addressBytes[6];
  return Buffer.concat([
    number(2, 0x86dd),
    Buffer.of(0x60, 0, 0, 0),
    number(2, extension.length + packet.length),
    Buffer.of(hasOptions ? 0 : protocol, 64),
    client,
    server,
    extension,
    packet,
  ]);
}

/** The SYN of a connection, with data where it is opened by TCP Fast Open (RFC 7413). */
export const syn = (flow: Flow, data: Uint8Array = Buffer.alloc(0)): Buffer =>
  segment(flow, 0, flags.syn, data);

/** Bytes of the stream from so many on. */
export const piece = (flow: Flow, stream: Uint8Array, from: number, to = stream.length): Buffer =>
  segment(flow, 1 + from, flags.push, stream.subarray(from, to));

/** One from the client over UDP, between the same ports. */
export const datagram = (flow: Flow, payload: Uint8Array): Buffer =>
  ethernet(
    flow,
    udp,
    Buffer.concat([
      number(2, flow.clientPort),
      number(2, serverPort),
      number(2, 8 + payload.length),
      number(2, 0),
      payload,
    ]),
  );
