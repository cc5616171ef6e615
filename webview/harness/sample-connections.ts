// Makes up connections of which only metadata is seen, one kind after the other: what is usual, and what is awkward to
// show.
import type { ConnectionRow } from "../../src/protocol/editor.ts";
import type { Connection } from "../../src/protocol/traffic.ts";

const usual = {
  pid: 5120,
  command: "curl",
  serverName: "api.shop.example",
  transport: "tcp" as const,
  alpn: ["h2", "http/1.1"],
  versions: ["1.3", "1.2"],
  ja3: "579ccef312d18482fc42e2b822ca2430",
  ja4: "t13d1516h2_8daaf6152771_b186095e22b6",
  encryptedClientHello: false,
  interface: "eth0",
  state: "closed" as const,
  durationMs: 1840.2,
  bytesOut: 4130,
  bytesIn: 184_220,
};
const running = { state: "open" as const, durationMs: null, bytesOut: null, bytesIn: null };
const unread = { alpn: [], versions: [], ja3: null, ja4: null, serverName: null };

const kinds: Partial<ConnectionRow>[] = [
  {},
  {
    pid: null,
    command: null,
    serverName: null,
    transport: "quic",
    alpn: ["h3"],
    versions: ["1.3"],
    ja4: "q13d0312h3_55b375c5d22e_06cda9e17597",
  },
  { ...running, serverName: "cover.cdn.example", encryptedClientHello: true },
  {
    serverName: "pixel.ads.example",
    state: "blocked",
    rule: "*.ads.example",
    durationMs: null,
    bytesOut: null,
    bytesIn: null,
  },
  {
    serverName:
      "a-rather-long-tenant-name-0193f7a2-5c1e-7b7a.eu-central-1.cluster.services.internal.shop.example",
    command: "a-process-with-a-long-name",
    alpn: ["h2"],
    durationMs: 42_125,
    bytesIn: 31_750_200,
  },
  {
    ...unread,
    pid: null,
    command: null,
    problem: { code: "incomplete", text: "a part of the hello never came" },
    durationMs: 4.1,
    bytesOut: 1210,
    bytesIn: 0,
  },
];

/** Whether the `number`th such connection has no kind of its own, but begins one that is decrypted. */
export const isDecrypted = (number: number): boolean => number % (kinds.length + 1) === kinds.length;

/** The `number`th such connection; those without a kind of their own begin what is decrypted as `decrypted`. */
export function connectionSample(
  number: number,
  id: string,
  startedAt: string,
  decrypted: { pid: number; command: string; connection: Connection },
): ConnectionRow {
  const kind = kinds[number % (kinds.length + 1)] ?? { ...running, ...decrypted };
  const row = { ...usual, ...kind };
  const remote = number % 2 === 0 ? "203.0.113.24:443" : "[2001:db8:85a3::8a2e:370:7334]:443";
  const connection = {
    id,
    role: "client" as const,
    local: `192.0.2.7:${41_000 + number}`,
    remote,
    serverName: row.serverName,
  };
  return { type: "connection", id, startedAt, connection, ...row };
}
